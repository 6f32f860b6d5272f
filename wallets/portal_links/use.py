"""Use a link, once; and whether its session is still open."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q

from wallets.errors import NotFound
from wallets.portal_links.make import hash_of
from wallets.portal_links.models import PortalLink


class LinkOver(NotFound):
    """The link was used, is past its time, or never was."""

    code = "portal_link_over"


def use_link(*, token: str, at: datetime) -> PortalLink:
    """Claim the link: of many who come with it at once, one gets it. Raises LinkOver."""
    key = hash_of(token[:200])
    minutes = PortalLink.objects.filter(token_hash=key).values_list("session_minutes", flat=True).first() or 0
    free = PortalLink.objects.filter(token_hash=key, used_at__isnull=True, expires_at__gt=at)
    if not minutes or free.update(used_at=at, ends_at=at + timedelta(minutes=minutes)) != 1:
        raise LinkOver("This link was used, or its time is over. Go back to where you found it and ask for another.")
    link = open_link(pk=PortalLink.objects.values_list("pk", flat=True).get(token_hash=key), at=at)
    if link is None:
        raise LinkOver("This link opens nothing any more.")
    return link


def open_link(*, pk: int, at: datetime) -> PortalLink | None:
    """The link, with its account and person, while its session is open: not past its end, the account not closed, the person
    still a member. One query."""
    found = PortalLink.objects.select_related("account", "user").filter(pk=pk, ends_at__gt=at, account__closed_at__isnull=True)
    still = Q(user__isnull=True) | Q(user__is_active=True, user__memberships__account=F("account"))
    return found.filter(still).first()


def end_link(*, link: PortalLink, at: datetime) -> None:
    """Close its session."""
    PortalLink.objects.filter(pk=link.pk, ends_at__gt=at).update(ends_at=at)
