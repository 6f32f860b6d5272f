"""Support looks at a customer's pages as the customer sees them: for a while, for a reason, seen by the customer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from wallets.accounts.models import Account, User
from wallets.errors import Conflict, InvalidInput
from wallets.visits.models import SupportVisit

VISIT_MINUTES: Final = 30
SHORTEST_REASON: Final = 5
RIGHT: Final = "wallets.add_supportvisit"


class MayNotVisit(Conflict):
    """This person may not look at customers' pages."""

    code = "may_not_visit"


def begin_visit(*, account: Account, user: User, reason: str, address: str | None, at: datetime) -> SupportVisit:
    """Open the customer's pages to `user` for VISIT_MINUTES. Raises MayNotVisit, InvalidInput."""
    if not (user.is_staff and user.is_active and user.has_perm(RIGHT)):
        raise MayNotVisit("You need the right to open customers' pages. Ask an administrator.")
    reason = reason.strip()[:200]
    if len(reason) < SHORTEST_REASON:
        raise InvalidInput("Say why; the customer reads it.", fields={"reason": "a sentence, as: ticket 1234, wrong balance"})
    ends_at = at + timedelta(minutes=VISIT_MINUTES)
    return SupportVisit.objects.create(account=account, user=user, reason=reason, began_at=at, ends_at=ends_at, address=address)


def open_visit(*, pk: int, user: User, at: datetime) -> SupportVisit | None:
    """The visit, if it is this person's and has not ended, and they still have the right."""
    visits = SupportVisit.objects.select_related("account").filter(pk=pk, user=user, began_at__lte=at, ends_at__gt=at)
    visit = visits.first()
    return visit if visit is not None and user.is_staff and user.is_active and user.has_perm(RIGHT) else None


def end_visit(*, visit: SupportVisit, at: datetime) -> None:
    """Close the customer's pages again."""
    SupportVisit.objects.filter(pk=visit.pk, ends_at__gt=at).update(ends_at=at)
