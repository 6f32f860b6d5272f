"""One top-up: its receipt, or where it stands and what to do about it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from billing_site.csp import allow_card_element, card_element_script
from billing_site.portal.access import Customer, customer_page
from wallets.clock import now
from wallets.errors import Refusal
from wallets.money import plain
from wallets.payments.models import Receipt, TopUp
from wallets.payments.reconcile import look_again
from wallets.payments.start import Started, start_payment
from wallets.payments.states import IN_FLIGHT, PAID, REQUIRES_ACTION
from wallets.payments.terms import tax_label


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """Everything on the page, as values."""

    public_id: str
    account_key: str
    account_name: str
    wallet: str
    currency: str
    state: str
    paid: bool
    in_flight: bool
    asks: bool
    amount: Decimal
    bonus: Decimal
    tax: Decimal
    tax_label: str
    again: str
    fee: Decimal
    total: Decimal
    balance: Decimal
    failure: str
    made_at: datetime
    paid_at: datetime | None
    paid_with: str
    number: str
    seller: list[str]
    buyer: list[str]
    policy: str
    policy_version: int | None
    client_secret: str
    publishable_key: str
    script: str


@require_safe
@customer_page
def receipt(request: HttpRequest, customer: Customer, public_id: str) -> HttpResponse:
    """The top-up; while its card asks for its holder, the provider's script asks them."""
    top_up = customer.top_up(public_id)
    secret = ""
    if top_up.state == REQUIRES_ACTION and customer.may("pay", top_up.wallet.account):
        started = _asked(top_up)
        top_up, secret = started.top_up, started.client_secret
        top_up.wallet.refresh_from_db()
    page = read_receipt_page(top_up, client_secret=secret)
    response = render(request, "portal/receipt.html", {"page": page})
    return allow_card_element(response) if page.asks else response


@require_POST
@customer_page
def look(request: HttpRequest, customer: Customer, public_id: str) -> HttpResponse:  # noqa: ARG001 - a view's signature
    """Back from the bank: see what came of it."""
    top_up = customer.top_up(public_id)
    customer.with_right("pay", top_up.wallet.account.key)
    with suppress(Refusal):  # its page says that it is on its way
        look_again(top_up=top_up, at=now())
    return redirect("portal:receipt", public_id=public_id)


def read_receipt_page(top_up: TopUp, *, client_secret: str) -> ReceiptPage:
    """The page of a top-up (its wallet, account and card selected along)."""
    found = Receipt.objects.filter(top_up=top_up).first()
    account = top_up.wallet.account
    return ReceiptPage(
        public_id=top_up.public_id,
        account_key=account.key,
        account_name=account.name,
        wallet=top_up.wallet.public_id,
        currency=top_up.currency,
        state=top_up.state,
        paid=top_up.state in PAID,
        in_flight=top_up.state in IN_FLIGHT,
        asks=bool(client_secret),
        amount=top_up.amount,
        bonus=top_up.bonus,
        tax=top_up.tax,
        tax_label=tax_label(top_up.tax_name, top_up.tax_percent),
        again=plain(top_up.amount),
        fee=top_up.fee,
        total=top_up.total,
        balance=top_up.wallet.available,
        failure=top_up.failure,
        made_at=top_up.created_at,
        paid_at=top_up.settled_at,
        paid_with=found.paid_with if found else top_up.method.label if top_up.method else top_up.get_means_display(),
        number=found.public_number if found else "",
        seller=found.seller.splitlines() if found else [],
        buyer=found.buyer.splitlines() if found else [],
        policy=top_up.policy.sentence if top_up.policy else "",
        policy_version=top_up.policy.version if top_up.policy else None,
        client_secret=client_secret,
        publishable_key=settings.STRIPE_PUBLISHABLE_KEY,
        script=card_element_script(),
    )


def _asked(top_up: TopUp) -> Started:
    """Where the payment stands now, with the client secret while it asks."""
    try:
        return start_payment(top_up=top_up, at=now())
    except Refusal:
        return Started(top_up, "")
