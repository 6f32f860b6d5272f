"""Looking commitments up. `only_account_id` is the account a caller is confined to (I12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from pricing.commitments.cover import discounted
from pricing.commitments.models import Commitment, CommitmentPeriod
from wallets.credit.models import CreditLot
from wallets.errors import NotFound
from wallets.money import ZERO


@dataclass(frozen=True, slots=True)
class Utilisation:
    """How much of what was committed is used. period_start: of the present period (None: none now).  covers: usage at list
    prices.  left: of it.  used: what the
    customer paid for what it has used."""

    period_start: datetime | None
    covers: Decimal
    left: Decimal
    used: Decimal


def commitments_seen(*, only_account_id: int | None = None) -> QuerySet[Commitment]:
    """Commitments with their account and wallet."""
    found = Commitment.objects.select_related("account", "wallet")
    return found if only_account_id is None else found.filter(account_id=only_account_id)


def commitment_by_id(*, public_id: str, only_account_id: int | None = None) -> Commitment:
    """The commitment with this id (`cmt_…`). Raises NotFound, also when it is another account's than the caller's."""
    found = commitments_seen(only_account_id=only_account_id).filter(public_id=public_id).first()
    if found is None:
        raise NotFound(f"There is no commitment {public_id[:40]}.")
    return found


def periods_of(*, commitment: Commitment) -> QuerySet[CommitmentPeriod]:
    """A commitment's periods with their lots."""
    return CommitmentPeriod.objects.filter(commitment=commitment).select_related("lot")


def utilisation(*, commitment: Commitment, at: datetime) -> Utilisation:
    """Of the present period. One query."""
    present = periods_of(commitment=commitment).filter(starts_at__lte=at, ends_at__gt=at).first()
    if present is None or present.lot is None:
        return Utilisation(None, ZERO, ZERO, ZERO)
    lot = present.lot
    left = lot.amount if lot.state == CreditLot.State.SCHEDULED else lot.remaining
    used = discounted(lot.amount - left, discount_percent=commitment.discount_percent)
    return Utilisation(present.starts_at, lot.amount, left, used)
