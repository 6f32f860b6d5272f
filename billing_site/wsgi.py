"""Web entry: `billing_site.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")

application = get_wsgi_application()

# Load every page's module now, once for all processes, rather than with somebody's first request.
get_resolver().check()
