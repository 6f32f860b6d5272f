"""API keys of one account, and how to send an event and ask the gate with one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from billing_site.portal.access import Customer, customer_page
from pricing.meters.models import Meter
from wallets.accounts.models import Account
from wallets.api_keys.issue import IssuedKey, issue_api_key, revoke_api_key
from wallets.api_keys.models import ApiKey
from wallets.api_keys.rotate import rotate_api_key
from wallets.audit.record import record_change
from wallets.clock import now
from wallets.errors import InvalidInput, NotFound, Refusal

SCOPE_WORDS: Final = {
    "events:write": _("send usage"),
    "gate:check": _("ask whether a call may go on"),
    "holds:write": _("set credit aside"),
    "accounts:read": _("read balance, credit and statements"),
    "reports:read": _("read usage"),
    "wallets:write": _("top up and change wallets"),
}
MOST_SHOWN: Final = 100
OVERLAPS: Final = ((0, _("ends at once")), (24, _("works one more day")), (168, _("works one more week")))
LIVES: Final = (("", _("never")), ("30", _("in 30 days")), ("90", _("in 90 days")), ("365", _("in a year")))


@dataclass(frozen=True, slots=True)
class KeyShown:
    """One key. works: it can be used now."""

    prefix: str
    name: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    works: bool


@dataclass(frozen=True, slots=True)
class DevelopersPage:
    """Everything on the page. secret: of a key made just now, shown this once; key: what the examples say."""

    account_key: str
    account_name: str
    keys: list[KeyShown]
    past: int
    scopes: list[tuple[str, str]]
    overlaps: Sequence[tuple[int, Any]]
    lives: Sequence[tuple[str, Any]]
    api: str
    key: str
    event_type: str
    properties: str
    secret: str = ""
    secret_name: str = ""
    problem: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def developers(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """Show the keys. POST makes one (`what=issue`), puts a new one in an old one's place (`rotate`), or ends one (`revoke`).
    A new secret is in the answer to its POST and nowhere else."""
    owner = customer.with_right("keys", account)
    if request.method != "POST":
        return render(request, "portal/developers.html", {"page": read_developers_page(owner, at=now())})
    try:
        with transaction.atomic():
            issued = _do(request, customer, owner, at=now())
    except Refusal as refusal:
        page = read_developers_page(owner, at=now(), problem=refusal.message)
        return render(request, "portal/developers.html", {"page": page}, status=422)
    if issued is None:
        return redirect("portal:developers", account=owner.key)
    page = read_developers_page(owner, at=now(), issued=issued)
    return render(request, "portal/developers.html", {"page": page}, status=201)


def read_developers_page(
    account: Account, *, at: datetime, issued: IssuedKey | None = None, problem: str = ""
) -> DevelopersPage:
    """The page as of `at`."""
    rows = list(ApiKey.objects.filter(account=account).order_by("-created_at", "-pk")[:MOST_SHOWN])
    keys = [_shown(row, at) for row in rows]
    meter = Meter.objects.filter(archived_at__isnull=True).order_by("pk").first()
    working = [key for key in keys if key.works]
    return DevelopersPage(
        account_key=account.key,
        account_name=account.name,
        keys=working,
        past=len(keys) - len(working),
        scopes=[(scope, str(SCOPE_WORDS.get(scope, scope))) for scope in settings.CUSTOMER_KEY_SCOPES],
        overlaps=OVERLAPS,
        lives=LIVES,
        api=f"{settings.SITE_URL}/api/v1",
        key=issued.secret if issued else f"{working[0].prefix}_…" if working else "key_…",
        event_type=meter.event_type if meter else "request",
        properties=json.dumps({meter.property: 1} if meter and meter.property else {}),
        secret=issued.secret if issued else "",
        secret_name=issued.api_key.name if issued else "",
        problem=problem,
    )


def _shown(row: ApiKey, at: datetime) -> KeyShown:
    works = row.revoked_at is None and (row.expires_at is None or row.expires_at > at)
    return KeyShown(row.prefix, row.name, row.scopes, row.created_at, row.last_used_at, row.expires_at, works)


def _do(request: HttpRequest, customer: Customer, account: Account, *, at: datetime) -> IssuedKey | None:
    """The change, and its line in the audit log."""
    said, what = request.POST, request.POST.get("what", "")
    issued: IssuedKey | None = None
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    if what == "issue":
        scopes = said.getlist("scopes")
        refused = sorted(set(scopes) - set(settings.CUSTOMER_KEY_SCOPES))
        if refused:
            raise InvalidInput("A key cannot have this.", fields={"scopes": f"of {', '.join(settings.CUSTOMER_KEY_SCOPES)}"})
        issued = issue_api_key(
            name=said.get("name", ""), scopes=scopes, at=at, account=account, expires_at=_ends(said.get("life", ""), at),
            actor=customer.user.email,
        )  # fmt: skip
        subject, after = issued.api_key.prefix, {"name": issued.api_key.name, "scopes": issued.api_key.scopes}
    else:
        key = ApiKey.objects.filter(account=account, prefix=said.get("key", "")).first()
        if key is None:
            raise NotFound("There is no such key.")
        subject, before = key.prefix, {"name": key.name}
        if what == "rotate":
            hours = said.get("overlap", "24")
            issued = rotate_api_key(
                api_key=key, overlap_hours=int(hours) if hours.isdecimal() else -1, at=at, actor=customer.user.email
            )
            after = {"name": key.name, "key": issued.api_key.prefix}
        elif what == "revoke":
            revoke_api_key(api_key=key, at=at)
        else:
            raise InvalidInput("Choose what to do.")
    record_change(
        actor=customer.user, action=f"API key: {what}", subject_kind="wallets.apikey", subject=subject, before=before,
        after=after, reason="", at=at, account=account, address=request.META.get("REMOTE_ADDR", ""),
    )  # fmt: skip
    return issued


def _ends(days: str, at: datetime) -> datetime | None:
    """The end of that day, UTC."""
    if days not in dict(LIVES):
        raise InvalidInput("Choose when it ends.", fields={"life": "one of the choices"})
    return datetime.combine((at + timedelta(days=int(days))).date(), time(), UTC) if days else None
