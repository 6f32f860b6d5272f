"""Fees: debits that are no usage, drawn like usage from credit without a scope, given back to the lots they came from."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from tests.factories.balances import AT, set_held, spend, wallet_of
from tests.factories.journal import figures, last_entry, lots
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed, close_wallet
from wallets.credit.expire import expire_lots
from wallets.credit.fee import CreditExhausted, charge_fee, give_fee_back
from wallets.credit.give_back import NotDrawn
from wallets.credit.grant import grant_allowance, grant_credit
from wallets.credit.queries import expired_amounts
from wallets.errors import InvalidInput
from wallets.ledger.models import JournalEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

CODE = "subscription:pro"


def fee(wallet: Wallet, amount: str, **terms: object) -> int:
    return charge_fee(
        wallet_id=wallet.pk, amount=D(amount), code=CODE, at=AT, reference="sub_1", reason="Pro, November", **terms  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_fee_is_drawn_in_burn_down_order() -> None:
    wallet = wallet_of("acme", credit="100")
    grant_credit(wallet_id=wallet.pk, amount=D(5), kind="promotional", at=AT)
    entry = JournalEntry.objects.get(pk=fee(wallet, "20"))
    assert (entry.kind, entry.reference, entry.reason) == ("FEE", "sub_1", "Pro, November")
    assert last_entry(wallet) == (
        "FEE",
        ["promotional_liability @ promotional -5.00", "prepaid_liability @ paid -15.00", "fees:subscription:pro 20.00"],
    )
    assert lots(wallet) == [("paid", "OPEN", 85), ("promotional", "EXHAUSTED", 0)]


def test_credit_for_something_else_pays_no_fee() -> None:
    wallet = wallet_of("acme", credit="10")
    grant_credit(wallet_id=wallet.pk, amount=D(50), kind="paid", at=AT, meters=["calls"])
    grant_credit(wallet_id=wallet.pk, amount=D(50), kind="paid", at=AT, effective_at=AT + timedelta(days=1))
    grant_allowance(wallet_id=wallet.pk, meter="calls", quantity=D(1000), at=AT)
    before = figures(wallet)
    with pytest.raises(CreditExhausted) as refused:
        fee(wallet, "10.01")
    assert refused.value.extra == {"needed": "10.01", "available": "10.00", "wallet": wallet.public_id}
    assert figures(wallet) == before
    fee(wallet, "10")


def test_money_taken_for_just_this_fee_pays_it_and_nothing_else() -> None:
    wallet = wallet_of("acme", credit="10")
    grant_credit(wallet_id=wallet.pk, amount=D(20), kind="paid", at=AT, meters=[CODE], priority=0)
    spend(wallet, "4")
    fee(wallet, "20")
    assert lots(wallet) == [("paid", "OPEN", 6), ("paid", "EXHAUSTED", 0)]


def test_held_credit_pays_no_fee() -> None:
    wallet = wallet_of("acme", credit="10")
    set_held(wallet, "4")
    with pytest.raises(CreditExhausted, match="has 6"):
        fee(wallet, "7")
    set_held(wallet, "0")


def test_a_fee_that_may_not_fail_is_owed() -> None:
    wallet = wallet_of("acme", credit="10")
    fee(wallet, "25", allow_overdraft=True)
    assert Wallet.objects.get(pk=wallet.pk).overdraft == 15


def test_the_unused_part_goes_back_to_the_lots_it_came_from_once() -> None:
    wallet = wallet_of("acme", credit="100")
    grant_credit(wallet_id=wallet.pk, amount=D(5), kind="promotional", at=AT)
    entry = fee(wallet, "20")
    back = {"wallet_id": wallet.pk, "entry_id": entry, "code": CODE, "at": AT, "reference": "sub_1", "reason": "Cancelled"}
    give_fee_back(line_from=D(12), amount=D(8), **back)  # type: ignore[arg-type]
    assert lots(wallet) == [("paid", "OPEN", 93), ("promotional", "EXHAUSTED", 0)]
    give_fee_back(line_from=D(0), amount=D(12), **back)  # type: ignore[arg-type]
    assert lots(wallet) == [("paid", "OPEN", 100), ("promotional", "OPEN", 5)]
    with pytest.raises(NotDrawn):
        give_fee_back(line_from=D(12), amount=D(9), **back)  # type: ignore[arg-type]


def test_what_is_not_acceptable_is_refused() -> None:
    wallet = wallet_of("acme")
    with pytest.raises(InvalidInput):
        fee(wallet, "0")
    close_wallet(wallet_id=wallet.pk, at=AT)
    with pytest.raises(WalletClosed):
        fee(wallet, "1")


def test_what_lots_held_when_they_expired_is_known() -> None:
    wallet = wallet_of("acme")
    ends = AT + timedelta(days=1)
    some = grant_allowance(wallet_id=wallet.pk, meter="calls", quantity=D(1000), at=AT, expires_at=ends)
    open_one = grant_allowance(wallet_id=wallet.pk, meter="calls", quantity=D(5), at=AT)
    expire_lots(at=ends)
    assert expired_amounts([some.pk, open_one.pk], bucket=wallet.bucket) == {some.pk: 1000}
