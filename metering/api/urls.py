"""The app's endpoints below /api/v1/."""

from __future__ import annotations

from django.urls import path

from metering.api import gate_urls
from metering.api.dead_letters import DeadLetterReplay, DeadLetters
from metering.api.events import Events, EventVoid, OneEvent
from metering.api.rerate import Rerate
from metering.api.simulate import PriceSimulation
from metering.api.spend_caps import SpendCapRemoval, SpendCaps
from metering.api.usage import Usage

urlpatterns = [
    path("events", Events.as_view(), name="events"),
    path("events/<path:event_id>/void", EventVoid.as_view(), name="event_void"),
    path("events/<path:event_id>", OneEvent.as_view(), name="event"),
    path("pricing/simulate", PriceSimulation.as_view(), name="pricing_simulate"),
    path("usage", Usage.as_view(), name="usage"),
    path("dead-letters", DeadLetters.as_view(), name="dead_letters"),
    path("dead-letters/replay", DeadLetterReplay.as_view(), name="dead_letter_replay"),
    path("spend-caps", SpendCaps.as_view(), name="spend_caps"),
    path("spend-caps/<str:cap_id>/remove", SpendCapRemoval.as_view(), name="spend_cap_removal"),
    path("pricing/rerate", Rerate.as_view(), name="rerate"),
    *gate_urls.urlpatterns,
]
