"""Give the roles of the back office exactly the permissions of the table: `python manage.py grant_roles`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from billing_site.backoffice.roles import ROLES, grant_roles


class Command(BaseCommand):
    """Grant the roles."""

    help = "Make the back office's roles and give each exactly its permissions; run it after migrate."

    def handle(self, *_: Any, **__: Any) -> None:
        """Grant and name them."""
        grant_roles()
        self.stdout.write(f"{len(ROLES)} roles: {', '.join(ROLES)}.")
