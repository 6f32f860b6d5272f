"""Plans that block when their units are used up: the gate and holds refuse, while there is money in the wallet."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from pricing.books.draft import create_price_book, draft_version
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.plans.queries import blocked_meters
from pricing.plans.subscribe import subscribe
from tests.cast import OPENED_AT, Api, Company
from tests.factories.plans import TEN, meter, plan_of, use_units
from wallets import clock
from wallets.credit.grant import grant_credit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]

CALL = {"account": "acme", "type": "calls", "properties": {}}
UNITS = {"account": "acme", "meter": "calls", "units": "5", "ttl_seconds": 60}


@pytest.fixture(autouse=True)
def _prices(acme: Company) -> None:
    """A call costs 0.10; acme has 100."""
    meter("calls", at=OPENED_AT)
    book = create_price_book(name="List", currency="USD", is_default=True, at=OPENED_AT)
    version = draft_version(book=book, prices=[PriceTerms(meter="calls", unit_price=TEN / 100)], at=OPENED_AT)
    publish_version(version=version, effective_at=OPENED_AT, at=OPENED_AT)
    grant_credit(wallet_id=acme.wallet.pk, amount=TEN * 10, kind="paid", at=OPENED_AT)


def said(api: Api, body: dict[str, Any], path: str = "/authorize") -> tuple[int, str | None]:
    answer = api.post(path, body)
    return answer.status_code, answer.json().get("reason")


@pytest.mark.parametrize(
    ("on_exhaustion", "authorized", "held"),
    [("block", (200, "allowance_exhausted"), (402, "allowance_exhausted")), ("overage", (200, None), (201, None))],
)
def test_when_the_units_are_used_up(acme: Company, vendor: Api, on_exhaustion: str, authorized: Any, held: Any) -> None:
    plan = plan_of("pro", calls="10", on_exhaustion=on_exhaustion, at=OPENED_AT)
    subscribe(account=acme.account, plan=plan, at=clock.now())
    use_units(acme.wallet, "9", at=clock.now())
    assert said(vendor, CALL) == (200, None)  # one unit is left
    use_units(acme.wallet, "1", at=clock.now())
    assert said(vendor, CALL) == authorized
    assert said(vendor, {"account": "acme", "amount": "1"}) == (200, None)  # an amount names no meter
    assert said(vendor, {**CALL, "ttl_seconds": 60}, "/holds") == held
    assert said(vendor, UNITS, "/holds") == held


def test_an_account_without_such_a_plan_costs_one_query(
    acme: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert blocked_meters(account_id=acme.account.pk, at=clock.now()) == frozenset()
