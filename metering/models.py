"""Django's index of this app's models; imported by nobody. The models live in the rooms."""

from metering.caps.models import CapProperties, CapReservation, SpendCap, SpendCounter
from metering.gate.models import CopyCheck, GateDecisions, RefusedRevenue
from metering.ingest.models import DeadLetter, IngestTally, ReplayCheckpoint
from metering.mirror.models import MirroredHour
from metering.rerating.models import RerateItem, RerateRun
from metering.simulation.models import SimulationRun
from metering.usage.day_models import UsageDay
from metering.usage.models import Charge, EventVoid, HourlyUsage, ReturnedDraw, UsageEvent

__all__ = [
    "CapProperties",
    "CapReservation",
    "Charge",
    "CopyCheck",
    "DeadLetter",
    "EventVoid",
    "GateDecisions",
    "HourlyUsage",
    "IngestTally",
    "MirroredHour",
    "RefusedRevenue",
    "ReplayCheckpoint",
    "RerateItem",
    "RerateRun",
    "ReturnedDraw",
    "SimulationRun",
    "SpendCap",
    "SpendCounter",
    "UsageDay",
    "UsageEvent",
]
