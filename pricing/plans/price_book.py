"""The price book that goes with a plan: assigned when the plan begins, and what the account paid before when it ends."""

from __future__ import annotations

from datetime import datetime

from pricing.books.assign import assign_price_book
from pricing.books.models import Assignment, PriceBook
from pricing.plans.models import Plan, Subscription
from wallets.accounts.models import Account


def assigned_book(*, account: Account, at: datetime) -> PriceBook | None:
    """The book assigned to the account at `at`; None when it pays the default one."""
    assigned = Assignment.objects.filter(account=account, effective_at__lte=at).select_related("book")
    latest = assigned.order_by("-effective_at").first()
    return None if latest is None else latest.book


def use_book_of(plan: Plan, *, subscription: Subscription, at: datetime) -> None:
    """From `at` on the account pays the prices of the plan's book; without one, those it paid before it subscribed."""
    wanted = plan.price_book or subscription.book_before or PriceBook.objects.filter(is_default=True).first()
    current = assigned_book(account=subscription.account, at=at)
    nothing_to_do = wanted is None or wanted == current or (current is None and wanted.is_default)
    if wanted is not None and not nothing_to_do:
        assign_price_book(account=subscription.account, book=wanted, effective_at=at, at=at)


def leave_book(*, subscription: Subscription, at: datetime) -> None:
    """From `at` on the account pays what it paid before it subscribed, if the plan had a book of its own."""
    if subscription.plan.price_book is None:
        return
    wanted = subscription.book_before or PriceBook.objects.filter(is_default=True).first()
    if wanted is not None and wanted != assigned_book(account=subscription.account, at=at):
        assign_price_book(account=subscription.account, book=wanted, effective_at=at, at=at)
