"""What waits for a price is worth what it would cost now, or what its like came to lately, or nobody knows."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from metering.ingest.batch import ingest_batch
from metering.ingest.dead_letter_value import Worth, estimate_worth
from metering.ingest.dead_letters import dead_letters_waiting
from tests.factories.balances import wallet_of
from tests.factories.usage import AT, LONG_AGO, define_meters, event, price_list, publish

pytestmark = pytest.mark.django_db


def test_at_the_price_in_force_now() -> None:
    define_meters()
    wallet_of("acme", at=LONG_AGO)
    ingest_batch(events=[event("early", 100, time=AT - timedelta(days=3))], at=AT - timedelta(days=2))
    price_list(since=AT - timedelta(days=1))
    (letter,) = dead_letters_waiting()
    # 100 tokens at 0.000003 and a call at 0.0001
    assert estimate_worth([letter], at=AT) == {letter.pk: Worth(D("0.0004"), "USD", "price")}


def test_by_what_its_like_came_to_lately_and_else_unknown() -> None:
    define_meters()
    book = price_list()
    publish(book, effective_at=AT - timedelta(days=1), times="2")
    wallet_of("acme", at=LONG_AGO)
    before = LONG_AGO - timedelta(days=2)  # no price was in force
    ingest_batch(events=[event("none", None, time=LONG_AGO - timedelta(days=1))], at=AT)
    (letter,) = dead_letters_waiting()
    assert estimate_worth([letter], at=before) == {}
    ingest_batch(events=[event("paid", 100)], at=AT)
    # 100 tokens at 0.000006 and a call at 0.0002
    assert estimate_worth([letter], at=before) == {letter.pk: Worth(D("0.0008"), "USD", "mean")}
