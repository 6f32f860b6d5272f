"""Setting credit aside, for a time."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from tests.factories.balances import AT, spend, wallet_of
from tests.factories.holds import figures, hold_on, later
from wallets.accounts.models import Account
from wallets.accounts.suspend import suspend_account
from wallets.balances.freeze import freeze_wallet
from wallets.balances.held import without_lapsed
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed, WalletNotEmpty, close_wallet
from wallets.balances.policy import set_policy
from wallets.credit.grant import grant_credit
from wallets.errors import InvalidInput, NotFound
from wallets.holds.capture import capture_amount
from wallets.holds.find import as_read, hold_by_id
from wallets.holds.lapse import lapse_holds
from wallets.holds.models import MOVES, Hold
from wallets.holds.place import LONGEST_TTL_SECONDS, extend_hold, place_hold, release_hold
from wallets.holds.refusals import HoldEnded, HoldLapsed, HoldRefused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

State = Hold.State


def test_a_hold_sets_credit_aside_and_writes_no_entry() -> None:
    acme = wallet_of("acme", credit="10")
    hold = hold_on(acme, "4")
    assert (hold.state, hold.expires_at, hold.public_id[:5]) == (State.OPEN, later(300), "hold_")
    assert figures(acme) == ("10", "4", "6")
    now = Wallet.objects.get(pk=acme.pk)
    assert (now.version, now.held_version, now.sequence) == (1, 1, 2)


def test_holds_in_flight_count_a_sixth_of_a_fifth_is_refused() -> None:
    """Five holds of 1,000 fill a wallet of 5,000; balances that left what is in flight out let the sixth through."""
    acme = wallet_of("acme", credit="5000")
    for _ in range(5):
        hold_on(acme, "1000")
    with pytest.raises(HoldRefused) as refused:
        hold_on(acme, "1000")
    assert refused.value.code == "balance_exhausted"
    assert refused.value.extra == {
        "reason": "balance_exhausted", "needed": "1000.00", "available": "0.00", "currency": "USD", "account": "acme",
    }  # fmt: skip
    assert figures(acme) == ("5000", "5000", "0")


def test_a_refused_hold_does_not_exist() -> None:
    """There is nothing whose id could be captured after all."""
    acme = wallet_of("acme", credit="1")
    with pytest.raises(HoldRefused):
        hold_on(acme, "1.000000000001")
    assert not Hold.objects.exists()
    assert figures(acme) == ("1", "0", "1")


def test_grace_backs_holds_up_to_its_limit() -> None:
    acme = wallet_of("acme", credit="1")
    set_policy(wallet_id=acme.pk, on_empty="grace", grace_limit=D(2), at=AT)
    hold_on(acme, "3")
    with pytest.raises(HoldRefused):
        hold_on(acme, "0.01")
    set_policy(wallet_id=acme.pk, on_empty="throttle", at=AT)
    with pytest.raises(HoldRefused):
        hold_on(acme, "0")


def test_frozen_suspended_and_closed_are_refused_with_their_own_reason() -> None:
    acme, globex, initech = (wallet_of(key, credit="5") for key in ("acme", "globex", "initech"))
    freeze_wallet(wallet_id=acme.pk, at=AT)
    suspend_account(account=globex.account, at=AT)
    for wallet, reason in ((acme, "wallet_frozen"), (globex, "account_suspended")):
        with pytest.raises(HoldRefused) as refused:
            hold_on(wallet, "1")
        assert (refused.value.code, refused.value.extra["reason"]) == (reason, reason)
    spend(initech, "5")
    close_wallet(wallet_id=initech.pk, at=AT)
    with pytest.raises(WalletClosed):
        hold_on(initech, "1")


@pytest.mark.parametrize(
    ("amount", "ttl", "field"),
    [("-1", 300, "amount"), ("0.0000000000001", 300, "amount"), ("NaN", 300, "amount"), ("1", 0, "ttl_seconds"),
     ("1", LONGEST_TTL_SECONDS + 1, "ttl_seconds")],
)  # fmt: skip
def test_terms_are_checked(amount: str, ttl: int, field: str) -> None:
    acme = wallet_of("acme", credit="5")
    with pytest.raises(InvalidInput) as refused:
        place_hold(wallet_id=acme.pk, amount=D(amount), ttl_seconds=ttl, at=AT)
    assert list(refused.value.fields) == [field]


def test_released_credit_is_back_and_a_second_release_does_nothing() -> None:
    acme = wallet_of("acme", credit="10")
    hold = hold_on(acme, "4")
    for _ in range(2):
        assert release_hold(hold_public_id=hold.public_id, at=later(1)).state == State.RELEASED
    assert figures(acme) == ("10", "0", "10")
    with pytest.raises(HoldEnded):
        capture_amount(hold_public_id=hold.public_id, amount=D(1), at=later(2))


def test_a_captured_hold_cannot_be_released_or_extended() -> None:
    hold = hold_on(wallet_of("acme", credit="10"), "4")
    capture_amount(hold_public_id=hold.public_id, amount=D(4), at=later(1))
    with pytest.raises(HoldEnded):
        release_hold(hold_public_id=hold.public_id, at=later(2))
    with pytest.raises(HoldEnded):
        extend_hold(hold_public_id=hold.public_id, ttl_seconds=300, at=later(2))


def test_a_hold_lasts_longer_but_never_shorter() -> None:
    acme = wallet_of("acme", credit="10")
    hold = hold_on(acme, "4")
    assert extend_hold(hold_public_id=hold.public_id, ttl_seconds=10, at=later(60)).expires_at == later(300)
    assert extend_hold(hold_public_id=hold.public_id, ttl_seconds=300, at=later(299)).expires_at == later(599)
    assert lapse_holds(at=later(598)) == 0
    assert figures(acme) == ("10", "4", "6")
    with pytest.raises(HoldLapsed):
        extend_hold(hold_public_id=hold.public_id, ttl_seconds=300, at=later(599))
    assert lapse_holds(at=later(599)) == 1


def test_the_sweep_lapses_what_has_ended_and_nothing_else() -> None:
    acme, globex = wallet_of("acme", credit="10"), wallet_of("globex", credit="10")
    short, long = hold_on(acme, "1", ttl=10), hold_on(acme, "2", ttl=20)
    hold_on(globex, "3", ttl=10)
    assert lapse_holds(at=later(9)) == 0
    assert lapse_holds(at=later(10)) == 2
    assert [Hold.objects.get(pk=hold.pk).state for hold in (short, long)] == [State.LAPSED, State.OPEN]
    assert Hold.objects.get(pk=short.pk).ended_at == later(10)
    assert figures(acme) == ("10", "2", "8")
    assert figures(globex) == ("10", "0", "10")
    assert lapse_holds(at=later(10)) == 0


def test_a_hold_that_has_ended_counts_against_nothing_before_it_is_swept() -> None:
    acme = wallet_of("acme", credit="10")
    first = hold_on(acme, "10", ttl=10)
    with pytest.raises(HoldRefused):
        hold_on(acme, "10", at=later(9))
    wallet = Wallet.objects.get(pk=acme.pk)
    without_lapsed([wallet], at=later(10))
    assert wallet.available == D(10)
    assert as_read([hold_by_id(public_id=first.public_id)], at=later(10))[0].state == State.LAPSED
    hold_on(acme, "10", at=later(10))
    assert Hold.objects.get(pk=first.pk).state == State.LAPSED
    assert figures(acme) == ("10", "10", "0")


def test_a_wallet_whose_holds_have_all_ended_can_be_closed() -> None:
    acme = wallet_of("acme")
    set_policy(wallet_id=acme.pk, on_empty="grace", grace_limit=D(2), at=AT)
    hold_on(acme, "2", ttl=10)
    with pytest.raises(WalletNotEmpty):
        close_wallet(wallet_id=acme.pk, at=later(9))
    assert close_wallet(wallet_id=acme.pk, at=later(10)).status == Wallet.Status.CLOSED


def test_credit_whose_time_has_come_can_be_held_at_once() -> None:
    acme = wallet_of("acme", credit="1")
    grant_credit(wallet_id=acme.pk, amount=D(5), kind="trial", at=AT, effective_at=later(60))
    with pytest.raises(HoldRefused):
        hold_on(acme, "6", at=later(59))
    hold_on(acme, "6", at=later(60))


def test_another_accounts_hold_is_not_found() -> None:
    acme, globex = wallet_of("acme", credit="1"), wallet_of("globex", credit="1")
    hold = hold_on(acme, "1")
    assert hold_by_id(public_id=hold.public_id, only_account_id=acme.account_id) == hold
    for unknown in ({"public_id": hold.public_id, "only_account_id": globex.account_id}, {"public_id": "hold_x"}):
        with pytest.raises(NotFound):
            hold_by_id(**unknown)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", State.values)
@pytest.mark.parametrize("after", State.values)
def test_the_database_refuses_every_step_that_is_not_in_the_table(state: str, after: str) -> None:
    hold = hold_on(wallet_of("acme", credit="10"), "0")
    if state != State.OPEN:
        Hold.objects.filter(pk=hold.pk).update(state=state, ended_at=later(1))
    allowed = state == after or (state, after) in MOVES
    try:
        with transaction.atomic():
            Hold.objects.filter(pk=hold.pk).update(state=after, ended_at=None if after == State.OPEN else later(2))
    except DatabaseError:
        assert not allowed
    else:
        assert allowed


def test_the_database_holds_no_nonsense() -> None:
    acme = wallet_of("acme", credit="10")
    hold = hold_on(acme, "1")
    for change in (
        {"amount": D(-1)}, {"captured": D(1)}, {"ended_at": AT}, {"expires_at": AT}, {"slices": 1}, {"state": "GONE"},
    ):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic():
            Hold.objects.filter(pk=hold.pk).update(**change)
    for statement in ("DELETE FROM wallets_hold", "UPDATE wallets_hold SET placed_at = now()"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(IntegrityError), transaction.atomic():
        Wallet.objects.filter(pk=acme.pk).update(next_lapse_at=None)
    Account.objects.filter(key="acme").update(capture_above="cap")
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.filter(key="acme").update(capture_above="never")


def test_the_day_is_the_longest() -> None:
    hold = hold_on(wallet_of("acme", credit="1"), "1", ttl=LONGEST_TTL_SECONDS)
    assert hold.expires_at - AT == timedelta(days=1)
