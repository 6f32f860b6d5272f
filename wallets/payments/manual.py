"""Money that came another way: finance has seen a wire, an ACH credit, a cheque or cash, and enters it with its reference."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import IntegrityError, transaction

from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.errors import Conflict
from wallets.input import Input
from wallets.payments.models import TopUp
from wallets.payments.providers.registry import MANUAL
from wallets.payments.settle import pay_top_up
from wallets.payments.terms import Terms, quote_payment, terms_of

BY_HAND: Final = (TopUp.Means.WIRE, TopUp.Means.ACH, TopUp.Means.CHEQUE, TopUp.Means.CASH)


class ReferenceEntered(Conflict):
    """A payment with this reference was entered before."""

    code = "payment_reference_entered"


def record_payment(
    *, wallet: Wallet, amount: Decimal, means: str, reference: str, at: datetime, actor: str, note: str = ""
) -> TopUp:
    """Credit `amount` (in the wallet's currency) for money that is on our own account; tax is worked out on top of it, no fee
    and no bonus are.

    wallet: with its account.  means: of BY_HAND.  reference: the bank's, the cheque's or the till's; entered once per means.
    Raises InvalidInput, CurrencyNotCharged, ReferenceEntered, WalletClosed, LockBusy.
    """
    check = Input()
    check.amount("amount", amount, above_zero=True)
    check.choice("means", means, list(BY_HAND))
    reference = check.text("reference", reference, longest=150, required=True)
    note = check.text("note", note, longest=500)
    check.refuse("The payment cannot be entered like this.")
    if wallet.status == Wallet.Status.CLOSED:
        raise WalletClosed(f"Wallet {wallet.public_id} is closed.")
    plain_terms = Terms(terms_of(wallet.currency).currency, amount, amount, (), Decimal(0), Decimal(0), ())
    quote = quote_payment(wallet=wallet, amount=amount, terms=plain_terms, at=at, by_hand=True)
    names = ("currency", "amount", "tax", "tax_name", "tax_percent", "tax_country", "total")
    top_up = TopUp(
        **{name: getattr(quote, name) for name in names},
        bucket=wallet.bucket,
        wallet=wallet,
        means=means,
        provider=MANUAL,
        payment_id=f"{means}:{reference}",
        origin=TopUp.Origin.FINANCE,
        actor=actor,
        note=note,
        created_at=at,
        moved_at=at,
    )
    try:
        with transaction.atomic():
            top_up.save(force_insert=True)
            return pay_top_up(top_up_id=top_up.pk, at=at)
    except IntegrityError as error:
        if "top_up_payment_once" not in str(error):
            raise
        raise ReferenceEntered(
            f"A {TopUp.Means(means).label.lower()} with the reference {reference} was entered before.",
            fields={"reference": "one that was not entered before"},
        ) from error
