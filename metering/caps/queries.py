"""Spend caps, to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from metering.caps.models import SpendCap
from metering.caps.published import ORDER, published_caps
from metering.caps.window import EPOCH, MICROSECOND
from wallets.errors import NotFound

MOST_VALUES: Final = 5


@dataclass(frozen=True, slots=True)
class CapStanding:
    """A cap and those who have used most of it in its present window, what open holds set aside counted in: (value, used).
    resets_at: when the window ends; None: never."""

    cap: SpendCap
    used: Sequence[tuple[str, Decimal]]
    resets_at: datetime | None = None


def caps_in_force(*, account_id: int) -> list[SpendCap]:
    """The account's caps, the widest first, as the gate checks them."""
    caps = SpendCap.objects.filter(account_id=account_id, state=SpendCap.State.ACTIVE).select_related("account", "meter")
    return sorted(caps, key=lambda cap: (ORDER[cap.scope], cap.pk))


def caps_standing(*, account_id: int, at: datetime) -> list[CapStanding]:
    """The account's caps with what was used of them."""
    in_force = caps_in_force(account_id=account_id)
    if not in_force:
        return []
    published = {cap.id: cap for cap in published_caps(account_ids=[account_id], at=at).get(account_id, ())}
    standing = []
    for cap in in_force:
        now = published.get(cap.pk)
        if now is None:  # set a moment ago
            standing.append(CapStanding(cap, ()))
            continue
        most = sorted(((value, amount) for value, (_, amount) in now.used.items()), key=lambda one: -one[1])
        standing.append(CapStanding(cap, most[:MOST_VALUES], EPOCH + now.ends_us * MICROSECOND if now.ends_us else None))
    return standing


def cap_of(*, cap_id: str, only_account_id: int | None = None) -> SpendCap:
    """The cap with this public id, of one account if it is named. Raises NotFound."""
    caps = SpendCap.objects.select_related("account", "meter").filter(public_id=cap_id)
    cap = (caps if only_account_id is None else caps.filter(account_id=only_account_id)).first()
    if cap is None:
        raise NotFound(f"There is no spend cap {cap_id[:40]!r}.")
    return cap
