"""Northwind AI, the demo company: an LLM API vendor with prices, customers and sixty days behind it.

`seed_demo` makes it once; a second call finds it, and one after a crash finishes what the first began. The same seed and
time give the same balances to the last decimal. Passwords and the API key are random, and told only when they are made.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from billing_site.backoffice.roles import grant_roles
from billing_site.demo.customers import CUSTOMERS
from billing_site.demo.history import History, live_through, usual_total
from billing_site.demo.offers import sell_offers
from billing_site.demo.prices import define_meters, publish_first_prices
from metering.ingest.models import ReplayCheckpoint
from metering.usage.close_periods import close_periods
from wallets.accounts.models import Account, Member, User
from wallets.api_keys.issue import issue_api_key, revoke_api_key
from wallets.api_keys.models import SCOPES, ApiKey

VENDOR: Final = "northwind.example"
KEY_NAME: Final = "Demo backend"
ACCOUNT: Final = "acme"  # whom the first curl charges
CHECKPOINT: Final = "demo company"
DAYS: Final = 60
SEED: Final = 7
LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


class Person(NamedTuple):
    """Someone who signs in. account: empty for the vendor's own people."""

    role: str
    name: str
    email: str
    what: str
    account: str = ""


ROLES_OF: Final = {
    "finance": ("operator", "controller", "pricing manager"),
    "approver": ("approver",),
    "support": ("support",),
}
"""Person's role -> roles in the back office."""


def people() -> list[Person]:
    """The demo's logins: the vendor's first."""
    vendor = [
        Person("finance", "Fiona Finance", f"fiona@{VENDOR}", "everything in the back office"),
        Person("approver", "Apollo Approver", f"apollo@{VENDOR}", "the second pair of eyes: approves what Fiona asks for"),
        Person("support", "Sam Support", f"sam@{VENDOR}", "answers customers: may look at everything in the back office"),
    ]
    return vendor + [
        Person(
            "customer", plan.login, f"{plan.login.split()[0].lower()}@{plan.key}.example", f"{plan.name}: {plan.note}", plan.key
        )
        for plan in CUSTOMERS
        if plan.login
    ]


def seed_demo(
    *,
    at: datetime,
    seed: int = SEED,
    days: int = DAYS,
    events: int | None = None,
    renew: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> dict[str, Any]:
    """Make the demo company, with `days` days of history that end at `at`, unless it is there.

    events: about how many (None: those of ordinary habits, some 88,000 in 60 days); money is scaled alike.  renew: make a
    new password and API key where they were made by an earlier call.  on_progress is told steps done and steps in all.

    Returns `logins` (role, email, password, what), `api_key`, `account`, and `events` accepted by this call; `password` and
    `api_key` are None when they were made by an earlier call.
    """
    scale = Decimal(1) if events is None else (Decimal(events) / usual_total(days=days)).quantize(Decimal("0.0001"))
    checkpoint, new = ReplayCheckpoint.objects.get_or_create(
        key=CHECKPOINT,
        defaults={
            "file_name": f"{days} days, seed {seed}, scale {scale}",
            "shift": timedelta(days=days),
            "started_at": at,
            "updated_at": at,
        },
    )
    history = History(at=at, days=days, seed=seed, scale=scale) if new else _as_begun(checkpoint)
    if checkpoint.finished_at is None:
        grant_roles()
        define_meters(at=history.start)
        publish_first_prices(at=history.start)
        live_through(history, checkpoint, on_progress=on_progress)
        close_periods(at=history.at)
        sell_offers(at=history.at, scale=history.scale)
    logins, api_key = _logins(renew=renew, at=at), _api_key(renew=renew, at=at)
    if checkpoint.finished_at is None:
        checkpoint.finished_at = at
        checkpoint.save(update_fields=["finished_at"])
    return {"logins": logins, "api_key": api_key, "account": ACCOUNT, "events": history.events}


def _as_begun(checkpoint: ReplayCheckpoint) -> History:
    """The history that the call which made this checkpoint had begun."""
    _, seed, scale = (part.split()[-1] for part in checkpoint.file_name.split(", "))
    return History(at=checkpoint.started_at, days=checkpoint.shift.days, seed=int(seed), scale=Decimal(scale))


def _logins(*, renew: bool, at: datetime) -> list[dict[str, str | None]]:
    """The people; those who are missing are made, with one new password for all of them."""
    everybody = people()
    known = {user.email: user for user in User.objects.filter(email__in=[person.email for person in everybody])}
    password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
    hashed = make_password(password) if renew or len(known) < len(everybody) else ""
    logins: list[dict[str, str | None]] = []
    for person in everybody:
        if person.email not in known:
            _add(person, hashed, at=at)
        elif renew:
            User.objects.filter(pk=known[person.email].pk).update(password=hashed)
        told = renew or person.email not in known
        logins.append({"role": person.role, "email": person.email, "password": password if told else None, "what": person.what})
    return logins


def _add(person: Person, hashed: str, *, at: datetime) -> None:
    first, _, last = person.name.partition(" ")
    user = User.objects.create(
        email=person.email,
        first_name=first,
        last_name=last,
        password=hashed,
        is_staff=not person.account,
        is_superuser=person.role == "finance",
        date_joined=at,
    )
    if person.account:
        account = Account.objects.get(key=person.account)
        Member.objects.create(account=account, user=user, role=Member.Role.OWNER, created_at=at)
    else:
        user.groups.add(*Group.objects.filter(name__in=ROLES_OF[person.role]))


def _api_key(*, renew: bool, at: datetime) -> str | None:
    """The vendor's backend key, if it has to be made."""
    known = ApiKey.objects.filter(name=KEY_NAME, account__isnull=True, revoked_at__isnull=True)
    if known.exists() and not renew:
        return None
    for api_key in known:
        revoke_api_key(api_key=api_key, at=at)
    return issue_api_key(name=KEY_NAME, scopes=SCOPES, at=at).secret
