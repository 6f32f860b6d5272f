"""What the refunds of a withdrawal make of it: PAID when all its money has left, FAILED when some did not."""

from __future__ import annotations

from datetime import datetime

from wallets.money import ZERO
from wallets.outbox.topics import WithdrawalEnded, WithdrawalWentOn
from wallets.outbox.write import add_news
from wallets.refunds.models import Refund, Withdrawal
from wallets.refunds.move import move
from wallets.refunds.states import FAILED, PAID, PAYING, SUCCEEDED


def restate_withdrawal(withdrawal: Withdrawal, *, at: datetime) -> None:
    """Bring a withdrawal that is being paid, or was, to what its refunds say, under the wallet's lock."""
    refunds = list(Refund.objects.filter(bucket=withdrawal.bucket, withdrawal_id=withdrawal.pk))
    paid = sum((one.total for one in refunds if one.state == SUCCEEDED), ZERO)
    failed = [one for one in refunds if one.state == FAILED]
    ended = len(failed) + sum(one.state == SUCCEEDED for one in refunds) == len(refunds)
    after = PAYING if not ended and withdrawal.state == PAYING else FAILED if failed else PAID if ended else withdrawal.state
    failure = f"{len(failed)} of {len(refunds)} payments could not be refunded; their credit is back." if failed else ""
    before = withdrawal.state
    move(withdrawal, after, at=at, paid=paid, failure=failure)
    if after != before:
        tell_ended(withdrawal, at=at)


def tell_step(withdrawal: Withdrawal, *, at: datetime) -> None:
    """The news that a withdrawal was confirmed, or approved."""
    told = WithdrawalWentOn(
        wallet_id=withdrawal.wallet_id,
        withdrawal=withdrawal.public_id,
        state=withdrawal.state.lower(),
        amount=f"{withdrawal.amount:f}",
        currency=withdrawal.currency,
        payable_at="" if withdrawal.payable_at is None else withdrawal.payable_at.isoformat(),
    )
    add_news([(f"wallet:{withdrawal.wallet_id}", told)], at=at, bucket=withdrawal.bucket)


def tell_ended(withdrawal: Withdrawal, *, at: datetime) -> None:
    """The news that a withdrawal came to its end."""
    told = WithdrawalEnded(
        wallet_id=withdrawal.wallet_id,
        withdrawal=withdrawal.public_id,
        state=withdrawal.state.lower(),
        amount=f"{withdrawal.amount:f}",
        paid=f"{withdrawal.paid:f}",
        currency=withdrawal.currency,
        reason=withdrawal.failure,
    )
    add_news([(f"wallet:{withdrawal.wallet_id}", told)], at=at, bucket=withdrawal.bucket)
