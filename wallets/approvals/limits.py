"""Who needs a second person for how much."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import connection
from django.db.models import Sum

from wallets.accounts.models import User
from wallets.approvals.models import ApprovalLimit, MovedAlone
from wallets.errors import Conflict
from wallets.money import ZERO, plain, to_scale

DAY: Final = timedelta(days=1)
_ONE_BY_ONE: Final = "SELECT pg_advisory_xact_lock(hashtext('moved alone'), %s)"


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


def moved_alone(*, user: User, currency: str, kind: str, at: datetime) -> Decimal:
    """How much of a kind this person moved within 24 hours before `at` without anybody's approval."""
    mine = MovedAlone.objects.filter(user=user, kind=kind, currency=currency, at__gt=at - DAY)
    return mine.aggregate(total=Sum("amount"))["total"] or ZERO


def needs_second_today(*, user: User, amount: Decimal, currency: str, kind: str, at: datetime) -> bool:
    """As `needs_approval`, of the amount with what they moved alone within 24 hours: halves of a sum count as the whole."""
    lately = moved_alone(user=user, currency=currency, kind=kind, at=at)
    return needs_approval(user=user, amount=amount + lately, currency=currency, kind=kind)


def note_moved_alone(
    *, user: User, amount: Decimal, currency: str, kind: str, subject: str, at: datetime, instead: str
) -> None:
    """Note that `user` moved `amount` (in `currency`) alone; in the transaction that moves it, which ends where it is too much.

    One at a time for a person, after the wallet's lock. instead: what to do. Raises NeedsApproval.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ONE_BY_ONE, [user.pk])
    if needs_second_today(user=user, amount=amount, currency=currency, kind=kind, at=at):
        limit = limit_of(user=user, currency=currency, kind=kind)
        left = ZERO if limit is None else limit - moved_alone(user=user, currency=currency, kind=kind, at=at)
        most = "no amount" if limit is None else f"at most {plain(to_scale(max(left, ZERO)))}"
        told = f"Your roles let you do this alone for {most} {currency} more within 24 hours. {instead}"
        raise NeedsApproval(told, fields={"amount": most})
    MovedAlone.objects.create(user=user, kind=kind, currency=currency, amount=amount, subject=subject, at=at)
