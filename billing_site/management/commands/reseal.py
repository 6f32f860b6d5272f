"""python manage.py reseal: close every sealed secret with the present SECRET_KEY, after it was changed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from notifications.channels.webhook.endpoints import reseal_secrets


class Command(BaseCommand):
    """Then SECRET_KEY_FALLBACKS can go."""

    help = "Close the signing secrets of webhooks with the present SECRET_KEY, so that its fallbacks can go"

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Do it."""
        self.stdout.write(f"{reseal_secrets()} webhook endpoints are sealed with the present SECRET_KEY.")
