"""Burn-down cases in the words of the business: which lots, what is charged, what is drawn from where, what is left.

    lots     <name> <amount> USD  [priority N]  [from DATE]  [expires DATE]  [for METER,METER]
    charge   <amount> USD on <meter> at <DATE>
    draws    <name> <amount>, <name> <amount>, overdraft <amount>
    left     <name> <amount>, ...          (lots that hold nothing are left out)

A lot's name begins with its kind (promo: promotional): `paid`, `paid-2`. Several charges: a `draws` line each. Dates are
midnight UTC. Without words of its own a lot has priority 50, is valid since 2026-01-01 without end, for all meters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import wraps
from typing import Final

from wallets.credit.burn_down import Covered, Lot, burn_down
from wallets.ledger.lines import LineDraw, draws_of_charge
from wallets.money import ZERO

KINDS: Final = {"paid": "paid", "promo": "promotional", "trial": "trial", "plan": "plan", "compensation": "compensation"}
OVERDRAFT: Final = "overdraft"


def burn_down_case(test: Callable[[], None]) -> Callable[[], None]:
    """A test whose docstring is the case."""

    @wraps(test)
    def check() -> None:
        names, lots, charges, draws, left = _read(test.__doc__ or "")
        drawn = draws_by_charge(lots, charges)
        assert [{names[lot]: part for lot, part in of_charge.items()} for of_charge in drawn] == draws
        taken = {lot.id: sum((of_charge.get(lot.id, ZERO) for of_charge in drawn), ZERO) for lot in lots}
        assert {names[lot.id]: lot.remaining - taken[lot.id] for lot in lots if lot.remaining != taken[lot.id]} == left

    return check


def draws_by_charge(lots: list[Lot], charges: list[Covered]) -> list[dict[int | None, Decimal]]:
    """What each charge drew from which lot (None: overdraft), told from the lines as `explain` tells it."""
    lines: dict[str, list[LineDraw]] = {}
    for meter, lot, line_from, amount in burn_down(lots, charges):
        lines.setdefault(meter, []).append(LineDraw(None if lot is None else lot.id, line_from, amount))
    reached: dict[str, Decimal] = {}
    drawn = []
    for meter, amount, _ in charges:
        start = reached.get(meter, ZERO)
        reached[meter] = start + amount
        shares = draws_of_charge(lines.get(meter, []), line_from=start, amount=amount)
        drawn.append({share.lot_id: share.amount for share in shares})
    return drawn


def _read(
    text: str,
) -> tuple[dict[int | None, str], list[Lot], list[Covered], list[dict[str, Decimal]], dict[str, Decimal]]:
    names: dict[int | None, str] = {None: OVERDRAFT}
    lots: list[Lot] = []
    charges: list[Covered] = []
    draws: list[dict[str, Decimal]] = []
    left: dict[str, Decimal] = {}
    heading = ""
    for written in filter(None, (one.strip() for one in text.splitlines())):
        first, _, rest = written.partition(" ")
        heads = first in {"lots", "charge", "draws", "left"}
        heading, line = (first, rest.strip()) if heads else (heading, written)
        if heading == "lots":
            name, amount = line.split()[:2]
            names[len(lots)] = name
            lots.append(_lot(len(lots), KINDS[name.partition("-")[0]], Decimal(amount), line))
        elif heading == "charge":
            found = re.fullmatch(r"(\S+) USD on (\S+) at (\S+)", line)
            assert found, line
            charges.append((found[2], Decimal(found[1]), _day(found[3])))
        elif heading == "draws":
            draws.append(_parts(line))
        else:
            left = _parts(line)
    return names, lots, charges, draws, left


def _lot(number: int, kind: str, amount: Decimal, line: str) -> Lot:
    words = dict(re.findall(r"(priority|from|expires|for) (\S+)", line))
    expires_at = _day(words["expires"]) if "expires" in words else None
    meters = frozenset(words["for"].split(",")) if "for" in words else frozenset[str]()
    return Lot(number, kind, int(words.get("priority", 50)), _day(words.get("from", "2026-01-01")), expires_at, amount, meters)


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _parts(line: str) -> dict[str, Decimal]:
    pairs = [part.split() for part in line.split(",") if part.strip() not in {"", "nothing"}]
    return {name: Decimal(amount) for name, amount in pairs}
