"""Past usage at a version in the back office: before and after, linked from the version, for those who may look."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing_site.backoffice import simulate as page_module
from metering.simulation.models import STALE, SimulationRun
from metering.simulation.run import ask_for_simulation, read_result, run_simulations
from metering.simulation.simulate import simulate
from pricing.books.draft import draft_version
from pricing.books.models import PriceBook, PriceVersion
from pricing.books.validate import PriceTerms
from tests.factories.shop import NOW, Shop, text_of

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:simulate")


@pytest.fixture
def draft(shop: Shop) -> PriceVersion:
    """Ten times the price, output free."""
    prices = [
        PriceTerms(meter="llm.input_tokens", unit_price=Decimal("0.001"), unit_cost=Decimal("0.000015")),
        PriceTerms(meter="llm.output_tokens", unit_price=Decimal(0)),
    ]
    return draft_version(book=PriceBook.objects.get(), prices=prices, at=NOW, note="Dearer")


def test_before_and_after(draft: PriceVersion, finance: Client, django_assert_num_queries: Any) -> None:
    """acme used 12,000 of input at 0.00001 and 300 of output at 0.0001: 0.15; at the draft 12. It holds 10.05."""
    finance.get(PAGE)
    with django_assert_num_queries(19):
        response = finance.get(PAGE, {"version": draft.public_id})
    page = text_of(response)
    assert response.status_code == 200
    assert "Revenue 12.00 USD was 0.15 USD" in page
    assert "3 charges from hourly sums, 0 rated one by one. 1 events wait for a price" in page
    assert "acme 23 Nov 2026 never −1.95 USD 1 more" in page
    assert "llm.output_tokens 0.03 USD 0.00 USD −0.03 USD -100.0" in page


def test_the_version_links_to_it(draft: PriceVersion, finance: Client) -> None:
    page = finance.get(reverse("admin:pricing_priceversion_change", args=[draft.pk])).content.decode()
    assert f"{PAGE}?version={draft.public_id}" in page


def test_support_may_look_and_customers_may_not(draft: PriceVersion, support: Client, customer: Client) -> None:
    assert support.get(PAGE, {"version": draft.public_id}).status_code == 200
    assert customer.get(PAGE, {"version": draft.public_id}).status_code in {302, 403, 404}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"first_day": "yesterday"}, "Enter a valid date."),
        ({"account": "nobody"}, "There is no account with this key."),
        ({"percent": "-1"}, "greater than or equal to 0"),
        ({"version": "prv_x"}, "Select a valid choice."),
        ({"first_day": "2026-11-23", "last_day": "2026-11-01"}, "to: a time after from."),
        ({"first_day": "2020-01-01"}, "to: at most 400 days after from."),
    ],
)
def test_what_cannot_be_simulated_is_said(draft: PriceVersion, finance: Client, asked: dict[str, str], said: str) -> None:
    response = finance.get(PAGE, {"version": draft.public_id} | asked)
    assert (response.status_code, said in text_of(response)) == (422, True)


def test_many_events_are_left_to_a_worker(shop: Shop, finance: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "MOST_EVENTS", 1)
    prices = [
        PriceTerms(meter=f"llm.{kind}_tokens", unit_price=Decimal("0.00001"), minimum_charge=Decimal(1))
        for kind in ("input", "output")
    ]
    draft = draft_version(book=PriceBook.objects.get(), prices=prices, at=NOW)
    asked = {"version": draft.public_id}
    page = text_of(finance.get(PAGE, asked))
    assert "3 charges have to be rated one by one." in page
    assert "Revenue by" not in page
    assert "Who pays more" not in page
    started = finance.post(PAGE, asked)
    assert started.status_code == 302
    waiting = finance.get(started["Location"])
    assert "It starts as soon as a worker is free." in text_of(waiting)
    assert waiting["Refresh"] == "2"
    assert run_simulations(now=lambda: NOW) == 1
    done = finance.get(started["Location"])
    assert "Revenue 3.00 USD" in text_of(done)
    assert "3 rated one by one" in text_of(done)
    assert "Refresh" not in done


def test_a_run_tells_how_far_it_is_and_is_taken_up_when_its_worker_dies(draft: PriceVersion, finance: Client) -> None:
    run = ask_for_simulation(
        version_id=draft.public_id, from_=NOW - timedelta(days=1), to=NOW + timedelta(hours=1), at=NOW, actor="fiona"
    )
    SimulationRun.objects.filter(pk=run.pk).update(state="RUNNING", done=25_000, total=100_000, heard_at=NOW)
    page = finance.get(PAGE, {"run": run.public_id, "percent": "x"})
    assert "25,000 of 100,000 charges rated." in text_of(page)
    assert 'value="25"' in page.content.decode()
    assert run_simulations(now=lambda: NOW) == 0  # somebody is at it
    assert run_simulations(now=lambda: NOW + STALE + timedelta(seconds=1)) == 1
    run.refresh_from_db()
    assert read_result(run) == simulate(version_id=draft.public_id, from_=run.start, to=run.end)


def test_a_run_that_is_not_there_is_not_found(shop: Shop, finance: Client) -> None:
    assert finance.get(PAGE, {"run": "sim_x"}).status_code == 404
