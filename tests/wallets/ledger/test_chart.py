"""Accounts of the chart open when first used, by whoever comes first."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from tests.processes import eventually
from tests.threads import at_once, elsewhere
from wallets.ledger.chart import ChartAccount, Kind, chart_account, forget
from wallets.ledger.models import LedgerAccount

pytestmark = pytest.mark.django_db(transaction=True)


def open_two(first: str, second: str) -> list[ChartAccount]:
    """Revenue accounts of two meters, in one transaction and this order, by a process that knows neither."""
    forget()
    with transaction.atomic():
        return [chart_account(Kind.REVENUE, "USD", meter) for meter in (first, second)]


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])


def test_an_account_is_opened_once_and_known_once_it_is_committed() -> None:
    one = chart_account(Kind.PREPAID_LIABILITY, "USD")
    assert (one.wallet_side, one.receivable) == (True, False)
    assert chart_account(Kind.PREPAID_LIABILITY, "USD") is one
    assert chart_account(Kind.PREPAID_LIABILITY, "EUR") != one
    assert chart_account(Kind.OVERDRAFT_RECEIVABLE, "USD").receivable
    assert not chart_account(Kind.REVENUE, "USD", "calls").wallet_side


def test_an_account_whose_transaction_failed_is_not_remembered() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 - what is undone is the point
        lost = chart_account(Kind.REVENUE, "USD", "calls")
        raise ZeroDivisionError
    assert chart_account(Kind.REVENUE, "USD", "calls").id != lost.id
    assert LedgerAccount.objects.count() == 1


def test_two_that_open_the_same_accounts_in_different_orders_do_not_wait_in_a_circle() -> None:
    """One has opened `a` and comes to `b`, while the other comes from `b` to `a`."""
    go_on = threading.Event()

    def one() -> list[ChartAccount]:
        forget()
        with transaction.atomic():
            first = chart_account(Kind.REVENUE, "USD", "a")
            go_on.set()
            assert eventually(lambda: elsewhere(somebody_waits_for_a_lock), within_seconds=20)
            return [first, chart_account(Kind.REVENUE, "USD", "b")]

    def other() -> list[ChartAccount]:
        go_on.wait()
        return open_two("b", "a")

    answers = at_once([one, other])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert LedgerAccount.objects.count() == 2
    forget()
    ids = {account.id for account in elsewhere(lambda: open_two("a", "b"))}
    assert all({account.id for account in answer} == ids for answer in answers if not isinstance(answer, Exception))
