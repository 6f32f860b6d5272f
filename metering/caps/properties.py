"""Which property of an account's events names the team, the user, …: read here, as `count.py` reads it in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from metering.caps.models import CapProperties

NAMED: Final = ("team", "user", "api_key", "cost_centre")


def named_in(properties: Mapping[str, Any], *, account_id: int) -> dict[str, str]:
    """Who a call with these properties is by, by scope; only texts and numbers name anybody."""
    row = CapProperties.objects.filter(pk=account_id).first() or CapProperties()
    found = {scope: properties.get(getattr(row, scope)) for scope in NAMED}
    return {
        scope: str(value)
        for scope, value in found.items()
        if isinstance(value, str | int | Decimal) and not isinstance(value, bool) and value != ""
    }
