"""Negotiated prices of one account: so much percent off the list, single prices instead of it, or both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from pricing.books.assign import assign_price_book
from pricing.books.derive import HUNDRED, derive_version
from pricing.books.draft import checked_meters
from pricing.books.fit import currencies_of
from pricing.books.models import Assignment, PriceBook, PriceVersion
from pricing.books.pin import check_not_pinned
from pricing.books.price_terms import PriceTerms
from pricing.books.queries import published_of, times_after, version_at
from pricing.books.validate import PricesRefused
from wallets.accounts.models import Account
from wallets.errors import Conflict
from wallets.input import Input
from wallets.money import ZERO

LONGEST_NAME: Final = 200
LONGEST_NOTE: Final = 500


class NothingListed(Conflict):
    """The account's price book has no version in force then: there is nothing to take percent off."""

    code = "no_list_prices"


def negotiate_prices(
    *,
    account: Account,
    percent_off: Decimal,
    prices: Sequence[PriceTerms],
    effective_at: datetime,
    at: datetime,
    until: datetime | None = None,
    reason: str = "",
) -> PriceVersion:
    """Let the account pay its book's prices less `percent_off` from `effective_at` on, and `prices` instead of list prices of
    the same meter, currency, match and schedule. What was negotiated before ends then, also what was agreed for later.

    effective_at: not before `at` (I8).  until: when the account is back to list prices; None is never. The answer is the
    version it pays from `effective_at` on; a change of the list makes another. Raises NothingListed, AccountPinned,
    AssignmentTimeTaken, PricesRefused, InvalidInput.
    """
    check = Input()
    check.moment("effective_at", effective_at)
    if until is not None:
        check.moment("until", until)
    check.amount("percent_off", percent_off, largest=HUNDRED)
    note = check.text("reason", reason, longest=LONGEST_NOTE)
    check.refuse("The prices cannot be negotiated like this.")
    check.expect("effective_at", effective_at >= at, f"now ({at.isoformat()}) or later: prices do not move under anyone")
    check.expect("until", until is None or until > effective_at, "later than effective_at")
    check.expect("percent_off", percent_off > ZERO or prices, "more than zero, or prices")
    check.refuse("The prices cannot be negotiated like this.")
    check_not_pinned(account=account, at=effective_at)
    with transaction.atomic():
        base, used = _base(account, effective_at)
        base = PriceBook.objects.select_for_update().get(pk=base.pk)
        if prices:
            _check_prices(prices, base, account)
        book = _book(account, base, at)
        first = _derive_all(book, base, percent_off, prices, effective_at, at, note)
        # Ends that were agreed before and lie ahead: nothing was rated with them.
        Assignment.objects.filter(account=account, book=base, effective_at__gt=effective_at).delete()
        if used != book.pk:
            assign_price_book(account=account, book=book, effective_at=effective_at, at=at)
        if until is not None:
            assign_price_book(account=account, book=base, effective_at=until, at=at)
    return first


def _base(account: Account, at: datetime) -> tuple[PriceBook, int | None]:
    """The list book an account's prices are made of at a time, and the row id of the book assigned to it then."""
    assigned = Assignment.objects.filter(account=account, effective_at__lte=at).select_related("book__base")
    last = assigned.order_by("-effective_at", "-id").first()
    book = last.book if last else PriceBook.objects.filter(is_default=True).first()
    if book is None:
        raise NothingListed(f"Account {account.key} has no price book then.")
    return book.base or book, last.book_id if last else None


def _check_prices(prices: Sequence[PriceTerms], base: PriceBook, account: Account) -> None:
    checked_meters(prices, currency=base.currency)
    held = currencies_of(account)
    lacking = {
        f"prices.{row}.currency": f"a currency the account has a wallet in: {', '.join(sorted(held)) or 'none'}"
        for row, price in enumerate(prices)
        if (price.currency or base.currency) not in held
    }
    if lacking:
        raise PricesRefused("Some prices are in a currency the account has no wallet in.", fields=lacking)


def _book(account: Account, base: PriceBook, at: datetime) -> PriceBook:
    found = PriceBook.objects.select_for_update().filter(account=account, base=base).first()
    if found is not None:
        return found
    name = f"{account.key}: {base.name}"
    if len(name) > LONGEST_NAME or PriceBook.objects.filter(name=name).exists():
        name = f"{account.key}: {base.public_id}"
    return PriceBook.objects.create(account=account, base=base, name=name, currency=base.currency, created_at=at)


def _derive_all(
    book: PriceBook,
    base: PriceBook,
    percent_off: Decimal,
    prices: Sequence[PriceTerms],
    effective_at: datetime,
    at: datetime,
    note: str,
) -> PriceVersion:
    """The versions of a negotiated book from `effective_at` on: one now, one for every version of the list that is published
    for later, one for every change that was agreed for later (which these terms replace)."""
    listed, agreed = published_of(base.pk), published_of(book.pk)
    later = {*times_after(listed, effective_at), *times_after(agreed, effective_at)}
    made = [
        derive_version(book=book, base=version, percent_off=percent_off, overrides=prices, effective_at=time, at=at, note=note)
        for time in (effective_at, *sorted(later))
        if (version := version_at(listed, time)) is not None
    ]
    if not made:
        raise NothingListed(f"{base.name} has no published prices then.")
    return made[0]
