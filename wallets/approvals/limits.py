"""Who needs a second person for how much."""

from __future__ import annotations

from decimal import Decimal

from wallets.accounts.models import User
from wallets.approvals.models import ApprovalLimit
from wallets.errors import Conflict
from wallets.money import plain


class NeedsApproval(Conflict):
    """It is above what the person may do alone."""

    code = "needs_approval"


def limit_of(*, user: User, currency: str, kind: str) -> Decimal | None:
    """Up to how much (in `currency`) this person may do `kind` alone: the highest limit of their roles. In a role, a limit for
    the kind goes before the one for every kind. None: nothing alone."""
    limits = ApprovalLimit.objects.filter(role__user=user, currency=currency, kind__in=["", kind])
    by_role = {limit.role_id: limit.amount for limit in limits.order_by("kind")}
    return max(by_role.values(), default=None)


def needs_approval(*, user: User, amount: Decimal, currency: str, kind: str) -> bool:
    """Whether a second person has to approve that `user` does `kind` for `amount` (positive, in `currency`)."""
    assert amount > 0, (kind, amount)
    limit = limit_of(user=user, currency=currency, kind=kind)
    return limit is None or amount > limit


def refuse_above_limit(user: User, *, amount: Decimal, currency: str, kind: str, instead: str) -> None:
    """Raise NeedsApproval where `user` may not do `kind` alone and no approval can be waited for; `instead`: what to do."""
    if needs_approval(user=user, amount=amount, currency=currency, kind=kind):
        limit = limit_of(user=user, currency=currency, kind=kind)
        most = "no amount" if limit is None else f"at most {plain(limit)}"
        raise NeedsApproval(f"Your roles let you do this alone for {most} in {currency}. {instead}", fields={"amount": most})
