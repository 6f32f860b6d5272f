"""Privacy: what is kept and how long, everything as a file, the end of the account, and of one's own name here."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from billing_site.backoffice.again import asks_again
from billing_site.portal.access import Customer, person_page
from billing_site.privacy.close import close_customer
from billing_site.privacy.erase import erase_account, erase_person
from billing_site.privacy.export import export_zip
from billing_site.privacy.register import PERSONAL, Kept
from billing_site.sign_in.where import address_of
from wallets.accounts.models import Account
from wallets.audit.record import record_change
from wallets.clock import now
from wallets.errors import InvalidInput, Refusal


@dataclass(frozen=True, slots=True)
class PrivacyPage:
    """Everything on the page. may_export, may_close: by whoever looks."""

    account_key: str
    account_name: str
    email: str
    kept: tuple[Kept, ...]
    may_export: bool
    may_close: bool
    closed: bool
    problem: str = ""


@require_safe
@person_page
def privacy(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """What is kept, and what can be done about it."""
    return _show(request, customer, customer.account(account))


@require_safe
@asks_again
@person_page
def download(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """Everything, as a ZIP of JSON; in the audit log."""
    owned = customer.with_right("export", account)
    _record(request, customer, owned, "Download the data")
    answer = StreamingHttpResponse(export_zip(account=owned, user=customer.user, at=now()), content_type="application/zip")
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="{"".join(c if c.isalnum() else "-" for c in owned.key)}.zip"'
    )
    return answer  # type: ignore[return-value]  # a page may stream


@require_http_methods(["POST"])
@asks_again
@person_page
def close(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """Close the account (`what=close`), or take its names out once it is closed (`erase`)."""
    owned = customer.with_right("close", account)
    try:
        if request.POST.get("key", "").strip() != owned.key:
            raise InvalidInput(f"Type the account's key, {owned.key}, to say that you mean it.")
        if request.POST.get("what") == "erase":
            with transaction.atomic():
                erase_account(account=owned, at=now())
                _record(request, customer, owned, "Delete the account")
        else:
            close_customer(account=owned, by=customer.user, at=now())
            _record(request, customer, owned, "Close the account")
    except Refusal as refusal:
        return _show(request, customer, owned, problem=refusal.message)
    return redirect("portal:privacy", account=owned.key)


@require_http_methods(["POST"])
@asks_again
@person_page
def delete_me(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """Take one's own name out of everything, and go."""
    owned = customer.account(account)
    try:
        if request.POST.get("email", "").strip().lower() != customer.user.email:
            raise InvalidInput(f"Type your address, {customer.user.email}, to say that you mean it.")
        with transaction.atomic():
            _record(request, customer, owned, "Delete oneself")
            erase_person(user=customer.user)
    except Refusal as refusal:
        return _show(request, customer, owned, problem=refusal.message)
    logout(request)
    return redirect("portal:login")


def _show(request: HttpRequest, customer: Customer, account: Account, *, problem: str = "") -> HttpResponse:
    page = PrivacyPage(
        account_key=account.key,
        account_name=account.name,
        email=customer.user.email,
        kept=PERSONAL,
        may_export=customer.may("export", account),
        may_close=customer.may("close", account),
        closed=account.closed_at is not None,
        problem=problem,
    )
    return render(request, "portal/privacy.html", {"page": page}, status=422 if problem else 200)


def _record(request: HttpRequest, customer: Customer, account: Account, action: str) -> None:
    record_change(
        actor=customer.user, action=action, subject_kind="wallets.account", subject=account.key, before={}, after={}, reason="",
        at=now(), account=account, address=address_of(request),
    )  # fmt: skip
