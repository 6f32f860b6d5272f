"""Looking meters up."""

from __future__ import annotations

from django.db.models import QuerySet

from pricing.meters.models import Meter
from wallets.errors import NotFound


def all_meters() -> QuerySet[Meter]:
    """Every meter, archived ones too."""
    return Meter.objects.all()


def meter_by_code(*, code: str) -> Meter:
    """The meter with this code. Raises NotFound."""
    meter = Meter.objects.filter(code=code).first()
    if meter is None:
        raise NotFound(f"There is no meter {code[:120]}.")
    return meter
