"""Sign-up credit: given once per account, and once per company or mailbox."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from pricing.credit_products.models import SignUpCredit
from pricing.credit_products.sign_up_guard import guard_of
from pricing.periods import days_later
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.errors import Conflict
from wallets.input import Input


class SignUpCreditGiven(Conflict):
    """The account, or somebody of the same company or mailbox, has had sign-up credit."""

    code = "sign_up_credit_given"


def grant_sign_up_credit(
    *, wallet: Wallet, verified_email: str, amount: Decimal, at: datetime, validity_days: int | None = None, actor: str = ""
) -> SignUpCredit:
    """Give the wallet's account credit for signing up, once.

    verified_email: an address whose holder has proved it; the caller vouches for that.  amount: in the wallet's currency.
    validity_days: None is without end. Raises SignUpCreditGiven, WalletClosed, InvalidInput, LockBusy.
    """
    check = Input()
    guard = guard_of(verified_email)
    check.expect("verified_email", guard is not None, "an e-mail address")
    check.amount("amount", amount, above_zero=True)
    if validity_days is not None:
        check.whole("validity_days", validity_days, least=1, most=36_500)
    check.refuse("The credit cannot be granted like this.")
    assert guard is not None, "refused above"
    try:
        with transaction.atomic():
            lock_wallet(wallet.pk)
            lot = grant_credit(
                wallet_id=wallet.pk,
                amount=amount,
                kind=CreditLot.Kind.TRIAL,
                at=at,
                expires_at=None if validity_days is None else days_later(at, days=validity_days, zone=wallet.account.time_zone),
                reason="Sign-up credit",
                source="sign-up",
                actor=actor,
            )
            return SignUpCredit.objects.create(account_id=wallet.account_id, guard=guard, lot=lot, at=at)
    except IntegrityError as error:
        if "signupcredit" not in str(error):
            raise
        raise SignUpCreditGiven(f"Sign-up credit was given to this account or to {guard} before.") from error
