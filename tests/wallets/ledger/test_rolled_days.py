"""Days are added up once, exactly, and nothing that is written into one later is missed (I2)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import psycopg
import pytest
from django.db import connection

from tests.factories.balances import wallet_of
from tests.processes import eventually
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.ledger.day_models import JournalDay, RolledDays, StaleDay
from wallets.ledger.days import journal_days_hold, journal_sums, roll_up_journal

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)
FIRST = datetime(2026, 11, 2, 9, tzinfo=UTC)
NOW = FIRST + 3 * DAY


def owed(*, start: datetime = FIRST - DAY, end: datetime = NOW + DAY) -> D:
    """Paid credit granted in a span, as the journal says by days and by its postings."""
    return sum((one.amount for one in journal_sums(start=start, end=end, kinds=["PREPAID_LIABILITY"])), D(0))


def owed_in_a_thread() -> D:
    """As `owed` of a time that ends today, on a connection of its own."""
    try:
        return owed(end=NOW + timedelta(hours=2))
    finally:
        connection.close()


def another_session() -> psycopg.Connection:
    its = connection.settings_dict
    return psycopg.connect(host=its["HOST"], port=its["PORT"], user=its["USER"], password=its["PASSWORD"], dbname=its["NAME"])


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])


@pytest.fixture
def wallet() -> Wallet:
    opened = wallet_of("acme", at=FIRST)
    for day in range(4):
        grant_credit(wallet_id=opened.pk, amount=D(1), kind="paid", at=FIRST + day * DAY)
    return opened


def test_days_that_are_over_are_added_up_and_the_rest_is_read_as_it_is(wallet: Wallet) -> None:
    assert roll_up_journal(at=NOW) == 3
    assert roll_up_journal(at=NOW) == 0
    assert set(JournalDay.objects.values_list("day", flat=True)) == {date(2026, 11, day) for day in (2, 3, 4)}
    assert owed() == 4
    assert owed(start=FIRST + timedelta(minutes=1)) == 3
    assert owed(end=FIRST + DAY) == 1
    assert owed(start=FIRST, end=FIRST + timedelta(hours=1)) == 1
    assert journal_days_hold().holds


def test_what_is_written_into_a_day_that_was_added_up_counts_at_once_and_is_added_up_again(wallet: Wallet) -> None:
    roll_up_journal(at=NOW)
    grant_credit(wallet_id=wallet.pk, amount=D(10), kind="paid", at=FIRST + timedelta(hours=1))
    assert StaleDay.objects.get().day == FIRST.date()
    assert owed() == 14
    assert roll_up_journal(at=NOW) == 1
    assert not StaleDay.objects.exists()
    assert owed() == 14
    assert journal_days_hold().holds


def test_of_today_the_hours_that_are_over_are_added_up(wallet: Wallet) -> None:
    later = NOW + timedelta(hours=2)
    assert roll_up_journal(at=later) == 3
    assert JournalDay.objects.filter(day=NOW.date()).exists()
    grant_credit(wallet_id=wallet.pk, amount=D(2), kind="paid", at=later)
    assert owed(end=later + timedelta(minutes=1)) == 6
    assert owed(end=later) == 4
    assert owed(start=NOW + timedelta(minutes=1), end=later + DAY) == 2
    grant_credit(wallet_id=wallet.pk, amount=D(100), kind="paid", at=NOW + timedelta(minutes=30))
    assert owed(end=later + timedelta(minutes=1)) == 106
    assert roll_up_journal(at=later + timedelta(hours=1)) == 2  # what was written into, and the next hour
    assert owed(end=later + timedelta(minutes=1)) == 106
    assert journal_days_hold().holds
    assert roll_up_journal(at=later + DAY) == 1
    assert owed(end=later + DAY) == 106
    assert journal_days_hold().holds


def test_an_hour_that_is_added_up_while_a_report_is_read_counts_once(wallet: Wallet) -> None:
    roll_up_journal(at=NOW)
    over = NOW + timedelta(hours=1)
    assert RolledDays.objects.get().rolled == NOW - timedelta(hours=1)
    with ThreadPoolExecutor(1) as pool, closing(another_session()) as held:
        held.execute("LOCK TABLE wallets_ledgeraccount")  # a report reads it once it knows how far days are added up
        report = pool.submit(owed_in_a_thread)
        assert eventually(somebody_waits_for_a_lock, within_seconds=30)
        RolledDays.objects.update(announced=over, over_after=0)  # not to wait for whoever holds the lock
        roll_up_journal(at=over + timedelta(minutes=10))
        assert RolledDays.objects.get().rolled == over
        held.rollback()
        assert report.result(timeout=30) == 4


def test_a_day_waits_for_whoever_may_still_write_into_it(wallet: Wallet) -> None:
    slow = another_session()
    slow.execute("CREATE TEMPORARY TABLE writes (n int)")  # it has a number and may have read that nothing was announced
    assert roll_up_journal(at=NOW) == 0
    assert RolledDays.objects.get().rolled is None
    assert owed() == 4
    slow.rollback()
    assert roll_up_journal(at=NOW) == 3
    slow.close()


def test_a_day_that_was_altered_is_found(wallet: Wallet) -> None:
    roll_up_journal(at=NOW)
    JournalDay.objects.filter(day=FIRST.date()).update(amount=D(99))
    proof = journal_days_hold()
    assert not proof.holds
    assert "2026-11-02" in proof.offenders[0]
