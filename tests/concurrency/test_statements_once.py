"""16 issuers close the same month of the same wallets at once, and one of them dies in the middle: every wallet has one
statement, and numbers have no gap. The control: without the claim they run into each other."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import connection, transaction

from metering.ingest.batch import ingest_batch
from metering.usage import close_periods as closing
from metering.usage.close_periods import Closed, close_periods
from metering.usage.consumed import consumed_in
from pricing.rating.explanation import PriceTerms
from tests.factories.balances import wallet_of
from tests.factories.priced import sell, work
from tests.threads import at_once
from wallets.statements import spans
from wallets.statements.issue import issue_statements
from wallets.statements.models import Statement

pytestmark = pytest.mark.django_db(transaction=True)

OCTOBER = datetime(2026, 10, 12, 9, tzinfo=UTC)
ENDED = datetime(2026, 11, 2, tzinfo=UTC)
ISSUERS = 16
WALLETS = 24


@pytest.fixture(autouse=True)
def _october(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wallets that have used something; transactions of a few wallets, so that issuers take turns."""
    monkeypatch.setattr(closing, "SOME", 3)
    sell(PriceTerms(1, "per_unit", D("0.333"), D(0)))
    for number in range(WALLETS):
        wallet_of(f"w{number}", credit="10", at=OCTOBER)
    events = [work(f"e{number}", 1, account=f"w{number}", time=OCTOBER) for number in range(WALLETS)]
    ingest_batch(events=events, at=OCTOBER)


def _issue() -> Closed:
    return close_periods(at=ENDED)


def _die() -> Closed:
    """An issuer whose server process is killed when it has taken its numbers."""
    with transaction.atomic(), connection.cursor() as cursor:
        claimed = spans.claim_spans(list(spans.due_wallets(at=ENDED))[:3])
        issue_statements(spans=claimed, consumed=consumed_in(claimed), at=ENDED)
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    raise AssertionError("the killed issuer went on")


def test_sixteen_issuers_one_of_them_killed() -> None:
    answers = at_once([_die, *[_issue] * (ISSUERS - 1)])
    failed = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(failed) == 1, failed
    close_periods(at=ENDED)  # what the dead one had claimed
    assert sorted(Statement.objects.values_list("number", flat=True)) == list(range(1, WALLETS + 1))
    assert Statement.objects.values("wallet_id").distinct().count() == WALLETS


def test_without_the_claim_they_run_into_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    unclaimed = spans._CLAIM.replace("pg_try_advisory_xact_lock(", "TRUE OR pg_try_advisory_xact_lock(")
    monkeypatch.setattr(spans, "_CLAIM", unclaimed)
    answers = at_once([_issue] * ISSUERS)
    assert any(isinstance(answer, Exception) for answer in answers)
