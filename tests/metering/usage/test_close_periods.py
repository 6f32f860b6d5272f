"""Closing a month: statements that say what the journal says, once, without gaps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.models import Sum

from metering.ingest.batch import ingest_batch
from metering.usage.close_periods import close_periods
from metering.usage.void import void_event
from pricing.rating.explanation import PriceTerms, Tier
from tests.factories.balances import wallet_of
from tests.factories.events import event_pk
from tests.factories.priced import sell, work
from tests.factories.proofs import assert_everything_is_proved
from wallets.balances.models import Wallet
from wallets.credit.expire import expire_lots
from wallets.credit.grant import grant_allowance, grant_credit
from wallets.months import month_of
from wallets.statements.models import Statement, StatementLine
from wallets.statements.spans import month_end

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2026, 10, 12, 9, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 3, 9, tzinfo=UTC)
IN_DECEMBER = datetime(2026, 12, 1, 2, tzinfo=UTC)
Section = StatementLine.Section


@pytest.fixture
def wallet() -> Wallet:
    """October: 100 bought, 10 given, usage with a free part and an allowance; November: a late event, a void, an expiry."""
    sell(PriceTerms(1, "graduated", D(0), D(0), tiers=(Tier(D(100), D("0.333")), Tier(None, D("0.1"))), free_units=D(2)))
    wallet = wallet_of("acme", credit="100", at=OCTOBER)
    grant_credit(
        wallet_id=wallet.pk,
        amount=D(10),
        kind="promotional",
        at=OCTOBER,
        expires_at=NOVEMBER + timedelta(days=2),
        reason="welcome",
    )
    grant_allowance(wallet_id=wallet.pk, meter="work", quantity=D(5), at=OCTOBER)
    events = [("a", 5, "gpt-5"), ("b", 1, "gpt-5"), ("c", 7, "gpt-5"), ("d", D("3.5"), "mini")]
    ingest_batch(events=[work(name, n, time=OCTOBER, model=model) for name, n, model in events], at=OCTOBER)
    ingest_batch(events=[work("late", 10, time=OCTOBER, model="mini"), work("now", 2, time=NOVEMBER)], at=NOVEMBER)
    void_event(event_pk=event_pk("c"), at=NOVEMBER)
    expire_lots(at=NOVEMBER + timedelta(days=3))
    return wallet


def lines(statement: Statement, *sections: str) -> list[tuple[str, str, D | None, D]]:
    return [
        (line.section, line.detail, line.quantity, line.amount)
        for line in statement.lines.order_by("position")
        if line.section in sections
    ]


def test_a_month_is_what_was_there_what_came_what_was_used_and_what_is_left(wallet: Wallet) -> None:
    closed = close_periods(at=IN_DECEMBER)
    assert (closed.due, closed.issued, closed.faults) == (2, 2, [])
    october, november = Statement.objects.order_by("period_start")
    assert (october.period_start, october.period_end) == (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    assert october.opening_balance == 0
    assert lines(october, Section.TOP_UP, Section.GRANT) == [
        (Section.TOP_UP, "", None, D(100)), (Section.GRANT, "", None, D(10)),
    ]  # fmt: skip
    # 5 of the 16.5 are covered by the allowance, 2 are free, the rest costs 0.333: 9.5 x 0.333 = 3.1635; the allowance took
    # all of a, so b and c are the first two free ones and 6 of 0.333, d 3.5.
    assert lines(october, Section.USAGE) == [
        (Section.USAGE, "gpt-5", D(13), D("-1.998")), (Section.USAGE, "mini", D("3.5"), D("-1.1655")),
    ]  # fmt: skip
    assert october.closing_balance == D("106.8365")
    assert november.opening_balance == october.closing_balance
    assert november.closing_balance == Wallet.objects.get(pk=wallet.pk).balance
    assert [line[0] for line in lines(november, Section.LATE_USAGE)] == [Section.LATE_USAGE] * 2
    assert lines(november, Section.EXPIRY)[0][3] < 0
    assert_everything_is_proved()


def test_every_statement_adds_up_and_all_of_them_are_the_journal(wallet: Wallet) -> None:
    close_periods(at=IN_DECEMBER)
    for statement in Statement.objects.all():
        total = statement.lines.aggregate(exact=Sum("amount"), rounded=Sum("rounded"))
        assert statement.opening_balance + total["exact"] == statement.closing_balance
        printed = round(statement.opening_balance, 2) + total["rounded"] + statement.rounding
        assert printed == round(statement.closing_balance, 2)
    moved = StatementLine.objects.aggregate(total=Sum("amount"))["total"]
    assert moved == Wallet.objects.get(pk=wallet.pk).balance


def test_closing_again_issues_nothing_and_numbers_have_no_gap(wallet: Wallet) -> None:
    wallet_of("globex", credit="7", at=OCTOBER)
    close_periods(at=IN_DECEMBER, wallet_ids=[wallet.pk])
    close_periods(at=IN_DECEMBER)
    again = close_periods(at=IN_DECEMBER)
    assert (again.due, again.issued) == (0, 0)
    assert sorted(Statement.objects.values_list("number", flat=True)) == [1, 2, 3, 4]
    assert Statement.objects.order_by("number").last().public_number == "MAIN-ST-2026-000004"  # type: ignore[union-attr]


def test_a_month_that_has_not_settled_is_not_closed(wallet: Wallet) -> None:
    close_periods(at=datetime(2026, 12, 1, 0, 59, tzinfo=UTC))
    assert [one.period_end.month for one in Statement.objects.all()] == [11]


def test_months_are_those_of_the_account(wallet: Wallet) -> None:
    wallet.account.time_zone = "Europe/Berlin"
    wallet.account.save()
    close_periods(at=IN_DECEMBER)
    october, november = Statement.objects.order_by("period_start")
    assert october.period_start == datetime(2026, 9, 30, 22, tzinfo=UTC)  # summer time
    assert (november.period_start, november.period_end) == (
        datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 30, 23, tzinfo=UTC),
    )  # fmt: skip


def test_an_empty_wallet_waits_for_the_month_in_which_something_happens() -> None:
    sell(PriceTerms(1, "per_unit", D(1), D(0)))
    wallet = wallet_of("acme", credit="1", at=datetime(2026, 6, 5, tzinfo=UTC))
    ingest_batch(events=[work("all", 1, time=datetime(2026, 6, 6, tzinfo=UTC))], at=datetime(2026, 6, 6, tzinfo=UTC))
    close_periods(at=datetime(2026, 9, 2, tzinfo=UTC))
    assert [one.period_start.month for one in Statement.objects.all()] == [6]
    grant_credit(wallet_id=wallet.pk, amount=D(1), kind="paid", at=datetime(2026, 10, 2, tzinfo=UTC))
    close_periods(at=IN_DECEMBER)
    assert [one.period_start.month for one in Statement.objects.order_by("period_start")] == [6, 10, 11]


def test_a_statement_is_never_changed_and_takes_no_more_lines(wallet: Wallet) -> None:
    close_periods(at=IN_DECEMBER)
    statement = Statement.objects.earliest("number")
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        Statement.objects.filter(pk=statement.pk).update(seller="Somebody else")
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        StatementLine.objects.filter(statement=statement).delete()
    with pytest.raises(IntegrityError, match="do not add up"), transaction.atomic():
        StatementLine.objects.create(
            statement=statement, position=99, section=Section.FEE, label="more", amount=D(0), rounded=D(0)
        )


def test_a_statement_whose_lines_do_not_add_up_cannot_be_stored(wallet: Wallet) -> None:
    close_periods(at=IN_DECEMBER)
    last = Statement.objects.latest("period_end")
    following = Statement(
        bucket=0, wallet=wallet, previous=last, entity="main", year=2027, number=1, period_start=last.period_end,
        period_end=last.period_end + timedelta(days=31), time_zone="UTC", currency="USD", opening_version=last.closing_version,
        closing_version=last.closing_version + 1, opening_balance=last.closing_balance, closing_balance=D(0), rounding=D(0),
        line_count=0, issued_at=IN_DECEMBER,
    )  # fmt: skip
    with transaction.atomic():
        following.save()
        with pytest.raises(IntegrityError, match="do not add up"), transaction.atomic():
            connection.check_constraints()
        transaction.set_rollback(True)
    following = Statement(**{name: value for name, value in vars(following).items() if name not in {"_state", "id"}})
    following.opening_balance = D(1)
    with pytest.raises(IntegrityError, match="does not open where the one before it closed"), transaction.atomic():
        following.save()


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati", "Asia/Kathmandu"])
def test_months_of_a_zone_follow_each_other(zone: str) -> None:
    start = month_of(datetime(2027, 1, 31, 23, 30, tzinfo=UTC), zone)[0]
    for _ in range(24):
        end = month_end(start, zone)
        assert timedelta(days=27) < end - start < timedelta(days=32)
        assert month_of(end, zone)[0] == end
        start = end
