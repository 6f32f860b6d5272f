"""Looking refunds and withdrawals up. `only_account_id` is the account a caller is confined to (I12)."""

from __future__ import annotations

from django.db.models import QuerySet

from wallets.errors import NotFound
from wallets.refunds.models import Refund, Withdrawal


def refunds_of(*, top_up_id: int) -> QuerySet[Refund]:
    """A top-up's refunds, with their top-up and wallet."""
    return Refund.objects.select_related("top_up", "wallet", "withdrawal").filter(top_up_id=top_up_id)


def refund_by_id(*, public_id: str, only_account_id: int | None = None) -> Refund:
    """The refund with this id (`ref_…`). Raises NotFound, also when it is another account's."""
    found = Refund.objects.select_related("top_up", "wallet", "withdrawal").filter(public_id=public_id)
    if only_account_id is not None:
        found = found.filter(wallet__account_id=only_account_id)
    refund = found.first()
    if refund is None:
        raise NotFound(f"There is no refund {public_id[:40]}.")
    return refund


def withdrawals_of(*, wallet_id: int) -> QuerySet[Withdrawal]:
    """A wallet's withdrawals."""
    return Withdrawal.objects.select_related("wallet__account", "asked_by").filter(wallet_id=wallet_id)


def withdrawal_by_id(*, public_id: str, only_account_id: int | None = None) -> Withdrawal:
    """The withdrawal with this id (`wdr_…`). Raises NotFound, also when it is another account's."""
    found = Withdrawal.objects.select_related("wallet__account", "asked_by").filter(public_id=public_id)
    if only_account_id is not None:
        found = found.filter(wallet__account_id=only_account_id)
    withdrawal = found.first()
    if withdrawal is None:
        raise NotFound(f"There is no withdrawal {public_id[:40]}.")
    return withdrawal
