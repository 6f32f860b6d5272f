"""The back office is Django's admin with our own site: navigation by the work, a front page, a search by id."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class BackOfficeConfig(AdminConfig):
    """Puts our site in the place of Django's default one; rooms register their pages on `admin.site` as usual."""

    default_site = "billing_site.backoffice.site.BackOfficeSite"
