"""The app's endpoints below /api/v1/."""

from __future__ import annotations

from django.urls import path

from notifications.api.banner import BannerTokens, banner_alerts
from notifications.api.bounces import Bounces
from notifications.api.webhook_deliveries import (
    OneWebhookDelivery,
    WebhookDeliveries,
    WebhookDeliveryResend,
    WebhookResend,
    WebhookTest,
)
from notifications.api.webhook_endpoints import (
    OneWebhookEndpoint,
    WebhookEndpointEnabling,
    WebhookEndpoints,
    WebhookEventTypes,
    WebhookSecretRotation,
)

urlpatterns = [
    path("accounts/<path:key>/banner-tokens", BannerTokens.as_view(), name="banner_tokens"),
    path("bounces", Bounces.as_view(), name="bounces"),
    path("webhook-endpoints", WebhookEndpoints.as_view(), name="webhook_endpoints"),
    path("webhook-event-types", WebhookEventTypes.as_view(), name="webhook_event_types"),
    path("webhook-endpoints/<str:endpoint_id>", OneWebhookEndpoint.as_view(), name="webhook_endpoint"),
    path("webhook-endpoints/<str:endpoint_id>/rotate-secret", WebhookSecretRotation.as_view(), name="webhook_rotate_secret"),
    path("webhook-endpoints/<str:endpoint_id>/enable", WebhookEndpointEnabling.as_view(), name="webhook_enable"),
    path("webhook-endpoints/<str:endpoint_id>/deliveries", WebhookDeliveries.as_view(), name="webhook_deliveries"),
    path(
        "webhook-endpoints/<str:endpoint_id>/deliveries/<str:delivery_id>",
        OneWebhookDelivery.as_view(),
        name="webhook_delivery",
    ),
    path(
        "webhook-endpoints/<str:endpoint_id>/deliveries/<str:delivery_id>/resend",
        WebhookDeliveryResend.as_view(),
        name="webhook_delivery_resend",
    ),
    path("webhook-endpoints/<str:endpoint_id>/test", WebhookTest.as_view(), name="webhook_test"),
    path("webhook-endpoints/<str:endpoint_id>/resend", WebhookResend.as_view(), name="webhook_resend"),
]

# Not below /api/v1: browsers of customers come here with a token.
root_urlpatterns = [path("banner/alerts", banner_alerts, name="banner_alerts")]
