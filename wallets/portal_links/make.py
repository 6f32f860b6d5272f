"""Make a one-time link into the portal."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from wallets.accounts.models import Account, Member
from wallets.errors import Conflict, Refusal
from wallets.ids import new_public_id
from wallets.input import Input
from wallets.portal_links.models import PortalLink

MOST_IN_AN_HOUR: Final = 120
"""Links of one account: whoever needs more has lost count, or the key."""
LONGEST_LINK_SECONDS: Final = 3_600
LONGEST_SESSION_MINUTES: Final = 720


class TooManyLinks(Refusal):
    """The account was given as many links as it may have in an hour."""

    code = "too_many_portal_sessions"


class NoPortal(Conflict):
    """The account is closed: there is nothing to open."""

    code = "account_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTerms:
    """What a link opens. user: e-mail of a member, empty for a guest, who only reads. ttl_seconds: in which it must be used.
    session_minutes: how long it is open then. return_url: where the pages lead back to."""

    user: str = ""
    read_only: bool = True
    ttl_seconds: int = 300
    session_minutes: int = 30
    return_url: str = ""


@dataclass(frozen=True, slots=True)
class MadeLink:
    """The link; url is told once and kept nowhere."""

    link: PortalLink
    url: str


def make_link(*, account: Account, terms: LinkTerms, by: str, at: datetime) -> MadeLink:
    """A link that opens the account's pages once. Raises InvalidInput, NoPortal, TooManyLinks."""
    check = Input()
    check.whole("ttl_seconds", terms.ttl_seconds, least=10, most=LONGEST_LINK_SECONDS)
    check.whole("session_minutes", terms.session_minutes, least=1, most=LONGEST_SESSION_MINUTES)
    url = check.text("return_url", terms.return_url, longest=500)
    check.expect("return_url", not url or url.startswith(("https://", "http://")), "an address that begins with https://")
    email = check.text("user", terms.user, longest=254).lower()
    members = Member.objects.filter(account=account, user__email=email, user__is_active=True).select_related("user")
    member = members.first() if email else None
    check.expect("user", not email or member is not None, "the e-mail address of a member of the account")
    check.expect("read_only", bool(email) or terms.read_only, "true: a guest only reads; name a member in user")
    check.refuse("There is no such link.")
    if account.closed_at is not None:
        raise NoPortal("The account is closed; there is nothing to open.")
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        Account.objects.select_for_update(of=("self",), no_key=True).get(pk=account.pk)
        lately = PortalLink.objects.filter(account=account, created_at__gt=at - timedelta(hours=1))
        if lately.count() >= MOST_IN_AN_HOUR:
            raise TooManyLinks(
                f"{MOST_IN_AN_HOUR} links were made for this account within an hour. Make one when it is needed.",
                extra={"retry_after_seconds": 60},
            )
        link = PortalLink.objects.create(
            public_id=new_public_id("pls"),
            account=account,
            user=None if member is None else member.user,
            read_only=terms.read_only,
            token_hash=hash_of(secret),
            session_minutes=terms.session_minutes,
            return_url=url,
            made_by=by,
            created_at=at,
            expires_at=at + timedelta(seconds=terms.ttl_seconds),
        )
    return MadeLink(link, settings.PORTAL_LINK_URL.replace("{token}", secret))


def hash_of(secret: str) -> str:
    """What is kept of the secret in a link: 256 random bits need no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()
