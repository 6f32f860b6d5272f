"""Transfers move lots, with everything that belongs to them, between wallets of one account."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.balances import AT, set_held, spend, wallet_of
from tests.factories.journal import figures, journal, last_entry, lots
from wallets.balances.freeze import WalletFrozen, freeze_wallet
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed, close_wallet, open_wallet
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.credit.transfer import NotEnoughCredit, _share_of_price, transfer_credit
from wallets.errors import InvalidInput
from wallets.ledger.models import JournalEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

ENDS = AT + timedelta(days=30)


def two_wallets(credit: str = "0") -> tuple[Wallet, Wallet]:
    wallet = wallet_of("acme", credit=credit)
    return wallet, open_wallet(account=wallet.account, currency="USD", at=AT, name="Other")


def move(source: Wallet, target: Wallet, amount: str) -> None:
    transfer_credit(from_wallet_id=source.pk, to_wallet_id=target.pk, amount=D(amount), at=AT, reason="Team B", actor="fiona")


def test_credit_leaves_one_wallet_and_arrives_in_the_other() -> None:
    source, target = two_wallets("10")
    move(source, target, "4")
    assert last_entry(source) == ("TRANSFER_OUT", ["prepaid_liability @ paid -4.00", "transfers_in_transit 4.00"])
    assert last_entry(target) == ("TRANSFER_IN", ["transfers_in_transit -4.00", "prepaid_liability @ paid 4.00"])
    assert (figures(source), figures(target)) == ((6, 0), (4, 0))


def test_both_entries_carry_the_same_reference_reason_and_actor() -> None:
    source, target = two_wallets("10")
    move(source, target, "4")
    entries = JournalEntry.objects.filter(kind__startswith="TRANSFER").values_list("reference", "reason", "actor").distinct()
    ((reference, reason, actor),) = entries
    assert reference.startswith("trf_")
    assert (reason, actor) == ("Team B", "fiona")


def test_lots_move_in_burn_down_order_with_class_priority_validity_scope_and_price() -> None:
    source, target = two_wallets()
    paid = grant_credit(wallet_id=source.pk, amount=D(10), price_paid=D(9), kind="paid", at=AT, priority=60)
    promo = grant_credit(
        wallet_id=source.pk, amount=D(3), kind="promotional", at=AT, expires_at=ENDS, meters=["llm.output_tokens"]
    )
    move(source, target, "5")
    assert lots(source) == [("paid", "OPEN", 8), ("promotional", "EXHAUSTED", 0)]
    moved = {lot.kind: lot for lot in CreditLot.objects.filter(wallet=target)}
    assert {kind: (lot.amount, lot.price_paid, lot.priority, lot.source) for kind, lot in moved.items()} == {
        "promotional": (3, 0, 50, promo.public_id),
        "paid": (2, D("1.8"), 60, paid.public_id),
    }
    assert (moved["promotional"].expires_at, moved["promotional"].meters) == (ENDS, ["llm.output_tokens"])
    assert moved["paid"].effective_at == paid.effective_at


def test_what_the_target_owes_is_repaid_by_what_arrives() -> None:
    source, target = two_wallets("10")
    spend(target, "3")
    move(source, target, "4")
    assert last_entry(target)[1][2:] == ["prepaid_liability @ paid -3.00", "overdraft_receivable 3.00"]
    assert figures(target) == (1, 0)


def test_a_lot_whose_time_has_come_can_leave_though_no_sweep_ran() -> None:
    source, target = two_wallets()
    grant_credit(wallet_id=source.pk, amount=D(10), kind="paid", at=AT - timedelta(days=2), effective_at=AT)
    move(source, target, "10")
    assert [kind for kind, _ in journal(source)] == ["GRANT", "TRANSFER_OUT"]
    assert figures(target) == (10, 0)


def test_held_credit_cannot_leave() -> None:
    source, target = two_wallets("10")
    set_held(source, "7")
    with pytest.raises(NotEnoughCredit) as refusal:
        move(source, target, "4")
    assert refusal.value.fields == {"amount": "at most 3.000000000000"}
    assert figures(source) == (10, 0)


def test_no_more_than_is_available_can_leave_and_nothing_moves() -> None:
    source, target = two_wallets("10")
    with pytest.raises(NotEnoughCredit):
        move(source, target, "10.000000000001")
    assert (figures(source), figures(target)) == ((10, 0), (0, 0))


def test_credit_that_is_over_cannot_leave_though_no_sweep_ran() -> None:
    source, target = two_wallets("1")
    grant_credit(wallet_id=source.pk, amount=D(10), kind="trial", at=AT - timedelta(days=9), expires_at=AT)
    with pytest.raises(NotEnoughCredit):
        move(source, target, "2")


def test_an_overdrawn_wallet_with_credit_for_some_meters_gives_no_more_than_its_balance() -> None:
    source, target = two_wallets()
    spend(source, "4")
    grant_credit(wallet_id=source.pk, amount=D(10), kind="promotional", at=AT, meters=["llm.output_tokens"])
    with pytest.raises(NotEnoughCredit):
        move(source, target, "7")
    move(source, target, "6")
    assert figures(source) == (0, 4)


def test_credit_does_not_move_to_another_account() -> None:
    source, _ = two_wallets("10")
    with pytest.raises(InvalidInput) as refusal:
        move(source, wallet_of("globex"), "4")
    assert refusal.value.fields == {"to": "a wallet of the same account"}


def test_credit_is_not_exchanged() -> None:
    source, _ = two_wallets("10")
    euros = open_wallet(account=source.account, currency="EUR", at=AT)
    with pytest.raises(InvalidInput) as refusal:
        move(source, euros, "4")
    assert refusal.value.fields == {"to": "a wallet in USD"}


def test_credit_does_not_move_to_where_it_is() -> None:
    source, _ = two_wallets("10")
    with pytest.raises(InvalidInput):
        move(source, source, "4")


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "0.0000000000001"])
def test_an_amount_that_is_none_is_refused(amount: str) -> None:
    source, target = two_wallets("10")
    with pytest.raises(InvalidInput):
        move(source, target, amount)


def test_a_frozen_wallet_neither_gives_nor_takes() -> None:
    source, target = two_wallets("10")
    freeze_wallet(wallet_id=target.pk, at=AT)
    with pytest.raises(WalletFrozen):
        move(source, target, "4")
    with pytest.raises(WalletFrozen):
        move(target, source, "4")


def test_a_closed_wallet_takes_nothing() -> None:
    source, target = two_wallets("10")
    close_wallet(wallet_id=target.pk, at=AT)
    with pytest.raises(WalletClosed):
        move(source, target, "4")


@given(
    price=st.integers(0, 10**6).map(lambda cents: D(cents) / 100),
    parts=st.lists(st.integers(1, 10**6), min_size=1, max_size=8),
)
def test_the_prices_of_the_parts_of_a_lot_add_up_to_its_price(price: D, parts: list[int]) -> None:
    lot = CreditLot(amount=D(sum(parts)), remaining=D(sum(parts)), price_paid=price)
    shares = []
    for part in parts:
        shares.append(_share_of_price(lot, D(part)))
        lot.remaining -= part
    assert sum(shares) == price
    assert min(shares) >= 0
