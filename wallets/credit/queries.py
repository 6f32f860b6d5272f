"""Looking lots up. `only_account_id` is the account a caller is confined to: it sees nothing of any other (I12)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db.models import Case, Q, QuerySet, Sum, When

from wallets.credit.models import CreditLot
from wallets.errors import NotFound
from wallets.ledger.models import JournalEntry, Posting


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


def allowances_left(*, wallet_id: int, bucket: int, meters: Collection[str], at: datetime) -> dict[str, Decimal]:
    """What is left of the allowances a wallet could use at `at`, in units by meter."""
    lots = CreditLot.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=at),
        state__in=[CreditLot.State.OPEN, CreditLot.State.SCHEDULED],
        effective_at__lte=at,
        bucket=bucket,
        wallet_id=wallet_id,
        unit_meter__in=meters,
    )
    entered = Case(When(state=CreditLot.State.OPEN, then="remaining"), default="amount")
    return dict(lots.values("unit_meter").annotate(left=Sum(entered)).order_by("unit_meter").values_list("unit_meter", "left"))


def expired_amounts(lot_ids: Collection[int], *, bucket: int) -> dict[int, Decimal]:
    """What these lots (row ids) held when they expired; those that did not expire with something left are left out."""
    postings = Posting.objects.filter(
        bucket=bucket, lot_id__in=lot_ids, entry__bucket=bucket, entry__kind=JournalEntry.Kind.EXPIRY
    )
    sums = postings.values("lot_id").annotate(expired=Sum("amount")).order_by("lot_id")
    return {lot_id: -expired for lot_id, expired in sums.values_list("lot_id", "expired") if lot_id is not None}
