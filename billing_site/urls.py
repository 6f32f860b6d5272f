"""Every URL of the site."""

from django.contrib import admin
from django.urls import include, path

from billing_site.brand_pages import colours, legal, logo
from billing_site.health import healthz
from billing_site.sign_in.views import CodeFromLinkView
from metering.api.gate_urls import root_urlpatterns as gate
from notifications.api.urls import root_urlpatterns as banner
from wallets.api.webhooks import stripe_webhook

handler400 = "billing_site.api.problems.bad_request"
handler404 = "billing_site.api.problems.not_found"
handler500 = "billing_site.api.problems.server_error"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    *gate,
    *banner,
    path("webhooks/stripe", stripe_webhook, name="stripe_webhook"),
    path("api/v1/", include("billing_site.api.urls")),
    path("api/", include("billing_site.api.pages")),
    path("admin/", admin.site.urls),
    path("brand/colours-<slug:version>.css", colours, name="brand_colours"),
    path("brand/<str:name>", logo, name="brand_logo"),
    path("legal/<slug:kind>/", legal, name="legal"),
    path("", include("billing_site.portal.urls")),
    path("login/code/confirm/", CodeFromLinkView.as_view(), name="account_confirm_login_code"),
    path("", include("allauth.account.urls")),
    path("2fa/", include("allauth.mfa.urls")),
    path("sessions/", include("allauth.usersessions.urls")),
]
