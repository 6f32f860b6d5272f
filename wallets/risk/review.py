"""Look at what the rules found: take an item, clear it (its credit is released), or confirm it (the credit stays held). While
an account is under review, new credit of its top-ups is held."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from wallets.accounts.models import User
from wallets.balances.lock import lock_wallet
from wallets.errors import Conflict, NotFound
from wallets.holds.keep import keep_credit
from wallets.holds.models import Hold
from wallets.holds.place import release_hold
from wallets.input import Input
from wallets.risk.models import HeldCredit, ReviewItem

State = ReviewItem.State
_UNDECIDED_OR_BAD = (State.OPEN, State.CONFIRMED)


class ReviewDecided(Conflict):
    """Somebody has decided it already."""

    code = "review_decided"


def hold_if_reviewed(*, wallet_id: int, account_id: int, top_up: str, amount: Decimal, at: datetime) -> Hold | None:
    """Hold the new credit of a top-up while its account is under review; None when it is not.

    In the transaction that grants the credit, so that there is no moment in which it can be spent.
    """
    under_review = ReviewItem.objects.filter(account_id=account_id, holds_credit=True, state__in=_UNDECIDED_OR_BAD)
    if not under_review.exists():
        return None
    wallet = lock_wallet(wallet_id)
    hold = keep_credit(wallet, amount, subject=f"risk review of {top_up}", at=at)
    if hold is not None:
        HeldCredit.objects.create(account_id=account_id, top_up=top_up, hold=hold, held_at=at)
    return hold


def take_review(*, review_id: str, by: User) -> ReviewItem:
    """Say who looks at it (`rev_…`); the last one to take it has it. Raises ReviewDecided, NotFound."""
    _find(review_id)
    if not ReviewItem.objects.filter(public_id=review_id, state=State.OPEN).update(owner=by):
        raise ReviewDecided("This has been decided already.")
    return _find(review_id)


def clear_review(*, review_id: str, by: User, note: str, at: datetime) -> ReviewItem:
    """Nothing is wrong: when no other item holds the account's credit, it is released.

    Raises ReviewDecided, NotFound, InvalidInput, LockBusy.
    """
    with transaction.atomic():
        item = _decide(review_id, State.CLEARED, by=by, note=note, at=at)
        others = ReviewItem.objects.filter(account=item.account_id, holds_credit=True, state__in=_UNDECIDED_OR_BAD)
        if not others.exists():
            held = HeldCredit.objects.filter(account=item.account_id, hold__state=Hold.State.OPEN)
            for public_id in held.order_by("hold__wallet_id", "hold_id").values_list("hold__public_id", flat=True):
                release_hold(hold_public_id=public_id, at=at)
    return item


def confirm_review(*, review_id: str, by: User, note: str, at: datetime) -> ReviewItem:
    """It was what it looked like. Credit that is held stays held until it has been given back.

    Raises ReviewDecided, NotFound, InvalidInput.
    """
    with transaction.atomic():
        return _decide(review_id, State.CONFIRMED, by=by, note=note, at=at)


def _decide(review_id: str, after: ReviewItem.State, *, by: User, note: str, at: datetime) -> ReviewItem:
    check = Input()
    note = check.text("note", note, longest=500, required=True)
    check.refuse()
    _find(review_id)
    waiting = ReviewItem.objects.filter(public_id=review_id, state=State.OPEN)
    if not waiting.update(state=after, decided_by=by, decided_at=at, note=note):
        raise ReviewDecided("This has been decided already.")
    return _find(review_id)


def _find(review_id: str) -> ReviewItem:
    found = ReviewItem.objects.select_related("account", "owner", "decided_by").filter(public_id=review_id).first()
    if found is None:
        raise NotFound(f"There is no review item {review_id[:40]}.")
    return found
