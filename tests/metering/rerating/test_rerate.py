"""A wrong price of a past window is corrected: what was drawn goes back, what was used is charged at the right price."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metering.ingest.batch import ingest_batch
from metering.rerating import rerate
from metering.rerating.models import RerateItem, RerateRun
from metering.rerating.rerate import continue_rerate, preview_rerate, start_rerate
from metering.rerating.window import Window
from metering.usage.explain import explain_event
from metering.usage.models import Charge, HourlyUsage, UsageEvent
from metering.usage.queries import spend_of_events
from metering.usage.void import void_event
from pricing.books.draft import draft_version
from pricing.books.models import PriceVersion
from pricing.books.publish import publish_version
from pricing.rating.explanation import Percentage, PriceTerms, Tier
from tests.factories.balances import AT, wallet_of
from tests.factories.events import event_pk
from tests.factories.journal import figures, lots
from tests.factories.memory import forget_everything
from tests.factories.priced import sell, stated, work
from tests.factories.proofs import assert_everything_is_proved
from wallets.accounts.models import Account
from wallets.credit.grant import grant_allowance, grant_credit
from wallets.errors import InvalidInput
from wallets.ledger.models import JournalEntry

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(hours=1)
FLAT = PriceTerms(1, "per_unit", D("0.10"), D(0))
CHEAPER = PriceTerms(1, "per_unit", D("0.04"), D(0))
TIERED = PriceTerms(1, "graduated", D(0), D(0), tiers=(Tier(D(10), D("0.10")), Tier(None, D("0.01"))))
VOLUME = PriceTerms(1, "volume", D(0), D(0), tiers=(Tier(D(10), D("0.10")), Tier(None, D("0.05"))))
PER_EVENT = PriceTerms(1, "percentage", D(0), D(0), percentage=Percentage(D("2.5"), D("0.10")))
PACKAGE = PriceTerms(1, "package", D(0), D(0), package_size=D(4), package_price=D("0.70"))
LEAST = PriceTerms(1, "per_unit", D("0.10"), D(0), minimum_charge=D("0.35"))


def versions(wrong: PriceTerms, right: PriceTerms) -> tuple[PriceVersion, PriceVersion]:
    """The wrong price is in force; the right one is published from LATER on."""
    sell(wrong)
    first = PriceVersion.objects.get()
    draft = draft_version(book=first.book, prices=[stated("work", right)], at=AT)
    return first, publish_version(version=draft, effective_at=LATER, at=AT)


def window(wrong: PriceVersion, right: PriceVersion, **only: Any) -> Window:
    return Window(wrong, right, AT - timedelta(days=1), LATER, **only)


def correct(asked: Window) -> RerateRun:
    run = start_rerate(window=asked, at=LATER, reason="Price typed wrong", actor="fiona")
    continue_rerate(run=run, at=LATER)
    return run


def charged() -> D:
    return Charge.objects.aggregate(total=Sum("amount"))["total"] or D(0)


def test_what_was_charged_goes_back_to_its_lots_and_is_charged_at_the_right_price() -> None:
    wrong, right = versions(FLAT, CHEAPER)
    wallet = wallet_of("acme", credit="10")
    grant_credit(wallet_id=wallet.pk, amount=D("0.5"), kind="promotional", at=AT, priority=1)
    ingest_batch(events=[work("e1", 5), work("e2", 20)], at=AT)  # 0.50 promotional, 2.00 paid
    run = correct(window(wrong, right))
    # 25 x 0.04 = 1.00: the promotional 0.50 first, 0.50 paid.
    assert figures(wallet) == (D("9.5"), 0)
    assert ("paid", "OPEN", D("9.5")) in lots(wallet)
    assert [(item.before, item.after) for item in run.items.order_by("id")] == [
        (D("0.5"), D("0.2")),
        (D(2), D("0.8")),
    ]
    assert (run.status, run.finished_at) == ("DONE", LATER)
    marked = JournalEntry.objects.filter(reference=run.public_id)
    assert set(marked.values_list("kind", flat=True)) == {"GIVE_BACK", "USAGE"}
    assert all(at == LATER for at in marked.values_list("at", flat=True))
    (hour,) = HourlyUsage.objects.all()
    assert (hour.events, hour.quantity, hour.amount) == (2, 25, 1)
    assert_everything_is_proved()


def test_the_event_explains_both_prices() -> None:
    wrong, right = versions(FLAT, CHEAPER)
    wallet_of("acme", credit="10")
    ingest_batch(events=[work("e1", 5)], at=AT)
    correct(window(wrong, right))
    explained = explain_event(event_pk=event_pk("e1"))
    assert [(one.line, one.reverses, one.price.version_number, one.amount) for one in explained.charges] == [
        (0, None, 1, D("0.5")),
        (1, 0, 1, D("-0.5")),
        (2, None, 2, D("0.2")),
    ]
    assert (explained.status, explained.totals) == ("charged", (("USD", D("0.2")),))
    (row,) = spend_of_events([UsageEvent.objects.get()])
    assert ([one.quantity for one in row.meters], row.amount) == ([5], D("0.2"))


def test_a_look_before_says_exactly_what_comes_and_leaves_nothing() -> None:
    wrong, right = versions(FLAT, TIERED)
    wallet = wallet_of("acme", credit="10")
    ingest_batch(events=[work("e1", 5), work("e2", 20)], at=AT)
    report = preview_rerate(window=window(wrong, right), at=LATER)
    # 10 x 0.10 + 15 x 0.01 = 1.15
    sums = report.accounts["acme", "USD"]
    assert (report.events, sums.before, sums.after, sums.difference) == (2, D("2.5"), D("1.15"), D("-1.35"))
    assert figures(wallet) == (D("7.5"), 0)
    assert not RerateItem.objects.exists()
    assert Charge.objects.count() == 2
    done = continue_rerate(run=start_rerate(window=window(wrong, right), at=LATER, reason="Wrong"), at=LATER)
    assert done.accounts == report.accounts
    assert done.meters == report.meters


def test_each_event_is_corrected_once_though_the_run_was_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong, right = versions(TIERED, FLAT)
    wallet = wallet_of("acme", credit="10")
    ingest_batch(events=[work(f"e{number}", 5) for number in range(5)], at=AT)
    monkeypatch.setattr(rerate, "BATCH", 2)
    run = start_rerate(window=window(wrong, right), at=LATER, reason="Wrong")
    note, calls = rerate._note, []

    def broken(*rest: Any) -> None:
        calls.append(rest)
        if len(calls) == 2:
            raise ConnectionError("the second batch is lost")
        note(*rest)

    monkeypatch.setattr(rerate, "_note", broken)
    with pytest.raises(ConnectionError):
        continue_rerate(run=run, at=LATER)
    monkeypatch.setattr(rerate, "_note", note)
    assert run.items.count() == 2
    continue_rerate(run=run, at=LATER)
    continue_rerate(run=run, at=LATER)
    assert run.items.count() == 5
    assert figures(wallet) == (D("7.5"), 0)
    correct(window(wrong, right))
    assert RerateItem.objects.count() == 5
    assert_everything_is_proved()


def test_strangers_other_versions_and_other_times_stay_as_they_are() -> None:
    wrong, right = versions(FLAT, CHEAPER)
    for key in ("acme", "globex"):
        wallet_of(key, credit="10")
    early = AT - timedelta(days=3)
    ingest_batch(events=[work("e1", 5), work("early", 5, time=early), work("g1", 5, account="globex")], at=AT)
    run = correct(window(wrong, right, account=Account.objects.get(key="acme")))
    assert [item.event.event_id for item in run.items.all()] == ["e1"]
    assert preview_rerate(window=window(right, wrong), at=LATER).events == 1


def test_an_event_the_right_version_cannot_price_stays_and_says_why() -> None:
    sell(FLAT)
    wrong = PriceVersion.objects.get()
    only = replace(stated("work", CHEAPER), match={"kind": "fine"})
    right = publish_version(version=draft_version(book=wrong.book, prices=[only], at=AT), effective_at=LATER, at=AT)
    wallet = wallet_of("acme", credit="10")
    ingest_batch(events=[work("e1", 5), work("e2", 5, kind="fine")], at=AT)
    run = correct(window(wrong, right))
    assert {item.event.event_id: bool(item.refused) for item in run.items.all()} == {"e1": True, "e2": False}
    assert figures(wallet) == (D("9.3"), 0)


def test_a_corrected_event_is_voided_as_a_whole() -> None:
    wrong, right = versions(FLAT, TIERED)
    wallet = wallet_of("acme", credit="10")
    ingest_batch(events=[work("e1", 5), work("e2", 20)], at=AT)
    correct(window(wrong, right))
    void_event(event_pk=event_pk("e2"), at=LATER)
    assert figures(wallet) == (D("9.5"), 0)
    assert preview_rerate(window=window(right, wrong), at=LATER).events == 1
    assert_everything_is_proved()


def test_units_of_an_allowance_come_back_and_cover_again() -> None:
    wrong, right = versions(FLAT, CHEAPER)
    wallet = wallet_of("acme", credit="10")
    grant_allowance(wallet_id=wallet.pk, meter="work", quantity=D(4), at=AT)
    ingest_batch(events=[work("e1", 5), work("e2", 20)], at=AT)  # 4 covered, 21 x 0.10
    correct(window(wrong, right))
    assert figures(wallet) == (D("9.16"), 0)  # 21 x 0.04
    assert_everything_is_proved()


@pytest.mark.parametrize("field", ["price_version", "to", "reason"])
def test_what_makes_no_sense_is_refused_by_field(field: str) -> None:
    wrong, right = versions(FLAT, CHEAPER)
    asked = {
        "price_version": Window(wrong, wrong, AT, LATER),
        "to": Window(wrong, right, LATER, LATER),
        "reason": window(wrong, right),
    }[field]
    with pytest.raises(InvalidInput) as refused:
        start_rerate(window=asked, at=LATER, reason="" if field == "reason" else "Wrong")
    assert field in refused.value.fields


quantities = st.integers(0, 15) | st.sampled_from(["0.5", "2.5", "0.333333333333"]).map(D)
terms = st.sampled_from([FLAT, CHEAPER, TIERED, VOLUME, PER_EVENT, PACKAGE, LEAST])
usage = st.lists(st.tuples(quantities, st.booleans(), st.sampled_from(["acme", "globex"])), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(wrong=terms, right=terms, story=usage, voided=st.sampled_from(["", "e0"]))
def test_it_ends_in_what_the_right_price_would_have_charged_from_the_start(
    wrong: PriceTerms, right: PriceTerms, story: list[Any], voided: str
) -> None:
    last_month = AT - timedelta(days=31)

    def tell(price: PriceTerms) -> None:
        for key in ("acme", "globex"):
            wallet_of(key, credit="3")  # overdraft is part of it
        for number, (quantity, late, key) in enumerate(story):
            time: datetime = last_month if late else AT
            ingest_batch(events=[work(f"e{number}", quantity, account=key, time=time)], at=AT)
        if voided:
            void_event(event_pk=event_pk(voided), at=AT)

    def by_account() -> dict[str, D]:
        found = Charge.objects.values_list("event__account__key").annotate(total=Sum("amount"))
        return {key: total for key, total in found if total}

    with transaction.atomic():
        forget_everything()
        sell(right)
        tell(right)
        expected = by_account()
        transaction.set_rollback(True)
    with transaction.atomic():
        forget_everything()
        first, second = versions(wrong, right)
        tell(wrong)
        correct(Window(first, second, last_month, LATER))
        assert by_account() == expected
        assert_everything_is_proved()
        transaction.set_rollback(True)
    forget_everything()
