"""Spend caps, to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from metering.caps.models import SpendCap
from metering.caps.published import ORDER, published_caps
from wallets.errors import NotFound

MOST_VALUES: Final = 5


@dataclass(frozen=True, slots=True)
class CapStanding:
    """A cap and those who have used most of it in its present window: (value, used)."""

    cap: SpendCap
    used: Sequence[tuple[str, Decimal]]


def caps_in_force(*, account_id: int) -> list[SpendCap]:
    """The account's caps, the widest first, as the gate checks them."""
    caps = SpendCap.objects.filter(account_id=account_id, state=SpendCap.State.ACTIVE).select_related("account", "meter")
    return sorted(caps, key=lambda cap: (ORDER[cap.scope], cap.pk))


def caps_standing(*, account_id: int, at: datetime) -> list[CapStanding]:
    """The account's caps with what was used of them."""
    used = {cap.id: cap.used for cap in published_caps(account_ids=[account_id], at=at).get(account_id, ())}
    return [
        CapStanding(
            cap,
            sorted(((value, amount) for value, (_, amount) in used.get(cap.pk, {}).items()), key=lambda one: -one[1])[
                :MOST_VALUES
            ],
        )
        for cap in caps_in_force(account_id=account_id)
    ]


def cap_of(*, cap_id: str, only_account_id: int | None = None) -> SpendCap:
    """The cap with this public id, of one account if it is named. Raises NotFound."""
    caps = SpendCap.objects.select_related("account", "meter").filter(public_id=cap_id)
    cap = (caps if only_account_id is None else caps.filter(account_id=only_account_id)).first()
    if cap is None:
        raise NotFound(f"There is no spend cap {cap_id[:40]!r}.")
    return cap
