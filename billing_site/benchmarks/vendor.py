"""The vendor a benchmark measures on: meters, prices, accounts with credit, and events to send. All from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import transaction

from pricing.books.assign import assign_price_book
from pricing.books.draft import create_price_book, draft_version
from pricing.books.models import PriceBook
from pricing.books.price_terms import PriceTerms, TierTerms
from pricing.books.publish import publish_version
from pricing.meters.define import define_meter
from wallets.accounts.models import Account
from wallets.accounts.open import open_account
from wallets.api_keys.issue import issue_api_key
from wallets.balances.open import open_wallet
from wallets.credit.grant import grant_credit

MODELS: Final = ("gpt-5", "gpt-5-mini", "claude-sonnet-4-5")
EVENT_TYPE: Final = "llm.request"


@dataclass(frozen=True)
class Vendor:
    """What was set up: the accounts' keys and an API key."""

    accounts: list[str]
    api_key: str


def set_vendor_up(*, accounts: int, at: datetime, prefix: str = "acct") -> Vendor:
    """Two meters (input and output tokens, by model and endpoint), a price each for three models, and accounts that hold a
    promotional and a paid lot each."""
    with transaction.atomic():
        for name in ("input_tokens", "output_tokens"):
            define_meter(
                code=f"llm.{name}",
                event_type=EVENT_TYPE,
                aggregation="sum",
                property=name,
                dimensions=["model", "endpoint"],
                at=at,
            )
        book = create_price_book(name="Benchmark", currency="USD", at=at - timedelta(days=1), is_default=True)
        prices = [
            PriceTerms(meter=f"llm.{name}", match={"model": model}, unit_price=Decimal(price), unit_cost=Decimal(price) / 2)
            for name, price in (("input_tokens", "0.00000125"), ("output_tokens", "0.00001"))
            for model in MODELS
        ]
        _publish(book, prices, at=at - timedelta(days=1))
    keys = [f"{prefix}-{number:04d}" for number in range(accounts)]
    open_accounts(keys, at=at - timedelta(days=1))
    issued = issue_api_key(name="benchmark", scopes=["events:write", "gate:check"], at=at)
    return Vendor(keys, issued.secret)


def set_tiers_up(vendor: Vendor, *, at: datetime) -> Vendor:
    """As many accounts again, that pay tiers (graduated) for output tokens: half of the meters."""
    since = at - timedelta(days=1)
    keys = [f"tiered-{number:04d}" for number in range(len(vendor.accounts))]
    open_accounts(keys, at=since)
    tiers = [
        TierTerms(up_to=Decimal(100_000), unit_price=Decimal("0.00001")),
        TierTerms(up_to=Decimal(10_000_000), unit_price=Decimal("0.000009")),
        TierTerms(unit_price=Decimal("0.000008")),
    ]
    with transaction.atomic():
        book = create_price_book(name="Benchmark with tiers", currency="USD", at=since)
        flat = [
            PriceTerms(meter="llm.input_tokens", match={"model": model}, unit_price=Decimal("0.00000125")) for model in MODELS
        ]
        tiered = [
            PriceTerms(meter="llm.output_tokens", match={"model": model}, model="graduated", tiers=tiers) for model in MODELS
        ]
        _publish(book, [*flat, *tiered], at=since)
        for account in Account.objects.filter(key__in=keys).order_by("id"):
            assign_price_book(account=account, book=book, effective_at=since, at=since)
    return Vendor(keys, vendor.api_key)


def _publish(book: PriceBook, prices: Sequence[PriceTerms], *, at: datetime) -> None:
    publish_version(version=draft_version(book=book, prices=prices, at=at), effective_at=at, at=at)


def open_accounts(keys: list[str], *, at: datetime) -> None:
    """Accounts with a promotional and a paid lot each."""
    for key in keys:
        with transaction.atomic():
            wallet = open_wallet(account=open_account(key=key, name=key, at=at), currency="USD", at=at)
            grant_credit(wallet_id=wallet.pk, amount=Decimal(5), kind="promotional", at=at)
            grant_credit(wallet_id=wallet.pk, amount=Decimal(1_000_000), kind="paid", at=at)


def bodies(vendor: Vendor, *, name: str, events: int, size: int, at: datetime) -> Iterator[bytes]:
    """Request bodies of `size` events each, `events` in all, ids unique by `name`, spread evenly by chance over the accounts
    and the minute before `at`; an account mostly uses one model, every tenth event another. The same seed each time."""
    chance = random.Random(7)  # noqa: S311 - not a secret
    start = at - timedelta(minutes=1)
    for first in range(0, events, size):
        rows = []
        for number in range(first, min(first + size, events)):
            time = start + timedelta(milliseconds=chance.randrange(60_000))
            account = chance.randrange(len(vendor.accounts))
            model = MODELS[(account + (chance.randrange(10) == 0)) % len(MODELS)]
            rows.append(
                f'{{"id":"{name}-{number:08d}","type":"{EVENT_TYPE}","account":"{vendor.accounts[account]}",'
                f'"time":"{time.isoformat(timespec="milliseconds")}","properties":{{"model":"{model}",'
                f'"endpoint":"/v1/chat/completions","input_tokens":{chance.randrange(1, 4000)},'
                f'"output_tokens":{chance.randrange(1, 900)},"api_key":"prod-1","user":"u_{chance.randrange(100)}"}}}}'
            )
        yield f"[{','.join(rows)}]".encode()
