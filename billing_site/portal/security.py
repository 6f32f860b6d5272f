"""Security: how this person signs in, and what else to turn on."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing_site.portal.access import Customer, customer_page


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


@require_safe
@customer_page
def security(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Of the person who signed in; `?account=KEY` only says where they came from."""
    key = request.GET.get("account", "")
    page = read_security_page(customer, account_key=customer.account(key).key if key else "")
    return render(request, "portal/security.html", {"page": page})


def read_security_page(customer: Customer, *, account_key: str) -> SecurityPage:
    """The page as it is now."""
    kinds = list(Authenticator.objects.filter(user=customer.user).values_list("type", flat=True))
    return SecurityPage(
        account_key=account_key,
        email=customer.user.email,
        has_password=customer.user.has_usable_password(),
        app=Authenticator.Type.TOTP in kinds,
        passkeys=kinds.count(Authenticator.Type.WEBAUTHN),
        codes=Authenticator.Type.RECOVERY_CODES in kinds,
        sessions=len(UserSession.objects.purge_and_list(customer.user)),
    )
