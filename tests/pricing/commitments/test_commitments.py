"""Commitments: charged every period, used or not; discounted within, at list price beyond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from pricing.commitments.charge import charge_commitments
from pricing.commitments.make import make_commitment
from pricing.commitments.models import Commitment, CommitmentPeriod
from pricing.commitments.queries import utilisation
from tests.factories.balances import spend
from tests.factories.journal import journal
from tests.factories.plans import balance, customer, meter
from wallets.balances.models import Wallet
from wallets.credit.activate import activate_lots
from wallets.credit.expire import expire_lots
from wallets.credit.models import CreditLot
from wallets.errors import InvalidInput

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("journal_holds")]

AT = datetime(2027, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def commit(of: Wallet, **terms: object) -> Commitment:
    meter("calls", at=AT)
    given = {
        "name": "Steady calls", "amount": D(10), "interval": "hour", "periods": 3, "discount_percent": D(20),
        "meters": ["calls"],
    }  # fmt: skip
    return make_commitment(account=of.account, at=AT, **given | terms)  # type: ignore[arg-type]


def covered(wallet: Wallet) -> list[D]:
    """What the open lots of commitments hold."""
    return list(CreditLot.objects.filter(wallet=wallet, kind="plan", state="OPEN").values_list("remaining", flat=True))


def test_usage_within_is_discounted_and_beyond_at_list_price() -> None:
    wallet = customer("acme", at=AT, credit="100")
    commitment = commit(wallet)
    assert covered(wallet) == [D("12.5")]
    spend(wallet, "10.5", at=AT)
    spend(wallet, "5", at=AT)  # the event at the border: 2 of the commitment, 3 of other credit
    assert (covered(wallet), balance(wallet)) == ([], 100 - 10 - 3)
    assert journal(wallet)[-1] == (
        "USAGE", ["promotional_liability @ plan -2.00", "prepaid_liability @ paid -3.00", "revenue:calls 5.00"],
    )  # fmt: skip
    used = utilisation(commitment=commitment, at=AT)
    assert (used.covers, used.left, used.used) == (D("12.5"), 0, 10)


def test_every_period_is_charged_ahead_and_ends_used_or_not() -> None:
    wallet = customer("acme", at=AT, credit="100")
    commit(wallet)
    assert charge_commitments(at=AT + HOUR - 11 * MINUTE) == 0
    assert charge_commitments(at=AT + HOUR - 10 * MINUTE) == 1
    assert charge_commitments(at=AT + HOUR) == 0
    assert balance(wallet) == 80 + D("12.5")
    # The first event of the second hour finds its lot, whatever the sweeps have done.
    spend(wallet, "4", at=AT + HOUR)
    expire_lots(at=AT + HOUR)
    assert (covered(wallet), balance(wallet)) == ([D("8.5")], 80 + D("8.5"))
    charge_commitments(at=AT + 2 * HOUR)
    activate_lots(at=AT + 2 * HOUR)
    expire_lots(at=AT + 3 * HOUR)
    assert charge_commitments(at=AT + 4 * HOUR) == 0
    assert (balance(wallet), CommitmentPeriod.objects.count()) == (70, 3)
    assert Commitment.objects.get().next_due_at is None


def test_months_are_months_of_the_accounts_clock() -> None:
    wallet = customer("acme", at=AT, zone="Europe/Berlin", credit="100")
    commitment = commit(wallet, interval="month")
    charge_commitments(at=datetime(2027, 3, 31, 12, tzinfo=UTC))
    starts = list(CommitmentPeriod.objects.order_by("index").values_list("starts_at", flat=True))
    # 13:00 in Berlin on each month's last day; summer time from 28 March.
    assert starts == [AT, datetime(2027, 2, 28, 12, tzinfo=UTC), datetime(2027, 3, 31, 11, tzinfo=UTC)]
    assert commitment.ends_at == datetime(2027, 4, 30, 11, tzinfo=UTC)


def test_what_credit_does_not_cover_is_owed() -> None:
    wallet = customer("acme", at=AT, credit="4")
    commit(wallet)
    wallet.refresh_from_db()
    assert (wallet.overdraft, wallet.balance, covered(wallet)) == (6, D("6.5"), [D("12.5")])


def test_a_period_that_had_passed_is_not_charged() -> None:
    wallet = customer("acme", at=AT, credit="100")
    commit(wallet)
    expire_lots(at=AT + HOUR)
    assert charge_commitments(at=AT + 2 * HOUR + MINUTE) == 1
    assert [row.entry_id is None for row in CommitmentPeriod.objects.order_by("index")] == [False, True, False]
    assert balance(wallet) == 80 + D("12.5")


def test_it_may_start_later() -> None:
    wallet = customer("acme", at=AT, credit="100")
    commit(wallet, starts_at=AT + 5 * HOUR)
    assert balance(wallet) == 100
    assert charge_commitments(at=AT + 5 * HOUR - 10 * MINUTE) == 1


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("name", {"name": ""}),
        ("amount", {"amount": D(0)}),
        ("interval", {"interval": "day"}),
        ("periods", {"periods": 0}),
        ("discount_percent", {"discount_percent": D(100)}),
        ("meters", {"meters": []}),
        ("meters", {"meters": ["none"]}),
        ("starts_at", {"starts_at": AT - HOUR}),
    ],
)
def test_a_commitment_that_is_not_acceptable_is_refused_by_field(field: str, change: dict[str, object]) -> None:
    wallet = customer("acme", at=AT)
    with pytest.raises(InvalidInput) as refused:
        commit(wallet, **change)
    assert list(refused.value.fields) == [field]


def test_a_wallet_of_somebody_else_is_refused() -> None:
    wallet, other = customer("acme", at=AT), customer("globex", at=AT)
    with pytest.raises(InvalidInput) as refused:
        commit(wallet, wallet=other)
    assert list(refused.value.fields) == ["wallet"]
