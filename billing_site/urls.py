"""Every URL of the site."""

from django.contrib import admin
from django.urls import include, path

from billing_site.health import healthz
from metering.api.gate_urls import root_urlpatterns as gate
from wallets.api.webhooks import stripe_webhook

handler400 = "billing_site.api.problems.bad_request"
handler404 = "billing_site.api.problems.not_found"
handler500 = "billing_site.api.problems.server_error"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    *gate,
    path("webhooks/stripe", stripe_webhook, name="stripe_webhook"),
    path("api/v1/", include("billing_site.api.urls")),
    path("api/", include("billing_site.api.pages")),
    path("admin/", admin.site.urls),
    path("", include("billing_site.portal.urls")),
]
