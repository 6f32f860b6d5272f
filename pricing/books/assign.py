"""Say which price book an account uses from when."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from pricing.books.models import Assignment, PriceBook
from pricing.books.pin import check_not_pinned
from wallets.accounts.models import Account
from wallets.errors import Conflict
from wallets.input import Input


class AssignmentTimeTaken(Conflict):
    """The account is assigned a book from this very time already."""

    code = "assignment_time_taken"


def assign_price_book(*, account: Account, book: PriceBook, effective_at: datetime, at: datetime) -> Assignment:
    """Let the account pay the prices of `book` from `effective_at` on.

    effective_at: not before `at`, since prices do not move under anyone (I8), except to the opening of an account that was
    never assigned one. Raises AssignmentTimeTaken, AccountPinned, InvalidInput.
    """
    check = Input()
    check.moment("effective_at", effective_at)
    check.refuse("The price book cannot be assigned like this.")
    if effective_at < at and Assignment.objects.filter(account=account).exists():
        check.expect("effective_at", False, f"now ({at.isoformat()}) or later: prices do not move under anyone")
        check.refuse("Only an account's first price book can take effect in the past.")
    check_not_pinned(account=account, at=effective_at)
    try:
        with transaction.atomic():
            return Assignment.objects.create(account=account, book=book, effective_at=effective_at, created_at=at)
    except IntegrityError as error:
        if "assignment_one_per_account_and_time" not in str(error):
            raise
        raise AssignmentTimeTaken(
            f"Account {account.key} is assigned a price book from {effective_at.isoformat()} already."
        ) from error
