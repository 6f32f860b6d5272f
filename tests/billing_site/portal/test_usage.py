"""The usage explorer: chart, table, events and CSV say the same, and add up to what was charged."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db.models import Sum
from django.test import Client
from django.urls import reverse

from metering.usage.models import Charge
from tests.factories.balances import AT
from tests.factories.events import send
from tests.factories.shop import Shop, text_of

pytestmark = pytest.mark.django_db

USAGE = reverse("portal:usage", args=["acme"])
EVENTS = reverse("portal:usage_events", args=["acme"])
CSV = reverse("portal:usage_csv", args=["acme"])


@pytest.fixture(autouse=True)
def _more_usage(shop: Shop) -> None:
    """Two users at two hours; a user's name that a spreadsheet would compute."""
    wallet = shop.acme.wallet
    send(wallet, ("u1", {"input_tokens": 4000, "user": "ada", "api_key": "prod"}), at=AT + timedelta(minutes=90))
    send(wallet, ("u2", {"input_tokens": 3000, "output_tokens": 10, "user": "=bob", "api_key": "prod"}))


def charged() -> D:
    return Charge.objects.filter(wallet__account__key="acme").aggregate(total=Sum("amount"))["total"]


def shown(client: Client, **asked: str) -> Any:
    response = client.get(USAGE, asked)
    assert response.status_code == 200
    return response.context["page"]


@pytest.mark.parametrize("by", ["meter", "model", "user", "api_key", "nothing_has_it"])
@pytest.mark.parametrize("span", ["day", "week", "month", "quarter"])
def test_chart_table_and_charges_add_up_to_the_same(customer: Client, by: str, span: str) -> None:
    page = shown(customer, by=by, span=span)
    since = page.asked.cut.start
    expected = Charge.objects.filter(event__time__gte=since).aggregate(total=Sum("amount"))["total"]
    assert sum(row.amount for row in page.rows) == page.total == expected
    assert sum(D(bar.count) for bar in page.chart.bars) == page.charges


def test_a_row_opens_into_its_events_and_an_event_into_its_explanation(customer: Client) -> None:
    page = shown(customer, by="user")
    row = next(row for row in page.rows if row.name == "ada")
    events = customer.get(f"{EVENTS}?{row.events}")
    assert [event.event_id for event in events.context["page"].events] == ["u1"]
    pk = events.context["page"].events[0].pk
    assert "u1" in text_of(customer.get(reverse("portal:charge", args=[pk])))
    none = next(row for row in page.rows if row.name == "none")
    named = [event.event_id for event in customer.get(f"{EVENTS}?{none.events}").context["page"].events]
    assert set(named) == {"req_1", "req_2", "req_void"}


def test_the_csv_has_every_charge_and_no_formula(customer: Client) -> None:
    response = customer.get(CSV, {"by": "user"})
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert sum(D(row["amount"]) for row in rows) == charged()
    assert {row["user"] for row in rows} == {"", "ada", "'=bob"}


@pytest.mark.parametrize("grain", ["", "hour", "day", "month"])
def test_what_is_shown_is_the_same_as_a_file(customer: Client, grain: str) -> None:
    asked = {"by": "user", "span": "week", "grain": grain}
    page = shown(customer, **asked)
    assert page.asked.granularity == (grain or "day")
    response = customer.get(f"{USAGE}?{page.shown_as_csv}")
    assert response["Content-Disposition"].startswith('attachment; filename="usage-by-user-acme-')
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    by_value: dict[str, D] = {}
    for row in rows:
        by_value[row["value"] or "none"] = by_value.get(row["value"] or "none", D(0)) + D(row["amount"])
    assert by_value == {row.name.replace("=bob", "'=bob"): row.amount for row in page.rows}
    assert sum(int(row["charges"]) for row in rows) == page.charges


def test_a_quarter_by_the_hour_is_too_much(customer: Client) -> None:
    page = shown(customer, span="quarter", grain="hour")
    assert page.asked.granularity == "day"
    assert page.problem == "By the hour at most 15 days can be shown."
    assert page.rows


def test_one_meter_shows_its_quantity(customer: Client) -> None:
    page = shown(customer, meter="llm.output_tokens", by="model")
    assert [(row.name, row.quantity) for row in page.rows] == [("gpt-5", D(310))]


def test_days_that_cannot_be_are_said_so(customer: Client) -> None:
    page = text_of(customer.get(USAGE, {"since": "2026-11-20", "until": "2026-11-01"}))
    assert "Choose a first and a last day, at most 400 days apart." in page


def test_too_many_events_to_tell_apart_are_not_read(customer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metering.usage.explore.MOST_READ", 2)
    assert "There are too many events in this time to tell them apart by User." in text_of(customer.get(USAGE, {"by": "user"}))
    assert shown(customer, by="model").rows  # in the roll-ups


def test_it_takes_few_queries(customer: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(14):
        customer.get(USAGE, {"by": "user"})
    with django_assert_max_num_queries(12):
        customer.get(EVENTS)


@pytest.mark.parametrize("address", [USAGE, EVENTS, CSV])
def test_a_stranger_sees_nothing(address: str, stranger: Client) -> None:
    assert stranger.get(address).status_code == 404
