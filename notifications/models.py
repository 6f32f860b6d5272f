"""Django's index of the rooms' models; imported by nobody."""

from notifications.channels.webhook.models import WebhookEndpoint

__all__ = ["WebhookEndpoint"]
