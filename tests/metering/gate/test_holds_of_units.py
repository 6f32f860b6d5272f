"""What a slice of units costs is what its report will be charged: tiers, what was used before, allowances, minima."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D
from typing import Any

import pytest

from metering.gate.holds import hold_units, renew_units
from metering.ingest.batch import ingest_batch
from metering.ingest.decode import usage_input
from pricing.books.draft import create_price_book, draft_version
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.meters.define import define_meter
from pricing.rating.explanation import Tier
from tests.factories.balances import AT, wallet_of
from tests.factories.holds import figures, later
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_allowance
from wallets.holds.models import Hold
from wallets.holds.place import Work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

TIERS = (Tier(D(100), D("0.01"), D(0), D(0)), Tier(None, D("0.001"), D(0), D(0)))


@pytest.fixture(params=["count", "sum"])
def meter(request: pytest.FixtureRequest) -> Iterator[str]:
    """A meter that counts calls, and one that sums what each says."""
    define_meter(
        code="work", event_type="work", aggregation=request.param, property="n" if request.param == "sum" else "", at=AT
    )
    return request.param


def priced(**terms: Any) -> Wallet:
    """A wallet with 2.00 and this price."""
    book = create_price_book(name="List", currency="USD", at=AT, is_default=True)
    version = draft_version(book=book, prices=[PriceTerms(meter="work", **terms)], at=AT)
    publish_version(version=version, effective_at=AT, at=AT)
    return wallet_of("acme", credit="2")


def grant(wallet: Wallet, units: str) -> Hold:
    return hold_units(
        account=wallet.account, meter_code="work", units=D(units), properties={}, ttl_seconds=60, at=AT, work=Work()
    )


def renew(hold: Hold, used: str, units: str) -> Hold:
    return renew_units(hold=Hold.objects.get(pk=hold.pk), used=D(used), at=later(1), units=D(units)).hold


def test_a_slice_goes_on_in_the_tier_where_the_last_one_ended(meter: str) -> None:
    wallet = priced(model="graduated", tiers=TIERS)
    hold = grant(wallet, "60")
    assert hold.amount == D("0.60")
    hold = renew(hold, used="60", units="1000")
    assert (hold.granted, hold.amount) == (D(1000), D("0.40") + D("0.96"))
    hold = renew(hold, used="1000", units="100")
    assert (hold.captured, hold.granted, hold.amount, hold.is_final) == (D("1.96"), D(40), D("0.04"), True)
    assert figures(wallet) == ("0.04", "0.04", "0")


def test_units_that_an_allowance_covers_cost_nothing(meter: str) -> None:
    wallet = priced(unit_price=D("0.01"))
    grant_allowance(wallet_id=wallet.pk, meter="work", quantity=D(50), at=AT)
    hold = grant(wallet, "80")
    assert hold.amount == D("0.30")
    hold = renew(hold, used="70", units="10")
    assert (hold.captured, hold.amount) == (D("0.20"), D("0.10"))


def test_a_price_that_falls_gives_back_and_the_hold_says_zero(meter: str) -> None:
    wallet = priced(model="volume", tiers=TIERS)
    hold = renew(grant(wallet, "100"), used="100", units="1000")
    assert (hold.captured, hold.amount) == (D(1), D("0.10"))
    hold = renew(hold, used="100", units="0")
    assert hold.captured == D(1)
    assert figures(wallet) == ("1.8", "0", "1.8")


def test_a_minimum_is_due_for_each_event() -> None:
    define_meter(code="work", event_type="work", aggregation="count", at=AT)
    wallet = priced(unit_price=D("0.001"), minimum_charge=D("0.01"))
    hold = grant(wallet, "500")
    assert (hold.granted, hold.amount, hold.is_final) == (D(200), D(2), True)
    assert renew(hold, used="200", units="0").captured == D(2)


def test_usage_beside_the_slice_is_seen_by_the_next(meter: str) -> None:
    wallet = priced(model="graduated", tiers=TIERS)
    hold = grant(wallet, "10")
    others = [usage_input(event_id=f"e{n}", event_type="work", account="acme", time=AT, properties={"n": 1}) for n in range(90)]
    ingest_batch(events=others, at=AT)
    hold = renew(hold, used="10", units="10")
    assert (hold.captured, hold.amount) == (D("0.10"), D("0.01"))
