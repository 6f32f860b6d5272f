"""A small day of business, for the tests of pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.http import HttpResponse
from django.test import Client

from metering.usage.void import void_event
from tests.cast import Company
from tests.factories.balances import AT
from tests.factories.events import event_pk, send
from tests.factories.prices import llm_prices
from wallets.accounts.models import User
from wallets.credit.grant import grant_credit

NOW: Final[datetime] = AT + timedelta(hours=2)


@dataclass(frozen=True)
class Shop:
    """acme has credit, has used some, had an event voided and has one that waits for a price; globex has nothing."""

    acme: Company
    globex: Company


def open_shop(acme: Company, globex: Company) -> Shop:
    """A day of business at AT."""
    llm_prices(input_tokens="0.00001", output_tokens="0.0001")
    wallet = acme.wallet
    grant_credit(wallet_id=wallet.pk, amount=Decimal(10), kind="paid", at=AT, reason="Wire transfer")
    grant_credit(
        wallet_id=wallet.pk, amount=Decimal("0.05"), kind="promotional", at=AT, priority=10, reason="Welcome credit",
        expires_at=AT + timedelta(days=10),
    )  # fmt: skip
    send(wallet, ("req_1", {"input_tokens": 4000, "output_tokens": 300}), ("req_2", {"input_tokens": 8000}))
    send(wallet, ("req_void", {"input_tokens": 1000}), ("req_parked", {"model": "gpt-6", "input_tokens": 1}))
    void_event(event_pk=event_pk("req_void"), at=AT, reason="Sent twice", actor="fiona@vendor.example")
    return Shop(acme, globex)


def text_of(response: HttpResponse) -> str:
    """What a page says: without markup, spaces folded."""
    inline = re.sub(r"</?(?:span|data|strong|a|b|time|code)\b[^>]*>", "", response.content.decode())
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", inline))


def browser_of(user: User) -> Client:
    """A browser in which this person is signed in."""
    client = Client()
    client.force_login(user)
    return client
