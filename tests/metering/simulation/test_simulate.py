"""Past usage at a version: at the one that was in force it costs what was charged, whichever way it is added up."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db.models import Sum

from metering.ingest.batch import ingest_batch
from metering.rerating.rerate import continue_rerate, start_rerate
from metering.rerating.window import Window
from metering.simulation.result import Simulation
from metering.simulation.simulate import TooManyEvents, simulate
from metering.usage.models import HourlyUsage
from metering.usage.void import void_event
from pricing.books.draft import draft_version
from pricing.books.models import PriceBook, PriceVersion
from pricing.books.price_terms import PriceTerms as StatedTerms
from pricing.books.publish import publish_version
from pricing.rating.explanation import Percentage, PriceTerms, Tier
from tests.factories.balances import AT, wallet_of
from tests.factories.events import event_pk
from tests.factories.priced import sell, stated, work
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_allowance, grant_credit
from wallets.errors import InvalidInput, NotFound

pytestmark = pytest.mark.django_db

LAST_MONTH = datetime(2026, 10, 20, 10, 30, tzinfo=AT.tzinfo)
START, END = datetime(2026, 10, 1, tzinfo=AT.tzinfo), AT + timedelta(hours=1)
TIERS = (Tier(D(10), D("0.5"), D(1)), Tier(None, D("0.333333333333")))


def price(model: str, **fields: Any) -> PriceTerms:
    return PriceTerms(1, model, fields.pop("unit_price", D(0)), D("0.1"), **fields)


MODELS = {
    "per_unit": price("per_unit", unit_price=D("0.25")),
    "per_unit to the last decimal": price("per_unit", unit_price=D("0.333333333333")),
    "per_unit with free units": price("per_unit", unit_price=D("0.25"), free_units=D(3)),
    "per_unit with a minimum": price("per_unit", unit_price=D("0.25"), minimum_charge=D(1)),
    "package": price("package", package_size=D(4), package_price=D("1.5")),
    "graduated": price("graduated", tiers=TIERS),
    "graduated with a minimum": price("graduated", tiers=TIERS, minimum_charge=D(2)),
    "volume": price("volume", tiers=TIERS),
    "stairstep": price("stairstep", tiers=(Tier(D(10), D(0), D(3)), Tier(None, D(0), D(9)))),
    "percentage": price("percentage", percentage=Percentage(D("2.9"), D("0.3"), 2, None)),
    "graduated_percentage": price(
        "graduated_percentage", tiers=(Tier(D(10), D(0), D(0), D(5)), Tier(None, D(0), D(0), D("2.5")))
    ),
    "dynamic": price("dynamic", price_property="price"),
}
FROM_EVENTS = {"per_unit with a minimum", "graduated with a minimum", "percentage", "dynamic"}


def use(wallet: Wallet) -> None:
    """Some of it last month, one event of it voided, and late ones."""
    key = wallet.account.key
    for number, (n, time) in enumerate(
        [("4", LAST_MONTH), ("9.5", LAST_MONTH), ("7.333333333333", AT), ("2", LAST_MONTH + timedelta(hours=3)), ("6", AT)]
    ):
        event = work(f"{key}{number}", D(n), account=key, time=time, price="0.7", model="a" if number % 2 else "b")
        assert ingest_batch(events=[event], at=AT).accepted == 1
    assert ingest_batch(events=[work(f"{key}-void", D(5), account=key, time=AT, price="0.7")], at=AT).accepted == 1
    void_event(event_pk=event_pk(f"{key}-void"), at=AT)


def live() -> PriceVersion:
    return PriceVersion.objects.get(status=PriceVersion.Status.PUBLISHED)


def at_version(version: PriceVersion | None = None, **more: Any) -> Simulation:
    return simulate(version_id=(version or live()).public_id, from_=more.pop("from_", START), to=more.pop("to", END), **more)


def charged() -> D:
    total: D = HourlyUsage.objects.aggregate(total=Sum("amount"))["total"]
    return total


@pytest.mark.parametrize("name", MODELS)
def test_the_live_version_costs_what_was_charged(name: str) -> None:
    sell(MODELS[name])
    use(wallet_of("acme", credit="50"))
    found = at_version()
    (total,) = found.totals
    assert total.before == total.after
    assert total.before.revenue == charged() > 0
    assert found.by_meter[0].name == "work"
    assert found.by_account[0].difference == 0
    assert all(row.difference == 0 for _, row in found.by_day)
    assert (found.from_events > 0) == (name in FROM_EVENTS)
    assert (found.unpriced, found.ran_empty) == (0, ())


@pytest.mark.parametrize("name", sorted(MODELS.keys() - FROM_EVENTS))
def test_hours_and_events_say_the_same(name: str) -> None:
    """An allowance of a meter, though it covered nothing, has its usage rated event by event."""
    sell(price("per_unit", unit_price=D("0.1")))
    wallet = wallet_of("acme", credit="50")
    use(wallet)
    draft = draft_version(book=PriceBook.objects.get(), prices=[stated("work", MODELS[name])], at=AT)
    from_hours = at_version(draft)
    grant_allowance(wallet_id=wallet.pk, meter="work", quantity=D(1), at=AT)
    from_events = at_version(draft)
    assert (from_hours.from_events, from_events.from_hours) == (0, 0)
    assert from_hours.totals == from_events.totals
    assert from_hours.by_day == from_events.by_day
    assert from_hours.totals[0].difference != 0


@pytest.mark.parametrize("aggregation", ["max", "unique", "latest"])
def test_every_aggregation(aggregation: str) -> None:
    sell(MODELS["graduated"], aggregation=aggregation)
    use(wallet_of("acme", credit="50"))
    (total,) = at_version().totals
    assert total.before == total.after
    assert total.before.revenue == charged() > 0


def test_what_an_allowance_covered_stays_covered() -> None:
    sell(MODELS["graduated"])
    wallet = wallet_of("acme", credit="50")
    grant_allowance(wallet_id=wallet.pk, meter="work", quantity=D(12), at=LAST_MONTH - timedelta(days=1))
    use(wallet)
    (total,) = at_version().totals
    assert total.before == total.after
    assert total.before.revenue == charged() > 0


def test_a_window_begins_where_the_month_stands() -> None:
    """4 + 9.5 are used on 20 October; what comes after them is in the second tier, at 0.333333333333."""
    sell(MODELS["graduated"])
    use(wallet_of("acme", credit="50"))
    window = {"from_": LAST_MONTH.replace(hour=13, minute=0), "to": LAST_MONTH.replace(hour=14, minute=0)}
    (total,) = at_version(**window).totals
    assert total.after.revenue == D("0.666666666666")


def test_what_hours_do_not_say_is_looked_up_in_events() -> None:
    """A price asks for a model, and the meter is not reported by it."""
    sell(MODELS["per_unit"])
    wallet_of("acme", credit="50")
    ingest_batch(events=[work(f"e{n}", 8, model="a" if n % 2 else "b") for n in range(4)], at=AT)
    meter = live().prices.get().meter
    assert meter.dimensions == []
    priced = [
        StatedTerms(meter="work", unit_price=D(2)),
        StatedTerms(meter="work", unit_price=D(3), match={"model": "a"}),
    ]
    found = at_version(draft_version(book=PriceBook.objects.get(), prices=priced, at=AT))
    assert found.totals[0].after.revenue == 2 * 8 * 2 + 2 * 8 * 3
    assert (found.from_hours, found.from_events) == (0, 4)


def test_who_pays_more_who_runs_empty_and_how_many_recharges_more() -> None:
    """0.25 a unit: acme spends 20 of 30 on 20 October and 5 on the 23rd of November. At 0.5 it is at -10 on the first day
    with 30 paid once, so one recharge more; then another 30 come, and it stays above."""
    sell(MODELS["per_unit"])
    before = LAST_MONTH - timedelta(days=2)
    acme, globex = wallet_of("acme", at=before), wallet_of("globex", credit="1000", at=before)
    grant_credit(wallet_id=acme.pk, amount=D(30), kind="paid", at=before)
    ingest_batch(events=[work("a", 80, time=LAST_MONTH), work("g", 4, account="globex", time=LAST_MONTH)], at=LAST_MONTH)
    grant_credit(wallet_id=acme.pk, amount=D(30), kind="paid", at=AT)
    ingest_batch(events=[work("b", 20)], at=AT)
    dear = draft_version(book=PriceBook.objects.get(), prices=[StatedTerms(meter="work", unit_price=D("0.5"))], at=AT)
    found = at_version(dear)
    (one,) = found.ran_empty
    assert (one.account, one.day, one.before, one.lowest, one.recharges) == ("acme", date(2026, 10, 20), None, D(-10), 1)
    assert [row.name for row in found.dearer(D(99))] == ["acme", "globex"]
    assert found.dearer(D(100)) == []
    assert found.recharges == 1
    only = at_version(dear, account=globex.account)
    assert [row.name for row in only.by_account] == ["globex"]
    assert only.ran_empty == ()


def test_usage_without_a_price_and_events_that_wait_are_told() -> None:
    sell(MODELS["per_unit"])
    use(wallet_of("acme", credit="50"))
    ingest_batch(events=[work("parked", None)], at=AT)
    priced = [StatedTerms(meter="work", unit_price=D(1), match={"model": "a"})]
    found = at_version(draft_version(book=PriceBook.objects.get(), prices=priced, at=AT))
    assert (found.unpriced, found.waiting) == (3, 1)
    assert found.totals[0].after.revenue == D("9.5") + D(2)


def test_only_who_pays_the_book() -> None:
    sell(MODELS["per_unit"])
    use(wallet_of("acme", credit="50"))
    other = PriceBook.objects.create(name="Other", currency="USD", created_at=AT)
    draft = draft_version(book=other, prices=[StatedTerms(meter="work", unit_price=D(1))], at=AT)
    assert at_version(draft, only_payers=True).totals == ()
    assert at_version(draft).totals[0].after.revenue > 0


def test_a_zone_half_an_hour_off() -> None:
    sell(MODELS["graduated"])
    wallet = wallet_of("acme", credit="50")
    wallet.account.time_zone = "Asia/Kolkata"
    wallet.account.save()
    use(wallet)
    found = at_version()
    assert found.totals[0].before == found.totals[0].after
    assert found.from_hours == 0


def test_many_events_are_asked_about_first() -> None:
    sell(MODELS["percentage"])
    use(wallet_of("acme", credit="50"))
    with pytest.raises(TooManyEvents) as refusal:
        at_version(most_events=4)
    assert refusal.value.charges == 5
    assert at_version(most_events=5).from_events == 5
    assert at_version(most_events=None).from_events == 5


@pytest.mark.parametrize(
    ("window", "field"),
    [
        ({"from_": START + timedelta(minutes=1)}, "from"),
        ({"to": END + timedelta(seconds=1)}, "to"),
        ({"to": START}, "to"),
        ({"from_": END - timedelta(days=401)}, "to"),
        ({"from_": START.replace(tzinfo=None)}, "from"),
    ],
)
def test_windows_that_are_refused(window: dict[str, datetime], field: str) -> None:
    sell(MODELS["per_unit"])
    with pytest.raises(InvalidInput) as refusal:
        at_version(**window)
    assert list(refusal.value.fields) == [field]


def test_a_version_nobody_knows() -> None:
    with pytest.raises(NotFound):
        simulate(version_id="prv_x", from_=START, to=END)


def test_a_corrected_charge_counts_once() -> None:
    """Each event was charged 1.16 by the wrong price; the correction charges it again at 0.25 a unit, and both rate alike."""
    sell(price("per_unit", unit_price=D("0.25"), minimum_charge=D("1.16")))
    wrong = live()
    wallet_of("acme", credit="50")
    ingest_batch(events=[work(f"e{n}", n, time=AT) for n in (1, 2)], at=AT)
    draft = draft_version(book=wrong.book, prices=[stated("work", MODELS["per_unit"])], at=AT)
    right = publish_version(version=draft, effective_at=END, at=AT)
    run = start_rerate(window=Window(wrong, right, START, END), at=END, reason="Typed wrong", actor="fiona")
    continue_rerate(run=run, at=END)
    assert charged() == D("0.75")
    assert at_version(right).totals[0].after.revenue == D("0.75")
    (total,) = at_version(wrong).totals
    assert (total.before.revenue, total.after.revenue) == (D("0.75"), D("2.32"))
