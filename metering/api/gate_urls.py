"""The gate's endpoints: `urlpatterns` below /api/v1/, `root_urlpatterns` at the root of the site."""

from __future__ import annotations

from django.urls import path

from metering.api.authorize import Authorize
from metering.api.gate_check import gate_check

urlpatterns = [path("authorize", Authorize.as_view(), name="authorize")]
root_urlpatterns = [path("gate/check", gate_check, name="gate_check")]
