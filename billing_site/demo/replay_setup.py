"""What a demonstration replay needs and does not find: meters, a price book of its own, accounts with credit.

Everything is made once and found again: a second replay makes nothing. The book holds from the beginning of time and the
credit is valid from then, so that a trace of any year is charged and drawn as if its customers had paid before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from time import perf_counter_ns
from typing import Final

from django.db import transaction

from metering.ingest.replay_presets import DemoPrice
from pricing.books.draft import create_price_book, draft_version
from pricing.books.models import Price, PriceBook, PriceVersion
from pricing.books.open_customer import BEGINNING, open_customer
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.meters.define import define_meter
from pricing.meters.models import Meter
from wallets.accounts.models import Account
from wallets.credit.grant import grant_credit
from wallets.errors import Conflict
from wallets.money import ZERO

CURRENCY: Final = "USD"


class DemoPricesDiffer(Conflict):
    """An earlier replay made the book or the meter with other terms."""

    code = "demo_prices_differ"


@dataclass(slots=True)
class Made:
    """What had to be made, for the summary, and how long that took."""

    meters: list[str] = field(default_factory=list)
    book: str = ""
    accounts: int = 0
    credit: Decimal = ZERO
    seconds: Decimal = ZERO


class ReplaySetup:
    """Makes sure that rows find what they need. prices: none leaves accounts on the default book.

    event_types: of the events to come.  credit: USD granted to each account that is opened, paid.
    """

    def __init__(self, *, name: str, prices: Sequence[DemoPrice], event_types: Sequence[str], credit: Decimal) -> None:
        self.made = Made()
        self._name = f"Replay {name}"
        self._prices = prices
        self._event_types = event_types
        self._credit = credit
        self._book: PriceBook | None = None

    def prepare(self, *, at: datetime) -> None:
        """Make sure of meters and prices. Raises DemoPricesDiffer."""
        if not self._prices:
            return
        with transaction.atomic():
            self._define_meters(at)
            self._book = PriceBook.objects.filter(name=self._name).first() or create_price_book(
                name=self._name, currency=CURRENCY, at=at
            )
            published = PriceVersion.objects.filter(book=self._book, status=PriceVersion.Status.PUBLISHED).order_by(
                "-effective_at"
            )
            version = published.first()
            if version is None:
                drafted = draft_version(book=self._book, prices=self._terms(), at=at, note="Prices of a demonstration")
                publish_version(version=drafted, effective_at=BEGINNING, at=at)
                self.made.book = self._name
            elif not self._same(version):
                raise DemoPricesDiffer(
                    f"The price book {self._name!r} of an earlier replay has other prices; "
                    "give this one another --account-prefix."
                )

    def open_accounts(self, keys: set[str], *, at: datetime) -> None:
        """Open those accounts that do not exist, with a wallet, their prices and credit."""
        started = perf_counter_ns()
        book = None if self._book is None else self._book.public_id
        known = set(Account.objects.filter(key__in=keys).values_list("key", flat=True))
        for key in sorted(keys - known):
            with transaction.atomic():
                customer = open_customer(key=key, name=f"Demo {key}", at=at, currency=CURRENCY, price_book=book)
                if self._credit:
                    grant_credit(
                        wallet_id=customer.wallet.pk,
                        amount=self._credit,
                        kind="paid",
                        at=at,
                        price_paid=self._credit,
                        effective_at=BEGINNING,
                        reason="Credit of a demonstration",
                        source="replay",
                        actor="replay",
                    )
            self.made.accounts += 1
            self.made.credit += self._credit
        self.made.seconds += Decimal(perf_counter_ns() - started).scaleb(-9)

    def _define_meters(self, at: datetime) -> None:
        known = {meter.code: meter for meter in Meter.objects.filter(code__in=[price.meter for price in self._prices])}
        for price in self._prices:
            meter = known.get(price.meter)
            if meter is None:
                define_meter(
                    code=price.meter,
                    event_type=self._event_types[0],
                    aggregation="sum" if price.property else "count",
                    property=price.property,
                    dimensions=["model"] if price.meter.startswith("llm.") else [],
                    at=at,
                )
                self.made.meters.append(price.meter)
            elif meter.event_type not in self._event_types or meter.property != price.property:
                raise DemoPricesDiffer(f"There is a meter {price.meter} that measures {meter.event_type}.{meter.property}.")

    def _terms(self) -> list[PriceTerms]:
        """The prices, and zero for other meters of these event types, so that no event has to wait for a price."""
        priced = {price.meter: price.unit_price for price in self._prices}
        others = Meter.objects.filter(event_type__in=self._event_types, archived_at__isnull=True).exclude(code__in=priced)
        free = dict.fromkeys(others.order_by("code").values_list("code", flat=True), ZERO)
        return [PriceTerms(meter=code, unit_price=price) for code, price in (priced | free).items()]

    def _same(self, version: PriceVersion) -> bool:
        rows = Price.objects.filter(version=version, match={}).values_list("meter__code", "unit_price")
        there = dict(rows)
        return all(there.get(price.meter) == price.unit_price for price in self._prices)
