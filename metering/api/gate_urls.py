"""The gate's endpoints: `urlpatterns` below /api/v1/, `root_urlpatterns` at the root of the site."""

from __future__ import annotations

from django.urls import path, re_path

from metering.api.authorize import Authorize
from metering.api.gate_check import gate_check
from metering.api.holds import HoldCapture, HoldExtend, HoldRelease, HoldRenew, Holds, OneHold

urlpatterns = [
    path("authorize", Authorize.as_view(), name="authorize"),
    path("holds", Holds.as_view(), name="holds"),
    path("holds/<str:hold_id>", OneHold.as_view(), name="hold"),
    path("holds/<str:hold_id>/capture", HoldCapture.as_view(), name="hold_capture"),
    path("holds/<str:hold_id>/renew", HoldRenew.as_view(), name="hold_renew"),
    path("holds/<str:hold_id>/extend", HoldExtend.as_view(), name="hold_extend"),
    path("holds/<str:hold_id>/release", HoldRelease.as_view(), name="hold_release"),
]
root_urlpatterns = [
    path("gate/check", gate_check, name="gate_check"),
    re_path("^gate/envoy/(?P<path>.*)$", gate_check, name="gate_check_for_envoy"),
]
