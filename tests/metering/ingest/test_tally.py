"""Received = rated + parked + duplicate + rejected, whatever was sent (I4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import Sum

from metering.ingest.models import IngestTally
from metering.ingest.proofs import nothing_received_is_lost
from tests.cast import Api, Company
from tests.factories.tampering import tamper
from tests.factories.usage import open_prices, price_list

pytestmark = pytest.mark.django_db

FIGURES = ("received", "rated", "parked", "duplicates", "rejected")


def tally() -> tuple[int, ...]:
    sums = IngestTally.objects.aggregate(**{name: Sum(name, default=0) for name in FIGURES})
    return tuple(sums[name] for name in FIGURES)


def sent(event_id: str, **other: Any) -> dict[str, Any]:
    return {"id": event_id, "type": "llm.request", "account": "acme", "properties": {"tokens": 5}} | other


def test_every_event_of_a_request_is_counted_once(vendor: Api, acme: Company, books_hold: None) -> None:
    open_prices()
    vendor.post("/events", [sent("a"), sent("b")])
    body = [
        sent("b"),  # a duplicate
        sent("c", account="nobody"),  # no such account
        sent("d", type="unheard.of"),  # no such type
        sent("e", properties={"tokens": -1}),  # cannot be measured
        {"id": 7},  # cannot be read
        sent("f"),
    ]
    answer = vendor.post("/events", body).json()
    assert (answer["accepted"], answer["duplicates"], len(answer["rejected"])) == (1, 1, 4)
    assert tally() == (8, 3, 0, 1, 4)


def test_what_waits_for_a_price_is_parked(vendor: Api, acme: Company, books_hold: None) -> None:
    open_prices()
    price_list(currency="EUR", is_default=False)
    acme.wallet.account.price_book_assignments.all().delete()
    answer = vendor.post("/events", sent("a", type="ping", properties={})).json()
    assert answer["accepted"] == 1
    assert sum(tally()[1:]) == tally()[0] == 1


def test_the_database_refuses_a_tally_that_loses_something(vendor: Api, acme: Company) -> None:
    open_prices()
    vendor.post("/events", sent("a"))
    with pytest.raises(DatabaseError, match="tally_loses_nothing"), transaction.atomic():
        IngestTally.objects.update(rejected=5)


def test_an_event_that_nobody_counted_is_named(vendor: Api, acme: Company) -> None:
    open_prices()
    vendor.post("/events", [sent("a"), sent("b")])
    assert nothing_received_is_lost().holds
    tamper("metering_ingesttally", "UPDATE metering_ingesttally SET rated = rated - 1, received = received - 1")
    (offender,) = nothing_received_is_lost().offenders
    assert "2 events stand, 1 were rated" in offender
