"""Coming in by a one-time link. Its session sees one account: as the member it was made for, without what is only theirs after
signing in themselves, or as a guest who reads. Everywhere else on the site it is nobody's session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from billing_site.sign_in.where import address_of, agent_of
from wallets.accounts.models import User
from wallets.audit.record import record_change
from wallets.clock import now
from wallets.errors import Refusal
from wallets.portal_links.models import PortalLink
from wallets.portal_links.use import end_link, open_link, use_link
from wallets.visits.models import SignIn
from wallets.visits.sign_ins import record_sign_in

IN_SESSION: Final = "portal_link"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_TRIES: Final = 30
"""In a minute from one address."""
# Where a link's session is nobody's: signing in, and coming in by another link.
NOBODYS: Final = frozenset({"login", "enter", "unsubscribe", "widget"})
# What is about the person, or needs them to have signed in themselves.
NOT_BY_LINK: Final = frozenset(
    {
        "security",
        "privacy",
        "download",
        "close",
        "delete_me",
        "start",
        "invitation",
        "support",
        "end_support",
        "confirm_withdraw",
    }
)


class LinkSessions:
    """Middleware: who a session that began with a link is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        link = None if request.path.startswith(("/api/", "/gate/", "/static/")) else _link_in(request)
        request.portal_link = link  # type: ignore[attr-defined]
        if link is not None:
            request.user = link.user or User(email="")
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Raises PermissionDenied."""
        link, match = link_of(request), request.resolver_match
        if link is None or match is None:
            return
        if match.namespace != "portal" or match.url_name in NOBODYS:
            request.user = AnonymousUser()
        elif match.url_name in NOT_BY_LINK or (
            link.read_only and request.method not in SAFE and match.url_name not in {"logout", "leave"}
        ):
            raise PermissionDenied


def link_of(request: HttpRequest) -> PortalLink | None:
    """The link this session began with, while it is open."""
    return getattr(request, "portal_link", None)


@require_safe
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Follow the link. Whoever was signed in with this browser is not any more. A HEAD uses nothing up."""
    if _tries(request) > MOST_TRIES:
        return render(request, "429.html", status=429)
    if request.method == "HEAD":
        return HttpResponse()
    at = now()
    try:
        with transaction.atomic():
            link = use_link(token=token, at=at)
            record_change(
                actor=link.user or "portal link", action="Open the portal by a link", subject_kind="wallets.portallink",
                subject=link.public_id, before={}, after={"read_only": link.read_only, "until": link.ends_at},
                reason=f"made by {link.made_by}", at=at, account=link.account, address=address_of(request),
            )  # fmt: skip
            if link.user is not None:
                method, agent = "link", agent_of(request)
                outcome = SignIn.Outcome.IN
                record_sign_in(user=link.user, outcome=outcome, method=method, address=address_of(request), agent=agent, at=at)
    except Refusal as refusal:
        return render(request, "portal/link_over.html", {"problem": refusal.message}, status=404)
    request.session.flush()
    request.session[IN_SESSION] = link.pk
    request.session.set_expiry(link.session_minutes * 60)
    response = redirect(f"{reverse('portal:balance')}?account={link.account.key}")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """End the session of a link, and go back to where it came from."""
    link = link_of(request)
    back = "" if link is None else link.return_url
    if link is not None:
        end_link(link=link, at=now())
        request.session.flush()
    return redirect(back or "portal:login")


def _tries(request: HttpRequest) -> int:
    """How often this address came with a link in this minute; open while Redis is away."""
    key = f"portal_link:{address_of(request)}:{now():%H%M}"
    cache.add(key, 0, 60)
    return cache.incr(key)


def _link_in(request: HttpRequest) -> PortalLink | None:
    pk = request.session.get(IN_SESSION)
    link = open_link(pk=pk, at=now()) if pk else None
    if pk and link is None:
        request.session.flush()
        request.user = AnonymousUser()
    return link
