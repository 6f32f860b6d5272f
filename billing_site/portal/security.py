"""Security: how this person signs in, and what else to turn on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from billing_site.portal.access import Customer, person_page
from wallets.clock import now
from wallets.visits.models import SIGN_INS_KEPT_DAYS, SignIn, SupportVisit

SHOWN: Final = 50
WAYS: Final = {"password": _("password"), "code": _("mailed link"), "mfa": _("second factor"), "sign-up": _("sign-up")}


@dataclass(frozen=True, slots=True)
class SignInShown:
    """One time somebody came in, or was refused."""

    at: datetime
    refused: bool
    how: str
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class VisitShown:
    """One look of support at an account's pages."""

    account_name: str
    who: str
    reason: str
    began_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SecurityPage:
    """The page. account_key: whose pages one came from; empty: nobody's. app, codes: whether there is an authenticator app,
    and recovery codes."""

    account_key: str
    email: str
    has_password: bool
    app: bool
    passkeys: int
    codes: bool
    sessions: int
    sign_ins: list[SignInShown]
    visits: list[VisitShown]
    kept_days: int = SIGN_INS_KEPT_DAYS


@require_safe
@person_page
def security(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Of the person who signed in; `?account=KEY` only says where they came from."""
    key = request.GET.get("account", "")
    page = read_security_page(customer, account_key=customer.account(key).key if key else "")
    return render(request, "portal/security.html", {"page": page})


def read_security_page(customer: Customer, *, account_key: str) -> SecurityPage:
    """The page as it is now."""
    rows = SignIn.objects.filter(user=customer.user).order_by("-at", "-id")[:SHOWN]
    visits = SupportVisit.objects.filter(account__in=customer.accounts().order_by()).select_related("account", "user")
    mine = UserSession.objects.filter(user=customer.user).values("session_key")
    kinds = list(Authenticator.objects.filter(user=customer.user).values_list("type", flat=True))
    return SecurityPage(
        account_key=account_key,
        email=customer.user.email,
        has_password=customer.user.has_usable_password(),
        app=Authenticator.Type.TOTP in kinds,
        passkeys=kinds.count(Authenticator.Type.WEBAUTHN),
        codes=Authenticator.Type.RECOVERY_CODES in kinds,
        sessions=Session.objects.filter(session_key__in=mine, expire_date__gt=now()).count(),
        sign_ins=[
            SignInShown(
                at=one.at,
                refused=one.outcome == SignIn.Outcome.REFUSED,
                how=", ".join(str(WAYS.get(way, way)) for way in one.method.split()),
                address=one.address or "",
                agent=one.agent,
            )
            for one in rows
        ],
        visits=[
            VisitShown(one.account.name, one.user.get_full_name() or one.user.email, one.reason, one.began_at, one.ends_at)
            for one in visits.order_by("-began_at", "-id")[:SHOWN]
        ],
    )
