"""What differs between two versions: prices added, removed, changed, each with its old and its new terms. Pure.

A price is the same one when its meter, currency, match and schedule are. Where a meter, currency and match have one price on
either side and only the schedules differ, the schedule changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

import msgspec

from pricing.books.price_terms import PriceTerms

NAMING: Final = frozenset({"meter", "currency", "match", "schedule"})
OURS: Final = frozenset({"unit_cost"})
TERMS: Final = tuple(field.name for field in fields(PriceTerms) if field.name not in NAMING)


class PriceKey(NamedTuple):
    """What a price is told apart by within its version."""

    meter: str
    currency: str
    match: tuple[tuple[str, str], ...]
    schedule: str

    @property
    def without_schedule(self) -> PriceKey:
        """The same at any time."""
        return self._replace(schedule="")


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A price before and after; `old` is None when it was added, `new` when it was removed. `fields`: what differs."""

    old: PriceTerms | None
    new: PriceTerms | None
    fields: tuple[str, ...] = ()

    @property
    def price(self) -> PriceTerms:
        """The new terms, or the old ones when there are none."""
        price = self.new or self.old
        assert price is not None, "a change has a side"
        return price


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """Two versions compared, each list by meter, currency and match."""

    added: tuple[PriceChange, ...]
    removed: tuple[PriceChange, ...]
    changed: tuple[PriceChange, ...]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        """Are the two the same?"""
        return not (self.added or self.removed or self.changed)


def key_of(price: PriceTerms) -> PriceKey:
    """What tells a price apart. `price` is as stored: its match as texts, its currency named, its schedule in one form."""
    schedule = msgspec.json.encode(price.schedule, order="deterministic").decode() if price.schedule else ""
    return PriceKey(price.meter, price.currency or "", tuple(sorted(price.match.items())), schedule)


def changed_terms(old: PriceTerms, new: PriceTerms) -> tuple[str, ...]:
    """The fields in which the terms differ."""
    return tuple(name for name in TERMS if _value(old, name) != _value(new, name))


def customer_pays_alike(old: PriceTerms, new: PriceTerms) -> bool:
    """Are the terms the same but for what it costs us?"""
    return set(changed_terms(old, new)) <= OURS


def diff_prices(old: Sequence[PriceTerms], new: Sequence[PriceTerms]) -> VersionDiff:
    """Compare the prices of two versions, both as stored."""
    before = {key_of(price): price for price in old}
    after = {key_of(price): price for price in new}
    removed = {key: before[key] for key in before.keys() - after.keys()}
    added = {key: after[key] for key in after.keys() - before.keys()}
    pairs = [(before[key], after[key]) for key in before.keys() & after.keys()]
    rescheduled = list(_same_but_for_schedule(removed, added))
    for gone, come in rescheduled:
        pairs.append((removed.pop(gone), added.pop(come)))
    compared = [(one, other, _schedule_changed(one, other) + changed_terms(one, other)) for one, other in pairs]
    changed = [PriceChange(one, other, names) for one, other, names in compared if names]
    return VersionDiff(
        added=_sorted(PriceChange(None, price) for price in added.values()),
        removed=_sorted(PriceChange(price, None) for price in removed.values()),
        changed=_sorted(changed),
        unchanged=len(compared) - len(changed),
    )


def _same_but_for_schedule(removed: Iterable[PriceKey], added: Iterable[PriceKey]) -> Iterable[tuple[PriceKey, PriceKey]]:
    gone: dict[PriceKey, list[PriceKey]] = defaultdict(list)
    come: dict[PriceKey, list[PriceKey]] = defaultdict(list)
    for key in removed:
        gone[key.without_schedule].append(key)
    for key in added:
        come[key.without_schedule].append(key)
    for key, olds in gone.items():
        if len(olds) == len(come[key]) == 1:
            yield olds[0], come[key][0]


def _schedule_changed(old: PriceTerms, new: PriceTerms) -> tuple[str, ...]:
    return () if (old.schedule or {}) == (new.schedule or {}) else ("schedule",)


def _value(price: PriceTerms, name: str) -> Any:
    """A term, with what says nothing (None, zero where none is meant) as None, so that equal terms are equal."""
    value = getattr(price, name)
    return tuple(value) if name == "tiers" else value or None


def _sorted(changes: Iterable[PriceChange]) -> tuple[PriceChange, ...]:
    return tuple(sorted(changes, key=lambda change: key_of(change.price)))
