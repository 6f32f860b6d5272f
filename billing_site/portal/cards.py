"""Cards: which are saved, which is charged, one more, one less. The number goes from the browser to the provider."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.timezone import localtime
from django.views.decorators.http import require_POST, require_safe

from billing_site.csp import allow_card_element, card_element_script
from billing_site.portal.access import Customer, customer_page
from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.errors import Refusal
from wallets.money import plain
from wallets.payments.cards import begin_card, choose_card, keep_card, remove_card
from wallets.payments.declines import SENTENCES
from wallets.payments.expiring import months_left
from wallets.payments.find import cards_of
from wallets.payments.models import PaymentMethod
from wallets.payments.providers.registry import takes_cards
from wallets.payments.terms import CurrencyNotCharged
from wallets.recharge.configure import proposed_terms
from wallets.recharge.facts import chargeable_cards
from wallets.recharge.queries import rule_of

TEST_CARDS: Final = (
    ("4242 4242 4242 4242", "pays"),
    ("4000 0025 0000 3155", "asks its holder to confirm, then pays"),
    ("4000 0000 0000 0341", "is saved, and declined when it is charged"),
    ("4000 0000 0000 0002", "is declined at once"),
)
"""Of the provider's test mode (docs.stripe.com/testing), as far as the sandbox knows them too."""


@dataclass(frozen=True, slots=True)
class CardShown:
    """A saved card."""

    public_id: str
    label: str
    expires: str
    expired: bool
    ends_soon: bool
    is_default: bool
    is_backup: bool


@dataclass(frozen=True, slots=True)
class RechargeOffer:
    """Auto-recharge as it is offered to whoever has a card and no rule yet. Amounts as the form sends them, too."""

    wallet: str
    currency: str
    card: str
    threshold: Decimal
    amount: Decimal
    monthly_cap: Decimal
    form: dict[str, str]


@dataclass(frozen=True, slots=True)
class CardsPage:
    """Everything on the page, as values."""

    account_key: str
    account_name: str
    takes_cards: bool
    cards: list[CardShown]
    problem: str
    publishable_key: str
    script: str
    test_cards: tuple[tuple[str, str], ...]
    sentences: str
    offer: RechargeOffer | None


@require_safe
@customer_page
def cards(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """The account's cards, and a form for one more."""
    return _show(request, customer.with_right("pay", account))


@require_POST
@customer_page
def begin(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:  # noqa: ARG001 - a view's signature
    """What the provider's script needs to save a card."""
    try:
        set_up = begin_card(account=customer.with_right("pay", account), at=now())
    except Refusal as refusal:
        return JsonResponse({"problem": refusal.message}, status=422)
    return JsonResponse({"id": set_up.id, "client_secret": set_up.client_secret})


@require_POST
@customer_page
def keep(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """Keep the card the provider has saved."""
    owner = customer.with_right("pay", account)
    try:
        keep_card(account=owner, set_up_id=request.POST.get("set_up", "")[:200], at=now())
    except Refusal as refusal:
        return _show(request, owner, problem=refusal.message)
    return redirect("portal:cards", account=account)


@require_POST
@customer_page
def change(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """Make a card the default or the backup, or remove it."""
    owner = customer.with_right("pay", account)
    card_id, what = request.POST.get("card", "")[:40], request.POST.get("what")
    try:
        if what == "remove":
            remove_card(account=owner, card_id=card_id, at=now())
        else:
            choose_card(account=owner, card_id=card_id, backup=what == "backup")
    except Refusal as refusal:
        return _show(request, owner, problem=refusal.message)
    return redirect("portal:cards", account=account)


def _show(request: HttpRequest, account: Account, *, problem: str = "") -> HttpResponse:
    today = localtime(now()).date()
    page = CardsPage(
        account_key=account.key,
        account_name=account.name,
        takes_cards=takes_cards(),
        cards=[_shown(card, today) for card in cards_of(account_id=account.pk)],
        problem=problem,
        publishable_key=settings.STRIPE_PUBLISHABLE_KEY,
        script=card_element_script(),
        sentences=json.dumps(dict(SENTENCES)),
        test_cards=TEST_CARDS if settings.STRIPE_PUBLISHABLE_KEY.startswith("pk_test_") else (),
        offer=_offer(account),
    )
    response = render(request, "portal/cards.html", {"page": page}, status=422 if problem else 200)
    return allow_card_element(response) if page.takes_cards else response


def _offer(account: Account) -> RechargeOffer | None:
    """Auto-recharge for the wallet in the account's own currency; nothing once somebody has decided about it."""
    wallets = Wallet.objects.filter(account=account, currency=account.currency, is_default=True)
    wallet = wallets.exclude(status=Wallet.Status.CLOSED).first()
    cards = chargeable_cards(account)
    if wallet is None or not cards or rule_of(wallet).pk:
        return None
    try:
        terms = proposed_terms(wallet.currency)
    except CurrencyNotCharged:
        return None
    assert terms.amount is not None, wallet.currency
    form = {"threshold": plain(terms.threshold), "amount": plain(terms.amount), "monthly_cap": plain(terms.monthly_cap)}
    return RechargeOffer(
        wallet=wallet.public_id,
        currency=wallet.currency,
        card=cards[0].label,
        threshold=terms.threshold,
        amount=terms.amount,
        monthly_cap=terms.monthly_cap,
        form={"what": "set", "how": "amount", "wallet": wallet.public_id} | form,
    )


def _shown(card: PaymentMethod, today: date) -> CardShown:
    left = months_left(exp_month=card.exp_month, exp_year=card.exp_year, today=today)
    return CardShown(
        public_id=card.public_id,
        label=card.label,
        expires=card.expires,
        expired=left < 0,
        ends_soon=0 <= left <= 1,
        is_default=card.is_default,
        is_backup=card.is_backup,
    )
