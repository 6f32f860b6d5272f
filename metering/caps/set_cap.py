"""Set and remove spend caps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from metering.caps.count import count_since
from metering.caps.models import CapProperties, SpendCap
from metering.caps.window import window_of
from pricing.meters.models import Meter
from wallets.accounts.models import Account
from wallets.balances.lock import lock_wallets
from wallets.balances.models import Wallet
from wallets.errors import Conflict
from wallets.input import Input
from wallets.outbox.topics import AccountsChanged
from wallets.outbox.write import add_news

MOST_CAPS: Final = 100  # of an account; the gate reads them all before a call


class TooManyCaps(Conflict):
    """The account has as many spend caps as the gate looks at."""

    code = "too_many_caps"


@dataclass(frozen=True, slots=True)
class CapTerms:
    """What is capped. value: one of the account's teams, users, API keys or cost centres; empty: each of them for itself.
    window: day, month (of the account's time zone) or total.  limit: money of `currency`, or units of `meter` (a code)."""

    scope: str
    window: str
    limit: Decimal
    value: str = ""
    currency: str = ""
    meter: str = ""


def set_cap(*, account: Account, terms: CapTerms, at: datetime, actor: str = "") -> SpendCap:
    """Cap what is charged for an account or one or each of its teams (users, …); a limit of zero lets nothing through.

    A cap for the same thing gets the new limit; a new one has counted from the start of its window.
    Raises InvalidInput, TooManyCaps, LockBusy.
    """
    check = Input()
    check.choice("scope", terms.scope, [str(one) for one in SpendCap.Scope])
    check.choice("window", terms.window, [str(one) for one in SpendCap.Window])
    value = check.text("value", terms.value, longest=255)
    check.expect("value", terms.scope != SpendCap.Scope.ACCOUNT or not value, "empty for the account as a whole")
    check.amount("limit", terms.limit)
    if check.expect("currency", bool(terms.currency) != bool(terms.meter), "either a currency or a meter") and terms.currency:
        check.currency(terms.currency)
    meter = Meter.objects.filter(code=terms.meter).first() if terms.meter else None
    check.expect("meter", not terms.meter or meter is not None, "the code of a meter")
    actor = check.text("actor", actor, longest=200)
    check.refuse("The spend cap cannot be set like this.")
    what: dict[str, Any] = {
        "scope": terms.scope,
        "value": value,
        "window": terms.window,
        "currency": terms.currency,
        "meter": meter,
    }
    with transaction.atomic():
        _lock(account)
        in_force = SpendCap.objects.filter(account=account, state=SpendCap.State.ACTIVE)
        same = in_force.filter(**what)
        cap = same.first()
        if cap is not None:
            same.update(limit=terms.limit, set_at=at, actor=actor)
            cap.counters.filter(reached_at__isnull=False, used__lt=terms.limit).update(reached_at=None)
        else:
            if in_force.count() >= MOST_CAPS:
                raise TooManyCaps(f"Account {account.key} has {MOST_CAPS} spend caps; remove one first.")
            cap = SpendCap.objects.create(
                bucket=account.bucket, account=account, limit=terms.limit, set_at=at, actor=actor, **what
            )
            start, _ = window_of(terms.window, at, account.time_zone)
            count_since(cap_id=cap.pk, since=start, bucket=account.bucket, at=at)
        _tell(account, at)
    return SpendCap.objects.select_related("account", "meter").get(pk=cap.pk)


def remove_cap(*, cap: SpendCap, at: datetime, actor: str = "") -> SpendCap:
    """Let go of a spend cap; once removed it stays so. Raises LockBusy."""
    with transaction.atomic():
        _lock(cap.account)
        in_force = SpendCap.objects.filter(pk=cap.pk, state=SpendCap.State.ACTIVE)
        in_force.update(state=SpendCap.State.REMOVED, removed_at=at, actor=actor[:200])
        _tell(cap.account, at)
    return SpendCap.objects.select_related("account", "meter").get(pk=cap.pk)


def set_cap_properties(*, account: Account, at: datetime, **names: str) -> CapProperties:
    """Say which property of the account's events names the team, user, api_key or cost_centre; what is not said stays.

    What was counted before stays counted as it was. Raises InvalidInput, LockBusy.
    """
    check = Input()
    known = {"team", "user", "api_key", "cost_centre"}
    for scope, name in names.items():
        check.expect(scope, scope in known, f"one of {', '.join(sorted(known))}")
        check.text(scope, name, longest=120, required=True)
    check.refuse("The properties cannot be named like this.")
    with transaction.atomic():
        _lock(account)
        properties, _ = CapProperties.objects.update_or_create(account=account, defaults=names)
        _tell(account, at)
    return properties


def _lock(account: Account) -> None:
    """Lock the account and its wallets: nothing is charged, and no wallet opened, until this transaction ends."""
    Account.objects.select_for_update().get(pk=account.pk)
    wallets = Wallet.objects.filter(account=account)
    lock_wallets(list(wallets.values_list("pk", flat=True)), bucket=account.bucket)


def _tell(account: Account, at: datetime) -> None:
    """Have charges of the account counted, or not any more, and have the gate look again."""
    has_caps = SpendCap.objects.filter(account=account, state=SpendCap.State.ACTIVE).exists()
    Wallet.objects.filter(bucket=account.bucket, account=account).update(has_caps=has_caps)
    add_news([("", AccountsChanged([account.pk]))], at=at, bucket=account.bucket)
