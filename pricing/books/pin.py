"""Grandfathering: hold an account at a version until a date, whatever its book does meanwhile."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from pricing.books.fit import check_fits
from pricing.books.models import PriceVersion, VersionPin
from wallets.accounts.models import Account
from wallets.errors import Conflict
from wallets.input import Input


class AccountPinned(Conflict):
    """The account is pinned to a version for some of this time."""

    code = "account_pinned"


class PinEnded(Conflict):
    """The pin has ended already."""

    code = "pin_ended"


def pin_version(
    *,
    account: Account,
    version: PriceVersion,
    effective_at: datetime,
    until: datetime,
    at: datetime,
    reason: str = "",
    actor: str = "",
) -> VersionPin:
    """Let the account pay the prices of `version` from `effective_at` until before `until`; then its book's again.

    effective_at: not before `at`, since prices do not move under anyone (I8), nor before the version takes effect. Raises
    AccountPinned, PriceBookUnfit, InvalidInput.
    """
    check = Input()
    check.moment("effective_at", effective_at)
    check.moment("until", until)
    reason = check.text("reason", reason, longest=500)
    check.refuse("The account cannot be pinned like this.")
    check.expect("effective_at", effective_at >= at, f"now ({at.isoformat()}) or later: prices do not move under anyone")
    check.expect("until", until > effective_at, "later than effective_at")
    taken = version.effective_at
    if check.expect("version", taken is not None and version.status == PriceVersion.Status.PUBLISHED, "a published version"):
        assert taken is not None, "version_published_has_its_times"
        check.expect("effective_at", effective_at >= taken, f"{taken.isoformat()}, when the version takes effect, or later")
    check.refuse("The account cannot be pinned like this.")
    check_fits(book=version.book, account=account, field="version")
    try:
        with transaction.atomic():
            return VersionPin.objects.create(
                account=account,
                version=version,
                effective_at=effective_at,
                until=until,
                reason=reason,
                actor=actor,
                created_at=at,
            )
    except IntegrityError as error:
        if "pins_of_an_account_do_not_overlap" not in str(error):
            raise
        raise AccountPinned(f"Account {account.key} is pinned to a version for some of this time already.") from error


def end_pin(*, pin: VersionPin, at: datetime) -> VersionPin:
    """Let the account go back to its book's prices now; what was rated until now stays. Raises PinEnded."""
    with transaction.atomic():
        held = VersionPin.objects.select_for_update(of=("self",)).select_related("account", "version__book").get(pk=pin.pk)
        if held.until <= at:
            raise PinEnded("The pin has ended already.")
        held.until = max(at, held.effective_at)
        held.save(update_fields=["until"])
    return held


def check_not_pinned(*, account: Account, at: datetime) -> None:
    """Raise AccountPinned when a pin decides what the account pays at `at`."""
    pin = VersionPin.objects.filter(account=account, effective_at__lte=at, until__gt=at).first()
    if pin is not None:
        raise AccountPinned(
            f"Account {account.key} is pinned to a version until {pin.until.isoformat()}: take effect then, or end the pin."
        )
