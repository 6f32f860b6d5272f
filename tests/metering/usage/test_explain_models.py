"""A charge explains itself whatever its price: tiers, what was before, allowances, what a falling price gave back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from metering.ingest.batch import ingest_batch
from metering.ingest.decode import usage_input
from metering.usage.explain import event_pk_of, explain_event
from metering.usage.explanation_text import explanation_text
from pricing.books.draft import create_price_book, draft_version
from pricing.books.price_terms import PriceTerms
from pricing.books.publish import publish_version
from pricing.meters.define import define_meter
from tests.cast import OPENED_AT, Api, Company
from tests.factories.balances import AT
from tests.pricing.books.test_model_fields import FINE
from wallets.accounts.models import User
from wallets.credit.grant import grant_allowance, grant_credit

SINCE = 'version 1 of "List", since 2026-11-01'


@pytest.fixture
def customer(acme: Company) -> Company:
    grant_credit(wallet_id=acme.wallet.pk, amount=D(1_000), kind="paid", at=OPENED_AT)
    return acme


def sell(**price: Any) -> None:
    """Calls, of which an event says how many."""
    define_meter(code="calls", name="Calls", unit="call", event_type="use", aggregation="sum", property="n", at=OPENED_AT)
    book = create_price_book(name="List", currency="USD", at=OPENED_AT, is_default=True)
    version = draft_version(book=book, prices=[PriceTerms(meter="calls", **price)], at=OPENED_AT)
    publish_version(version=version, effective_at=OPENED_AT, at=OPENED_AT)


def use(*quantities: Any) -> None:
    """Events e0, e1, ... of these quantities."""
    for number, quantity in enumerate(quantities):
        said = {"n": quantity, "price": "0.25"}
        event = usage_input(event_id=f"e{number}", event_type="use", account="acme", time=AT, properties=said)
        assert ingest_batch(events=[event], at=AT).rejected == []


def told(event_id: str) -> list[str]:
    """The explanation as text, but for the first line."""
    return explanation_text(explain_event(event_pk=event_pk_of(event_id=event_id))).splitlines()[1:]


def test_tiers_and_what_was_before_them(customer: Company) -> None:
    sell(model="graduated", tiers=FINE["graduated"]["tiers"])
    use(60, "60.5")
    assert told("e1") == [
        f"Calls: 60.5 calls ({SINCE}) = 1.005 USD",
        "    each part at its own tier's price; up to 100: 0.02 USD per call, 5.00 USD once; above 100: 0.01 USD per call",
        "    60 before it in the month",
        "    up to 100: 40 = 0.80 USD",
        "    above: 20.5 = 0.205 USD",
        "    from Paid credit: 1.005 USD",
        "Total 1.005 USD",
    ]


def test_what_a_falling_price_gave_back(customer: Company) -> None:
    sell(model="volume", tiers=FINE["volume"]["tiers"])
    use(100, 1)
    assert told("e1")[2:] == [
        "    100 before it in the month",
        "    above: 101 = 1.01 USD",
        "    up to 100: −100 = −7.00 USD",
        "    to Paid credit: 5.99 USD",
        "    of what e0 had drawn: 5.99 USD",
        "Total −5.99 USD",
    ]


def test_what_an_allowance_covered(customer: Company) -> None:
    sell(unit_price=D("0.01"))
    grant_allowance(
        wallet_id=customer.wallet.pk,
        meter="calls",
        quantity=D(10),
        at=AT,
        expires_at=AT + timedelta(days=1),
        reason="Team plan",
    )
    use(4, 7)
    assert told("e0") == [
        f"Calls: 4 calls, 4 of them from an allowance, 0 x 0.01 USD per call ({SINCE}) = 0.00 USD",
        "    from Team plan: 4 calls",
        "Total 0.00 USD",
    ]
    assert told("e1")[0] == f"Calls: 7 calls, 6 of them from an allowance, 1 x 0.01 USD per call ({SINCE}) = 0.01 USD"
    assert told("e1")[1:3] == ["    from Team plan: 6 calls", "    from Paid credit: 0.01 USD"]


@pytest.mark.parametrize("model", sorted(FINE))
def test_every_model_is_explained_on_the_wire_and_on_the_page(customer: Company, vendor: Api, fiona: User, model: str) -> None:
    sell(model=model, **FINE[model])
    use(7, 150)
    charge = vendor.get("/events/e1?account=acme").json()["charges"][0]
    assert (charge["model"], charge["quantity"], charge["allowance"]) == (model, "150.00", "0.00")
    assert [one["event"] for one in charge["returned"]] == (["e0"] if model == "volume" else [])
    assert charge["unit_price"] is None
    assert (charge["prior_quantity"] is None) == (model == "dynamic")
    page = Client()
    page.force_login(fiona)
    shown = page.get(f"/admin/metering/usageevent/{event_pk_of(event_id='e1')}/change/")
    assert shown.status_code == 200
    assert "free" not in shown.content.decode().split('class="what sum"')[1].split("</div>")[0]
