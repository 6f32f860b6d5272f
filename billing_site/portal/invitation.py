"""The page behind an invitation's link: who invites you to what, and the button that joins. And the page on which somebody who
is in no account opens one, where everybody may sign up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from billing_site.portal.access import Customer, person_page
from billing_site.portal.team import PERSON, ROLES, Role
from billing_site.sign_in.sign_up import CLOSED, OPEN
from billing_site.sign_in.where import address_of
from pricing.books.open_customer import open_customer
from wallets.accounts.accept_invitation import accept_invitation
from wallets.accounts.add_member import add_member
from wallets.accounts.invite_member import InvitationEnded, invitation_of_link
from wallets.accounts.models import Account, User
from wallets.audit.record import record_change
from wallets.clock import now
from wallets.errors import Refusal
from wallets.ids import new_public_id


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """What the link is about. may_sign_up: whether somebody without a password here can make one."""

    account_name: str
    role_name: str
    role_words: str
    by: str
    email: str
    expires_at: datetime
    may_sign_up: bool


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """For whoever holds the link, signed in or not; joining takes both."""
    try:
        found = invitation_of_link(token=token, at=now())
        if request.method == "POST" and isinstance(request.user, User):
            with transaction.atomic():
                member = accept_invitation(token=token, user=request.user, at=now())
                record_change(
                    actor=request.user, action="Team: join", subject_kind=PERSON, subject=str(request.user.pk),
                    before={}, after={"role": member.role}, reason="", at=now(), account=member.account,
                    address=address_of(request),
                )  # fmt: skip
            request.session.pop("account_verified_email", None)
            return redirect(f"/?account={member.account.key}")
    except InvitationEnded as ended:
        return render(request, "portal/invitation.html", {"ended": ended.message}, status=404)
    except Refusal as refusal:
        return render(request, "portal/invitation.html", {"ended": refusal.message}, status=422)
    if not request.user.is_authenticated:
        # The link was mailed to this address only: whoever has it need not prove the address again.
        get_adapter(request).stash_verified_email(request, found.email)
    name, words = ROLES[Role(found.role)]
    page = InvitationPage(
        found.account.name, str(name), str(words), found.invited_by.email, found.email, found.expires_at,
        may_sign_up=settings.SIGN_UP != CLOSED,
    )  # fmt: skip
    response = render(request, "portal/invitation.html", {"page": page})
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@person_page
def start(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Open an account of one's own; one each, where everybody may sign up."""
    if settings.SIGN_UP != OPEN or customer.accounts().exists():
        raise Http404
    problem = ""
    if request.method == "POST":
        try:
            account = _open(request, customer.user)
        except Refusal as refusal:
            wrong = " ".join(f"{name.capitalize()}: {expected}." for name, expected in refusal.fields.items())
            problem = f"{refusal.message} {wrong}".strip()
        else:
            return redirect(f"/?account={account.key}")
    said = {"name": request.POST.get("name", ""), "country": request.POST.get("country", "")}
    context = {"problem": problem, "said": said, "currencies": settings.SIGN_UP_CURRENCIES}
    return render(request, "portal/start.html", context, status=422 if problem else 200)


def _open(request: HttpRequest, user: User) -> Account:
    """The account, its first wallet and its owner, in one transaction."""
    at = now()
    currency = request.POST.get("currency", "")
    with transaction.atomic():
        customer = open_customer(
            key=new_public_id("cus"),
            name=request.POST.get("name", ""),
            email=user.email,
            currency=currency if currency in settings.SIGN_UP_CURRENCIES else settings.SIGN_UP_CURRENCIES[0],
            country=request.POST.get("country", "").strip().upper(),
            price_book=settings.SIGN_UP_PRICE_BOOK or None,
            at=at,
        )
        User.objects.select_for_update().get(pk=user.pk)  # two tabs open one account
        if user.memberships.exists():
            raise Http404
        add_member(account=customer.account, user=user, role=Role.OWNER, at=at)
        record_change(
            actor=user, action="Sign up", subject_kind="wallets.account", subject=customer.account.key, before={},
            after={"name": customer.account.name}, reason="", at=at, account=customer.account, address=address_of(request),
        )  # fmt: skip
    return customer.account
