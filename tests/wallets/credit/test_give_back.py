"""Giving back: lot by lot, newest draw first, keeping the class; what the lot no longer holds is settled with the overdraft."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import transaction

from tests.factories.balances import AT, wallet_of
from tests.factories.journal import figures, journal, last_entry, lots
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.credit.debit import WalletDebit, debit_wallets
from wallets.credit.expire import expire_lots
from wallets.credit.give_back import GivenBack, NotDrawn, Part, give_back
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.credit.void import void_lot
from wallets.ledger.models import JournalEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

ENDS = AT + timedelta(days=30)


def use(wallet: Wallet, *charges: tuple[str, str]) -> list[Part]:
    """Charge (meter, amount) in one entry; the places of the charges."""
    with transaction.atomic():
        locked = lock_wallet(wallet.pk)
        entries = debit_wallets([WalletDebit(locked, [(meter, D(amount), AT) for meter, amount in charges])], at=AT)
    parts: list[Part] = []
    for meter, amount in charges:
        start = sum((part.amount for part in parts if part.meter == meter), D(0))
        parts.append(Part(entries[wallet.pk], meter, start, D(amount)))
    return parts


def undo(wallet: Wallet, *parts: Part) -> GivenBack:
    with transaction.atomic():
        return give_back(wallet=lock_wallet(wallet.pk), parts=parts, at=AT, reference="req_1", reason="Wrong", actor="sam")


def grant(wallet: Wallet, amount: str, kind: str = "paid", **terms: object) -> CreditLot:
    return grant_credit(wallet_id=wallet.pk, amount=D(amount), kind=kind, at=AT, **terms)  # type: ignore[arg-type]


def test_usage_goes_back_to_the_lot_it_was_drawn_from() -> None:
    wallet = wallet_of("acme", credit="10")
    (part,) = use(wallet, ("calls", "4"))
    undo(wallet, part)
    assert last_entry(wallet) == ("GIVE_BACK", ["prepaid_liability @ paid 4.00", "revenue:calls -4.00"])
    assert lots(wallet) == [("paid", "OPEN", 10)]
    entry = JournalEntry.objects.get(kind="GIVE_BACK")
    assert (entry.reference, entry.reason, entry.actor) == ("req_1", "Wrong", "sam")


def test_a_charge_over_two_lots_goes_back_newest_draw_first_each_class_its_own() -> None:
    wallet = wallet_of("acme")
    grant(wallet, "3", "promotional", priority=1)
    grant(wallet, "5")
    (part,) = use(wallet, ("calls", "7"))
    undo(wallet, part)
    assert last_entry(wallet)[1] == [
        "prepaid_liability @ paid 4.00",
        "promotional_liability @ promotional 3.00",
        "revenue:calls -7.00",
    ]
    assert lots(wallet) == [("promotional", "OPEN", 3), ("paid", "OPEN", 5)]


def test_of_many_charges_in_one_entry_only_its_own_place_is_given_back() -> None:
    wallet = wallet_of("acme")
    grant(wallet, "3", "promotional", priority=1)
    grant(wallet, "50")
    first, second, third = use(wallet, ("calls", "2"), ("calls", "2"), ("calls", "2"))
    undo(wallet, second)
    assert lots(wallet) == [("promotional", "OPEN", 1), ("paid", "OPEN", 48)]
    undo(wallet, third)
    undo(wallet, first)
    assert lots(wallet) == [("promotional", "OPEN", 3), ("paid", "OPEN", 50)]


def test_a_part_of_a_charge_can_be_given_back() -> None:
    wallet = wallet_of("acme", credit="10")
    (part,) = use(wallet, ("calls", "4"))
    undo(wallet, Part(part.entry_id, "calls", D("2.5"), D("1.5")))
    assert lots(wallet) == [("paid", "OPEN", D("7.5"))]


def test_parts_of_several_meters_go_back_in_one_entry_and_say_where_they_lie() -> None:
    wallet = wallet_of("acme", credit="10")
    parts = use(wallet, ("calls", "1"), ("tokens", "2"), ("calls", "3"))
    given = undo(wallet, *reversed(parts))
    assert given.places == (0, 0, 3)
    assert last_entry(wallet)[1][-2:] == ["revenue:calls -4.00", "revenue:tokens -2.00"]
    assert figures(wallet) == (10, 0)


def test_a_lot_that_is_used_up_opens_again() -> None:
    wallet = wallet_of("acme", credit="4")
    (part,) = use(wallet, ("calls", "4"))
    assert lots(wallet) == [("paid", "EXHAUSTED", 0)]
    undo(wallet, part)
    assert lots(wallet) == [("paid", "OPEN", 4)]


def test_overdraft_is_given_back_as_less_owed() -> None:
    wallet = wallet_of("acme", credit="3")
    (part,) = use(wallet, ("calls", "10"))
    undo(wallet, Part(part.entry_id, "calls", D(8), D(2)))
    assert last_entry(wallet)[1] == ["overdraft_receivable 2.00", "revenue:calls -2.00"]
    assert figures(wallet) == (-5, 5)


def test_overdraft_repaid_meanwhile_goes_back_to_the_lot_that_repaid_it() -> None:
    wallet = wallet_of("acme")
    (part,) = use(wallet, ("calls", "7"))
    grant(wallet, "10", "promotional")
    undo(wallet, part)
    assert last_entry(wallet)[1] == [
        "overdraft_receivable 7.00",
        "revenue:calls -7.00",
        "promotional_liability @ promotional 7.00",
        "overdraft_receivable -7.00",
    ]
    assert lots(wallet) == [("promotional", "OPEN", 10)]
    assert figures(wallet) == (10, 0)


def test_what_is_owed_now_is_reduced_before_repayments_are_undone_newest_first() -> None:
    wallet = wallet_of("acme")
    (part,) = use(wallet, ("calls", "10"))
    grant(wallet, "3")
    grant(wallet, "4", "trial")
    undo(wallet, Part(part.entry_id, "calls", D(1), D(9)))
    assert figures(wallet) == (6, 0)
    assert lots(wallet) == [("paid", "OPEN", 2), ("trial", "OPEN", 4)]


def test_repayments_are_undone_once() -> None:
    wallet = wallet_of("acme")
    first, second = use(wallet, ("calls", "5"), ("calls", "5"))
    grant(wallet, "4")
    grant(wallet, "6", "trial")
    undo(wallet, second)
    assert lots(wallet) == [("paid", "EXHAUSTED", 0), ("trial", "OPEN", 5)]
    undo(wallet, first)
    assert lots(wallet) == [("paid", "OPEN", 4), ("trial", "OPEN", 6)]


def test_what_comes_back_to_a_lot_repays_what_is_still_owed() -> None:
    wallet = wallet_of("acme", credit="4")
    (first,) = use(wallet, ("calls", "4"))
    use(wallet, ("calls", "3"))
    undo(wallet, first)
    assert last_entry(wallet)[1] == [
        "prepaid_liability @ paid 4.00",
        "revenue:calls -4.00",
        "prepaid_liability @ paid -3.00",
        "overdraft_receivable 3.00",
    ]
    assert figures(wallet) == (1, 0)


def test_what_comes_back_to_a_lot_for_some_meters_repays_nothing() -> None:
    wallet = wallet_of("acme")
    grant(wallet, "4", "trial", meters=["calls"])
    (first,) = use(wallet, ("calls", "4"))
    use(wallet, ("tokens", "3"))
    undo(wallet, first)
    assert figures(wallet) == (1, 3)


def test_a_voided_lot_is_voided_again_by_what_comes_back() -> None:
    wallet = wallet_of("acme")
    lot = grant(wallet, "10")
    (part,) = use(wallet, ("calls", "4"))
    void_lot(lot_public_id=lot.public_id, at=AT, reason="")
    undo(wallet, part)
    assert journal(wallet)[-2:] == [
        ("GIVE_BACK", ["prepaid_liability @ paid 4.00", "revenue:calls -4.00"]),
        ("LOT_VOID", ["prepaid_liability @ paid -4.00", "adjustments 4.00"]),
    ]
    assert lots(wallet) == [("paid", "VOIDED", 0)]
    assert figures(wallet) == (0, 0)


def test_an_expired_lot_opens_and_expires_again_with_the_next_sweep() -> None:
    wallet = wallet_of("acme")
    grant(wallet, "10", expires_at=ENDS)
    (part,) = use(wallet, ("calls", "4"))
    expire_lots(at=ENDS)
    undo(wallet, part)
    assert lots(wallet) == [("paid", "OPEN", 4)]
    assert expire_lots(at=ENDS) == 1
    assert last_entry(wallet)[1] == ["prepaid_liability @ paid -4.00", "breakage 4.00"]


def test_more_than_was_drawn_is_not_given_back() -> None:
    wallet = wallet_of("acme", credit="10")
    (part,) = use(wallet, ("calls", "4"))
    for wrong in (
        Part(part.entry_id, "calls", D(0), D("4.000000000001")),
        Part(part.entry_id, "calls", D(4), D(1)),
        Part(part.entry_id, "tokens", D(0), D(4)),
        Part(part.entry_id + 1, "calls", D(0), D(4)),
    ):
        with pytest.raises(NotDrawn):
            undo(wallet, wrong)
    assert figures(wallet) == (6, 0)


def test_what_another_wallet_used_is_not_given_back() -> None:
    wallet, other = wallet_of("acme", credit="10"), wallet_of("globex", credit="10")
    (part,) = use(wallet, ("calls", "4"))
    with pytest.raises(NotDrawn):
        undo(other, part)


def test_what_was_given_back_cannot_be_given_back_as_usage() -> None:
    wallet = wallet_of("acme", credit="10")
    (part,) = use(wallet, ("calls", "4"))
    given = undo(wallet, part)
    with pytest.raises(NotDrawn):
        undo(wallet, Part(given.entry_id, "calls", D(0), D(4)))


def test_nothing_goes_back_to_a_closed_wallet() -> None:
    wallet = wallet_of("acme", credit="4")
    (part,) = use(wallet, ("calls", "4"))
    Wallet.objects.filter(pk=wallet.pk).update(status="CLOSED", closed_at=AT)
    with pytest.raises(WalletClosed):
        undo(wallet, part)
