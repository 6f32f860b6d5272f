"""/api/v1/, assembled from each app's api/urls.py; the schema and the pages about it stand beside it."""

from __future__ import annotations

from django.urls import include, path

app_name = "api"
urlpatterns = [
    path("", include("notifications.api.urls")),  # before pricing's, which ends with whatever is an account's key
    path("", include("wallets.api.urls")),
    path("", include("pricing.api.urls")),
    path("", include("metering.api.urls")),
]
