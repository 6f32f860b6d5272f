"""The app's endpoints below /api/v1/."""

from __future__ import annotations

from django.urls import path

from notifications.api.webhook_deliveries import WebhookDeliveries, WebhookResend
from notifications.api.webhook_endpoints import (
    OneWebhookEndpoint,
    WebhookEndpointEnabling,
    WebhookEndpoints,
    WebhookEventTypes,
    WebhookSecretRotation,
)

urlpatterns = [
    path("webhook-endpoints", WebhookEndpoints.as_view(), name="webhook_endpoints"),
    path("webhook-event-types", WebhookEventTypes.as_view(), name="webhook_event_types"),
    path("webhook-endpoints/<str:endpoint_id>", OneWebhookEndpoint.as_view(), name="webhook_endpoint"),
    path("webhook-endpoints/<str:endpoint_id>/rotate-secret", WebhookSecretRotation.as_view(), name="webhook_rotate_secret"),
    path("webhook-endpoints/<str:endpoint_id>/enable", WebhookEndpointEnabling.as_view(), name="webhook_enable"),
    path("webhook-endpoints/<str:endpoint_id>/deliveries", WebhookDeliveries.as_view(), name="webhook_deliveries"),
    path("webhook-endpoints/<str:endpoint_id>/resend", WebhookResend.as_view(), name="webhook_resend"),
]
