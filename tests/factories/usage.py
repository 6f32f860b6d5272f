"""A small price list and events for it, for the tests of ingest.

| meter | counts | USD a unit | costs us |
| --- | --- | --- | --- |
| calls | each `llm.request` | 0.0001 | 0 |
| tokens | `tokens` of each `llm.request`, by model and region | 0.000003; gpt-5: 0.00001 | 0.000001; gpt-5: 0.000004 |
| pings | each `ping` | nothing | 0 |
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from metering.ingest.decode import UsageInput, usage_input
from pricing.books.draft import create_price_book, draft_version
from pricing.books.models import PriceBook
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.meters.define import define_meter
from tests.cast import OPENED_AT
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit

AT: Final = OPENED_AT + timedelta(days=40, hours=10)
LONG_AGO: Final = OPENED_AT - timedelta(days=400)
CALL: Final = Decimal("0.0001")
TOKEN: Final = Decimal("0.000003")
GPT_5_TOKEN: Final = Decimal("0.00001")


def prices(*, times: str = "1", meters: tuple[str, ...] = ("calls", "tokens", "pings")) -> list[PriceTerms]:
    """The prices of the list, each `times` as high."""
    listed = [
        PriceTerms(meter="calls", unit_price=CALL),
        PriceTerms(meter="tokens", unit_price=TOKEN, unit_cost=Decimal("0.000001")),
        PriceTerms(meter="tokens", match={"model": "gpt-5"}, unit_price=GPT_5_TOKEN, unit_cost=Decimal("0.000004")),
        PriceTerms(meter="pings", unit_price=Decimal(0)),
    ]
    return [
        PriceTerms(
            meter=price.meter, match=price.match, unit_price=(price.unit_price or 0) * Decimal(times), unit_cost=price.unit_cost
        )
        for price in listed
        if price.meter in meters
    ]


def define_meters(at: datetime = LONG_AGO) -> None:
    """The meters of the list."""
    define_meter(code="calls", event_type="llm.request", aggregation="count", at=at)
    define_meter(
        code="tokens", event_type="llm.request", aggregation="sum", property="tokens", dimensions=["model", "region"], at=at
    )
    define_meter(code="pings", event_type="ping", aggregation="count", at=at)


def price_list(*, currency: str = "USD", is_default: bool = True, times: str = "1", since: datetime = LONG_AGO) -> PriceBook:
    """The list as a price book in force since `since`; its meters must be there."""
    book = create_price_book(name=f"List {currency}", currency=currency, at=since, is_default=is_default)
    publish(book, effective_at=since, times=times)
    return book


def publish(book: PriceBook, *, effective_at: datetime, times: str) -> None:
    """A further version of the list."""
    version = draft_version(book=book, prices=prices(times=times), at=effective_at)
    publish_version(version=version, effective_at=effective_at, at=effective_at)


def open_prices() -> PriceBook:
    """Meters and the default book."""
    define_meters()
    return price_list()


def event(
    event_id: str,
    tokens: Any = 1,
    /,
    *,
    account: str = "acme",
    event_type: str = "llm.request",
    time: datetime | None = AT,
    properties: Mapping[str, Any] | None = None,
) -> UsageInput:
    """An event; `tokens` are left out when None."""
    counted = {} if tokens is None else {"tokens": tokens}
    return usage_input(
        event_id=event_id, event_type=event_type, account=account, time=time, properties={**counted, **(properties or {})}
    )


def credit(wallet: Wallet, amount: str, **terms: Any) -> None:
    """Paid credit from the opening on, unless terms say otherwise."""
    grant_credit(
        wallet_id=wallet.pk, amount=Decimal(amount), kind=terms.pop("kind", "paid"), at=terms.pop("at", OPENED_AT), **terms
    )
