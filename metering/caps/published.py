"""What the gate is told of spend caps: each with its present window and what was used in it (settings.GATE_CAPS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection

from metering.caps.models import SpendCap, SpendCounter
from metering.caps.reserve import reserved_of
from metering.caps.window import microseconds, window_of
from wallets.balances.published import PublishedCap
from wallets.money import ZERO

# The widest first.
ORDER: Final = {str(scope): place for place, scope in enumerate(SpendCap.Scope)}


def published_caps(*, account_ids: Sequence[int], at: datetime | None) -> Mapping[int, Sequence[PublishedCap]]:
    """The caps in force of these accounts, by account, in the order in which the gate checks them; what open holds set aside
    counts as used. Three queries where there are any, else one.

    at: in which window, and until when holds count; None: the database's now, and holds count though they may have ended.
    """
    caps = list(
        SpendCap.objects.filter(account_id__in=account_ids, state=SpendCap.State.ACTIVE)
        .select_related("account", "meter")
        .order_by("pk")
    )
    if not caps:
        return {}
    moment = at or _now()
    windows = {cap.pk: window_of(cap.window, moment, cap.account.time_zone) for cap in caps}
    used: dict[int, dict[str, tuple[int, Decimal]]] = {}
    counters = SpendCounter.objects.filter(cap_id__in=windows, window_start__in={start for start, _ in windows.values()})
    for cap_id, start, value, version, amount in counters.values_list("cap_id", "window_start", "value", "version", "used"):
        if start == windows[cap_id][0]:
            used.setdefault(cap_id, {})[value] = (version, amount)
    for (cap_id, value), held in reserved_of(windows, at=at).items():
        of_cap = used.setdefault(cap_id, {})
        version, amount = of_cap.get(value, (0, ZERO))
        of_cap[value] = (version, amount + held)
    found: dict[int, list[PublishedCap]] = {}
    for cap in sorted(caps, key=lambda one: (ORDER[one.scope], one.pk)):
        start, end = windows[cap.pk]
        found.setdefault(cap.account_id, []).append(
            PublishedCap(
                id=cap.pk,
                public_id=cap.public_id,
                scope=cap.scope,
                value=cap.value,
                unit=cap.unit,
                of_meter=cap.meter_id is not None,
                limit=cap.limit,
                starts_us=microseconds(start),
                ends_us=microseconds(end),
                used=used.get(cap.pk, {}),
            )
        )
    return found


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        now: datetime = cursor.fetchone()[0]
    return now
