"""Sixteen threads redeem one single-use code at the same moment: one redemption. With its control: looking first and marking
afterwards, as one would in a hurry, lets several through."""

from __future__ import annotations

from decimal import Decimal as D
from threading import Barrier

import pytest

from pricing.credit_products.issue import VoucherTerms, issue_vouchers
from pricing.credit_products.models import VoucherCode, VoucherRedemption
from pricing.credit_products.redeem import VoucherUsed, redeem_voucher
from tests.factories.balances import AT, wallet_of
from tests.factories.proofs import assert_everything_is_proved
from tests.threads import at_once
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 16


def wallets_and_code() -> tuple[list[Wallet], str]:
    wallets = [wallet_of(f"a{number}") for number in range(THREADS)]
    terms = VoucherTerms(name="Spring", currency="USD", amount=D(25))
    return wallets, issue_vouchers(terms=terms, at=AT).codes[0]


def test_a_single_use_code_is_redeemed_once() -> None:
    wallets, code = wallets_and_code()
    answers = at_once([lambda wallet=wallet: redeem_voucher(wallet=wallet, code=code, at=AT) for wallet in wallets])
    assert [type(answer) for answer in answers if not isinstance(answer, VoucherUsed)] == [VoucherRedemption]
    assert (VoucherRedemption.objects.count(), CreditLot.objects.count()) == (1, 1)
    assert VoucherCode.objects.get().used == 1
    assert_everything_is_proved()


def test_looking_first_and_marking_afterwards_redeems_it_again_and_again() -> None:
    wallets, _ = wallets_and_code()
    all_have_looked = Barrier(THREADS, timeout=30)

    def redeem_in_a_hurry(wallet: Wallet) -> bool:
        code = VoucherCode.objects.get()
        all_have_looked.wait()
        if code.used >= code.uses:
            return False
        grant_credit(wallet_id=wallet.pk, amount=D(25), kind="promotional", at=AT)
        VoucherCode.objects.filter(pk=code.pk).update(used=code.used + 1)
        return True

    answers = at_once([lambda wallet=wallet: redeem_in_a_hurry(wallet) for wallet in wallets])
    assert answers.count(True) > 1
