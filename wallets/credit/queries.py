"""Looking lots up. `only_account_id` is the account a caller is confined to: it sees nothing of any other (I12)."""

from __future__ import annotations

from django.db.models import QuerySet

from wallets.credit.models import CreditLot
from wallets.errors import NotFound


def lots_of(*, wallet_id: int) -> QuerySet[CreditLot]:
    """A wallet's lots in every state, with the wallet."""
    return CreditLot.objects.select_related("wallet").filter(wallet_id=wallet_id)


def lot_by_id(*, public_id: str, only_account_id: int | None = None) -> CreditLot:
    """The lot with this id (`lot_…`), with its wallet. Raises NotFound, also when it is another account's than the
    caller's."""
    lots = CreditLot.objects.select_related("wallet")
    if only_account_id is not None:
        lots = lots.filter(wallet__account_id=only_account_id)
    lot = lots.filter(public_id=public_id).first()
    if lot is None:
        raise NotFound(f"There is no credit lot {public_id[:40]}.")
    return lot
