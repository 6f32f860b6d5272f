"""Top up: choose an amount, see what it costs, pay with a saved card. The button says the exact charge; what is charged is
what it said, or nothing."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import get_current_timezone, localtime
from django.views.decorators.http import require_http_methods

from billing_site.portal.access import Customer, customer_page
from metering.usage.queries import spend_by_day
from wallets.api.fields import DECIMAL
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.errors import Conflict, Refusal
from wallets.money import ZERO, plain
from wallets.payments.currencies import charge_step
from wallets.payments.find import cards_of
from wallets.payments.models import TopUp
from wallets.payments.providers.contract import ProviderUnavailable
from wallets.payments.providers.registry import takes_cards
from wallets.payments.start import start_payment
from wallets.payments.suggest import suggest_amounts
from wallets.payments.taxes import learn_tax
from wallets.payments.terms import Quote, Terms, policy_in_force, quote_top_up, tax_label, terms_of
from wallets.payments.top_up import create_top_up

LONGEST_TOKEN: Final = 64
PACE_DAYS: Final = 7


class ChargeChanged(Conflict):
    """What the top-up costs is not what the button said."""

    code = "charge_changed"


@dataclass(frozen=True, slots=True)
class CardChoice:
    """A card to pay with."""

    public_id: str
    label: str
    expires: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class AmountChoice:
    """An amount to choose. value: as it is sent. lasts: how long, at the present pace; empty when that is not known."""

    value: str
    amount: Decimal
    lasts: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class TopUpPage:
    """Everything on the page, as values. quote: once an amount is chosen. problem: why it cannot go on."""

    account_key: str
    account_name: str
    wallet: str
    currency: str
    available: Decimal
    takes_cards: bool
    terms: Terms | None
    suggested: list[AmountChoice]
    slabs: list[tuple[Decimal, str]]
    cards: list[CardChoice]
    amount: str
    quote: Quote | None
    tax_label: str
    policy_version: int | None
    policy_sentence: str
    policy_text: str
    token: str
    problem: str
    as_of: datetime


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def top_up(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """`?wallet=wal_…&amount=50` shows what it costs; POST pays."""
    asked = request.POST if request.method == "POST" else request.GET
    payer = customer.with_right("pay", account)
    wallet = _wallet(customer, account, asked.get("wallet"))
    amount, problem = asked.get("amount", "").strip(), ""
    if request.method == "POST":
        try:
            paid = _pay(request, customer, wallet, amount)
        except Refusal as refusal:
            problem = refusal.message
        else:
            return redirect("portal:receipt", public_id=paid.public_id)
    page = read_top_up_page(
        wallet, name=payer.name, amount=amount, card=asked.get("card"), token=asked.get("token", ""), problem=problem, at=now()
    )
    return render(request, "portal/top_up.html", {"page": page}, status=422 if problem else 200)


def read_top_up_page(
    wallet: Wallet, *, name: str, amount: str, card: str | None, token: str, problem: str, at: datetime
) -> TopUpPage:
    """The page for a wallet, with what was chosen so far."""
    terms, quote = None, None
    try:
        terms = terms_of(wallet.currency)
        if amount:
            learn_tax(account=wallet.account, currency=wallet.currency, at=at)
            quote = quote_top_up(wallet=wallet, amount=_read(amount), at=at)
    except Refusal as refusal:
        problem = problem or refusal.message
    policy = policy_in_force(at=at)
    cards = cards_of(account_id=wallet.account_id)
    chosen = card if card in {one.public_id for one in cards} else cards[0].public_id if cards else ""
    return TopUpPage(
        account_key=wallet.account.key,
        account_name=name,
        wallet=wallet.public_id,
        currency=wallet.currency,
        available=wallet.available,
        takes_cards=takes_cards(),
        terms=terms,
        suggested=_choices(wallet, terms, amount=amount, at=at) if terms else [],
        slabs=[(least, f"{percent.normalize():f}") for least, percent in terms.slabs] if terms else [],
        cards=[CardChoice(one.public_id, one.label, one.expires, one.public_id == chosen) for one in cards],
        amount=amount,
        quote=quote,
        tax_label=tax_label(quote.tax_name, quote.tax_percent) if quote else "",
        policy_version=policy.version if policy else None,
        policy_sentence=policy.sentence if policy else "",
        policy_text=policy.text if policy else "",
        token=token[:LONGEST_TOKEN] or uuid.uuid4().hex,
        problem=problem,
        as_of=at,
    )


def _pay(request: HttpRequest, customer: Customer, wallet: Wallet, amount: str) -> TopUp:
    """Pay as the page said. Raises Refusal: then nothing was charged, or it is in flight and told by its own page."""
    at = now()
    quote = quote_top_up(wallet=wallet, amount=_read(amount), at=at)
    if str(quote.total) != request.POST.get("total"):
        raise ChargeChanged("What this costs has changed since the page was shown; look at it again.")
    policy = request.POST.get("policy", "")
    if policy_in_force(at=at) is not None and not policy.isdecimal():
        raise ChargeChanged("Accept the refund policy to pay.")
    token = request.POST.get("token", "")[:LONGEST_TOKEN]
    made = create_top_up(
        wallet=wallet,
        amount=quote.amount,
        at=at,
        origin=TopUp.Origin.CUSTOMER,
        actor=customer.user.email,
        card_id=request.POST.get("card") or None,
        accepted_policy=int(policy) if policy.isdecimal() else None,
        request_key=f"portal:{customer.user.pk}:{token}" if token else None,
        address=request.META.get("REMOTE_ADDR", ""),
    )
    try:
        return start_payment(top_up=made, at=at).top_up
    except ProviderUnavailable:
        return made


def _choices(wallet: Wallet, terms: Terms, *, amount: str, at: datetime) -> list[AmountChoice]:
    """What to offer, each with how long it lasts at the pace of the last whole days."""
    yesterday = (localtime(at) - timedelta(days=1)).date()
    zone = get_current_timezone()
    days = spend_by_day(account_id=wallet.account_id, currency=wallet.currency, last_day=yesterday, days=PACE_DAYS, zone=zone)
    offered = suggest_amounts(
        usual=terms.suggested,
        minimum=terms.minimum,
        maximum=terms.maximum,
        step=charge_step(wallet.currency),
        per_day=sum((day.amount for day in days), ZERO) / PACE_DAYS,
    )
    chosen = _read(amount)
    return [AmountChoice(plain(one.amount), one.amount, lasts_text(one.days), one.amount == chosen) for one in offered]


def lasts_text(days: Decimal | None) -> str:
    """How long credit lasts, in words: `about 2 weeks`."""
    if days is None:
        return ""
    if days < Decimal("1.5"):
        return "about a day" if days > Decimal("0.7") else "less than a day"
    for length, unit, until in ((1, "day", 6), (7, "week", 24), (30, "month", 700)):
        if days <= until:
            count = max(round(days / length), 1)
            return f"about a {unit}" if count == 1 else f"about {count} {unit}s"
    return "over two years"


def _wallet(customer: Customer, account: str, wallet_id: str | None) -> Wallet:
    wallets = customer.wallets(customer.account(account)).select_related("account")
    wallet = wallets.filter(public_id=wallet_id).first() if wallet_id else wallets.first()
    if wallet is None:
        raise Http404
    return wallet


def _read(amount: str) -> Decimal:
    """What a person typed; what is no number is no amount in range."""
    return Decimal(amount) if DECIMAL.fullmatch(amount) else Decimal("NaN")
