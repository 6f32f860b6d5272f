"""Withdraw unused credit: what can go back and to where, one form that asks who is there again, where each withdrawal stands,
and the page behind the link in the e-mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from billing_site.portal.access import Customer, customer_page
from wallets.accounts.models import Account
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.errors import InvalidInput, Refusal
from wallets.money import ZERO
from wallets.refunds.find import withdrawals_of
from wallets.refunds.models import Withdrawal
from wallets.refunds.reauthenticate import has_second_factor
from wallets.refunds.states import CANCELLABLE
from wallets.refunds.withdraw import cancel_withdrawal, confirm_withdrawal, request_withdrawal, withdrawal_of_link
from wallets.refunds.withdrawable import withdrawable

SHOWN: Final = 20
WORDS: Final = {
    "REQUESTED": "waits for you to follow the link in the e-mail",
    "CONFIRMED": "waits for our approval",
    "APPROVED": "approved",
    "PAYING": "on its way",
    "PAID": "paid",
    "CANCELLED": "cancelled",
    "DECLINED": "declined",
    "LAPSED": "nobody confirmed it in time",
    "FAILED": "not paid, or not all of it",
}


@dataclass(frozen=True, slots=True)
class WithdrawalShown:
    """One withdrawal."""

    public_id: str
    amount: Decimal
    paid: Decimal
    currency: str
    words: str
    failure: str
    asked_at: datetime
    payable_at: datetime | None
    may_cancel: bool


@dataclass(frozen=True, slots=True)
class WithdrawPage:
    """The page of one wallet. most: what can be withdrawn now."""

    account_name: str
    account_key: str
    wallet_id: str
    currency: str
    most: Decimal
    asks_code: bool
    under_way: bool
    rows: list[WithdrawalShown]
    problem: str = ""
    said: dict[str, str] = field(default_factory=dict)


@customer_page
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """Show what can go back; ask for it, or cancel."""
    owner = customer.with_right("pay", account)
    wallet = _wallet(request, customer, owner)
    problem = ""
    if request.method == "POST":
        try:
            _do(request, customer, wallet)
        except Refusal as refusal:
            problem = _sentence(refusal)
        else:
            return redirect(f"{request.path}?wallet={wallet.public_id}")
    page = _page(customer, owner, wallet, problem=problem, said={"amount": request.POST.get("amount", "")})
    return render(request, "portal/withdraw.html", {"page": page}, status=422 if problem else 200)


@customer_page
@require_http_methods(["GET", "POST"])
def confirm_withdraw(request: HttpRequest, customer: Customer, token: str) -> HttpResponse:
    """The link in the e-mail: a look confirms nothing, the button does."""
    problem = ""
    found: Withdrawal | None = None
    try:
        found = withdrawal_of_link(token=token, user=customer.user)
        key = found.wallet.account.key
        customer.with_right("pay", key)
        if request.method == "POST":
            confirm_withdrawal(token=token, user=customer.user, at=now())
            return redirect("portal:withdraw", account=key)
    except Refusal as refusal:
        problem = _sentence(refusal)
    context = {"withdrawal": found, "problem": problem, "waits": found is not None and found.state == "REQUESTED"}
    status = 200 if not problem else 422 if found else 404
    return render(request, "portal/withdraw_confirm.html", context, status=status)


def _do(request: HttpRequest, customer: Customer, wallet: Wallet) -> None:
    """Ask, or cancel."""
    if request.POST.get("what") == "cancel":
        row = withdrawals_of(wallet_id=wallet.pk).filter(public_id=request.POST.get("withdrawal", "")).first()
        if row is None:
            raise Http404
        cancel_withdrawal(withdrawal=row, at=now())
        return
    try:
        amount = Decimal(request.POST.get("amount", "").strip())
    except InvalidOperation:
        raise InvalidInput("Give an amount, as 25.00.", fields={"amount": "an amount"}) from None
    request_withdrawal(
        wallet=wallet,
        amount=amount,
        user=customer.user,
        password=request.POST.get("password", ""),
        code=request.POST.get("code", ""),
        note=request.POST.get("note", ""),
        at=now(),
    )


def _wallet(request: HttpRequest, customer: Customer, account: Account) -> Wallet:
    wallets = customer.wallets(account)
    asked = request.GET.get("wallet") or request.POST.get("wallet")
    wallet = wallets.filter(public_id=asked).first() if asked else wallets.first()
    if wallet is None:
        raise Http404
    return wallet


def _page(customer: Customer, account: Account, wallet: Wallet, *, problem: str, said: dict[str, str]) -> WithdrawPage:
    with transaction.atomic():
        most = withdrawable(lock_wallet(wallet.pk), at=now())
    rows = [
        WithdrawalShown(
            public_id=one.public_id,
            amount=one.amount,
            paid=one.paid,
            currency=one.currency,
            words=WORDS[one.state],
            failure=one.failure,
            asked_at=one.created_at,
            payable_at=one.payable_at if one.state in CANCELLABLE else None,
            may_cancel=one.state in CANCELLABLE,
        )
        for one in withdrawals_of(wallet_id=wallet.pk).order_by("-id")[:SHOWN]
    ]
    return WithdrawPage(
        account_name=account.name,
        account_key=account.key,
        wallet_id=wallet.public_id,
        currency=wallet.currency,
        most=max(most, ZERO),
        asks_code=has_second_factor(user=customer.user),
        under_way=any(one.may_cancel or one.words == WORDS["PAYING"] for one in rows),
        rows=rows,
        problem=problem,
        said=said,
    )


def _sentence(refusal: Refusal) -> str:
    wrong = " ".join(f"{name.capitalize()}: {expected}." for name, expected in refusal.fields.items())
    return f"{refusal.message} {wrong}".strip()
