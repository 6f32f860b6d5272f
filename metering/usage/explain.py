"""A charge explains itself (I6): event -> meter and quantity -> price version and tiers -> lots drawn -> journal entry.

One set of frozen dataclasses for every reader: the back office, the customer's page and `GET /events/{id}`. Four short
queries, however many lots were drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from django.db.models import F

from metering.usage.models import Charge, ReturnedDraw, UsageEvent
from metering.usage.runs import Prior, prior_of
from pricing.books.in_force import terms_of
from pricing.books.models import Price
from pricing.books.price_text import origin_text, price_lines, schedule_text
from pricing.books.rows import terms_of_row
from pricing.rating.tiers_used import tiers_used
from wallets.credit.models import CreditLot
from wallets.errors import Conflict, NotFound
from wallets.ledger.lines import LineDraw, draws_of_charge, lines_of_entries
from wallets.money import ZERO

MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class MeterUsed:
    """What turned the event into a quantity."""

    pk: int
    code: str
    name: str
    unit: str
    aggregation: str
    property: str


@dataclass(frozen=True, slots=True)
class PriceUsed:
    """The price in force for the account at the event's time. Amounts per unit, in `currency`.

    lines: what it says, to be read.  origin: of a negotiated price, the list price it was made of.  holds: when it is the
    price; empty for always.  unit_price: None where there is not one for every unit.
    """

    book_pk: int
    book: str
    version_pk: int
    version: str
    version_number: int
    effective_at: datetime | None
    match: dict[str, Any]
    model: str
    lines: tuple[str, ...]
    origin: str
    holds: str
    unit_price: Decimal | None
    minimum_charge: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class TierShown:
    """The part of the quantity that one tier priced; `up_to` None: without end."""

    up_to: Decimal | None
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class LotDrawn:
    """What the charge took from one lot (or gave back to it); `lot` None: overdraft."""

    lot_pk: int | None
    lot: str | None
    kind: str
    label: str
    amount: Decimal
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReturnedFrom:
    """A charge at a cumulative price gave this much back of what the charge of another event (or its own) had drawn."""

    event_pk: int
    event: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class EntryShown:
    """The journal entry that moved the wallet."""

    pk: int
    kind: str
    at: datetime
    wallet_version: int
    balance_after: Decimal
    hash: str


@dataclass(frozen=True, slots=True)
class ChargeExplanation:
    """One event on one meter. A charge that `reverses` another has its signs turned, unless its price is cumulative.

    allowance: part of the quantity that allowances covered (in `allowances` lot by lot); the rest was priced.  prior_quantity:
    what was priced before in the period, where that decides.  returned: whose draws a charge below zero gave back.
    """

    line: int
    reverses: int | None
    meter: MeterUsed
    quantity: Decimal
    price: PriceUsed
    tiers: tuple[TierShown, ...]
    amount: Decimal
    cost: Decimal
    currency: str
    wallet_pk: int
    wallet: str
    draws: tuple[LotDrawn, ...]
    entry: EntryShown | None
    allowance: Decimal = ZERO
    allowances: tuple[LotDrawn, ...] = ()
    prior_quantity: Decimal | None = None
    returned: tuple[ReturnedFrom, ...] = ()

    @property
    def priced(self) -> Decimal:
        """What allowances left of the quantity."""
        return self.quantity - self.allowance


@dataclass(frozen=True, slots=True)
class VoidShown:
    """The event was taken back."""

    at: datetime
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class ParkedShown:
    """The event could not be rated when it came; `replayed_at` says when it was after all."""

    pk: int
    reason: str
    reason_label: str
    detail: str
    parked_at: datetime
    replayed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Booking:
    """Charges that one entry booked; without an entry nothing was drawn."""

    charges: tuple[ChargeExplanation, ...]
    entry: EntryShown | None

    @property
    def amount(self) -> Decimal:
        """What they come to, negative when taken back."""
        return sum((charge.amount for charge in self.charges), ZERO)

    @property
    def first(self) -> ChargeExplanation:
        """The first of them: all are of one wallet."""
        return self.charges[0]


@dataclass(frozen=True, slots=True)
class EventExplanation:
    """An event, what it was charged, and where the money came from."""

    pk: int
    event_id: str
    account_pk: int
    account: str
    account_name: str
    type: str
    time: datetime
    received_at: datetime
    properties: dict[str, Any]
    charges: tuple[ChargeExplanation, ...]
    void: VoidShown | None
    parked: ParkedShown | None

    @property
    def totals(self) -> tuple[tuple[str, Decimal], ...]:
        """(currency, what the event costs now), what was taken back taken off."""
        sums: dict[str, Decimal] = {}
        for charge in self.charges:
            sums[charge.currency] = sums.get(charge.currency, ZERO) + charge.amount
        return tuple(sorted(sums.items()))

    @property
    def costs(self) -> tuple[tuple[str, Decimal], ...]:
        """(currency, what the event cost us), what was taken back taken off."""
        sums: dict[str, Decimal] = {}
        for charge in self.charges:
            sums[charge.currency] = sums.get(charge.currency, ZERO) + charge.cost
        return tuple(sorted(sums.items()))

    @property
    def bookings(self) -> tuple[Booking, ...]:
        """The charges by the entry that booked them, in the order of their lines; those not booked last of their run."""
        groups = groupby(self.charges, key=lambda charge: (charge.reverses is not None, charge.entry, charge.wallet_pk))
        return tuple(Booking(tuple(charges), entry) for (_, entry, _), charges in groups)

    @property
    def status(self) -> str:
        """`voided`, `unrated`, `charged` or `free`."""
        if self.void is not None:
            return "voided"
        if self.parked is not None and self.parked.replayed_at is None:
            return "unrated"
        return "charged" if any(charge.amount for charge in self.charges) else "free"


def event_pk_of(*, event_id: str, account_key: str | None = None) -> int:
    """Row id of the event with this id, of this account if one is named.

    Raises NotFound, and Conflict when several accounts sent an event with this id and none is named.
    """
    events = UsageEvent.objects.filter(event_id=event_id, account__bucket=F("bucket"))
    if account_key is not None:
        events = events.filter(account__key=account_key)
    found = list(events.order_by("account__key").values_list("pk", "account__key")[:MOST_NAMED])
    if not found:
        raise NotFound(f"There is no event {event_id!r}.")
    if len(found) > 1:
        accounts = ", ".join(key for _, key in found)
        raise Conflict(
            f"Several accounts sent an event {event_id!r} ({accounts}); name the account.", fields={"account": accounts}
        )
    return found[0][0]


def explain_event(*, event_pk: int) -> EventExplanation:
    """Explain an event by its row id. Raises NotFound."""
    event = UsageEvent.objects.select_related("account", "void", "dead_letter").filter(pk=event_pk).first()
    if event is None:
        raise NotFound(f"There is no event with row id {event_pk}.")
    charges = list(
        Charge.objects.filter(event_id=event_pk)
        .select_related("meter", "price__version__book", "price__derived_from__meter", "wallet", "entry")
        .order_by("line")
    )
    lines = lines_of_entries(
        {charge.entry_id for charge in charges if charge.entry_id is not None},
        meters={charge.meter.code for charge in charges},
    )
    returned = _returned(event) if any(charge.counter_id is not None and charge.amount < ZERO for charge in charges) else {}
    drawn = {draw.lot_id for line in lines.values() for draw in line if draw.lot_id is not None}
    lots = CreditLot.objects.in_bulk(drawn)
    return EventExplanation(
        pk=event.pk,
        event_id=event.event_id,
        account_pk=event.account_id,
        account=event.account.key,
        account_name=event.account.name,
        type=event.type,
        time=event.time,
        received_at=event.received_at,
        properties=event.properties,
        charges=tuple(_charge(charge, lines, lots, returned.get(charge.line, ())) for charge in charges),
        void=_void(event),
        parked=_parked(event),
    )


def _charge(
    charge: Charge,
    lines: Mapping[tuple[int, str, bool], Sequence[LineDraw]],
    lots: Mapping[int, CreditLot],
    returned: tuple[ReturnedFrom, ...],
) -> ChargeExplanation:
    meter, price, wallet, entry = charge.meter, charge.price, charge.wallet, charge.entry
    price.meter = meter
    prior = prior_of(charge)
    return ChargeExplanation(
        line=charge.line,
        reverses=charge.reverses,
        meter=MeterUsed(meter.pk, meter.code, meter.name or meter.code, meter.unit, meter.aggregation, meter.property),
        quantity=charge.quantity,
        price=PriceUsed(
            book_pk=price.version.book.pk,
            book=price.version.book.name,
            version_pk=price.version.pk,
            version=price.version.public_id,
            version_number=price.version.number,
            effective_at=price.version.effective_at,
            match=price.match,
            model=price.model,
            lines=tuple(price_lines(price)),
            origin=origin_text(price),
            holds=schedule_text(terms_of_row(price)),
            unit_price=price.unit_price if price.model == Price.Model.PER_UNIT and not price.free_units else None,
            minimum_charge=price.minimum_charge,
            currency=price.currency,
        ),
        tiers=_tiers(charge, prior),
        amount=charge.amount,
        cost=charge.cost,
        currency=wallet.currency,
        wallet_pk=wallet.pk,
        wallet=wallet.public_id,
        draws=_draws(charge, lines, lots),
        allowance=charge.allowance or ZERO,
        allowances=_allowances(charge, lines, lots),
        prior_quantity=None if prior is None else prior.quantity,
        returned=returned,
        entry=None
        if entry is None
        else EntryShown(entry.pk, entry.kind, entry.at, entry.wallet_version, entry.balance_after, bytes(entry.hash).hex()),
    )


def _tiers(charge: Charge, prior: Prior | None) -> tuple[TierShown, ...]:
    """The tiers that priced the charge, found again: prices never change, and it is known what was before it."""
    if prior is None:
        return ()
    priced = charge.quantity - (charge.allowance or ZERO)
    return tuple(TierShown(*tier) for tier in tiers_used(terms_of(charge.price), priced, prior.quantity))


def _returned(event: UsageEvent) -> dict[int, tuple[ReturnedFrom, ...]]:
    """By line of the event: whose draws its charges gave back."""
    rows = ReturnedDraw.objects.filter(bucket=event.bucket, by_event_id=event.pk).order_by("id")
    returned: dict[int, tuple[ReturnedFrom, ...]] = {}
    for by_line, pk, event_id, amount in rows.values_list("by_line", "event_id", "event__event_id", "amount"):
        returned[by_line] = (*returned.get(by_line, ()), ReturnedFrom(pk, event_id, amount))
    return returned


def _draws(
    charge: Charge, lines: Mapping[tuple[int, str, bool], Sequence[LineDraw]], lots: Mapping[int, CreditLot]
) -> tuple[LotDrawn, ...]:
    if charge.entry_id is None or charge.line_from is None:
        return ()
    shares = draws_of_charge(
        lines.get((charge.entry_id, charge.meter.code, False), ()), line_from=charge.line_from, amount=abs(charge.amount)
    )
    return tuple(_drawn(share.amount, None if share.lot_id is None else lots[share.lot_id]) for share in shares)


def _allowances(
    charge: Charge, lines: Mapping[tuple[int, str, bool], Sequence[LineDraw]], lots: Mapping[int, CreditLot]
) -> tuple[LotDrawn, ...]:
    if charge.entry_id is None or charge.allowance is None or charge.allowance_from is None:
        return ()
    line = lines.get((charge.entry_id, charge.meter.code, True), ())
    shares = draws_of_charge(line, line_from=charge.allowance_from, amount=abs(charge.allowance))
    return tuple(_drawn(share.amount, None if share.lot_id is None else lots[share.lot_id]) for share in shares)


def _drawn(amount: Decimal, lot: CreditLot | None) -> LotDrawn:
    if lot is None:
        return LotDrawn(None, None, "overdraft", "Overdraft", amount, None)
    return LotDrawn(lot.pk, lot.public_id, lot.kind, lot.reason or f"{lot.get_kind_display()} credit", amount, lot.expires_at)


def _void(event: UsageEvent) -> VoidShown | None:
    void = getattr(event, "void", None)
    return None if void is None else VoidShown(void.voided_at, void.reason, void.actor)


def _parked(event: UsageEvent) -> ParkedShown | None:
    letter = getattr(event, "dead_letter", None)
    if letter is None:
        return None
    return ParkedShown(
        letter.pk, letter.reason, letter.get_reason_display(), letter.detail, letter.parked_at, letter.replayed_at
    )
