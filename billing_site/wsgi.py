"""Web entry: `billing_site.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")

django = get_wsgi_application()

from metering.api.gate_wsgi import gate_first  # noqa: E402 - its models need Django to be set up

# The gate's check skips Django's middleware; everything else goes through it.
application = gate_first(django)

# Load every page's module now, once for all processes, rather than with somebody's first request.
get_resolver().check()
