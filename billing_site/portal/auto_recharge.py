"""Auto-recharge: one sentence that reads as the rule, one for the top-up of the calendar, and below them every decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from billing_site.portal.access import Customer, customer_page
from wallets.api.fields import DECIMAL
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.errors import Refusal
from wallets.money import plain
from wallets.payments.providers.registry import takes_cards
from wallets.recharge.configure import RechargeTerms, proposed_terms, set_auto_recharge, switch_auto_recharge
from wallets.recharge.facts import chargeable_cards
from wallets.recharge.log import DecisionLine, latest_lines
from wallets.recharge.queries import rule_of, schedule_of
from wallets.recharge.schedule import schedule_top_up

LINES_SHOWN: Final = 50
LABELS: Final = {
    "threshold": "Balance", "amount": "Amount", "target": "Target", "monthly_cap": "Most a month", "day": "Day",
    "cool_down_seconds": "Pause",
}  # fmt: skip
"""Field -> as the page calls it."""
_NEVER: Final = Decimal("NaN")


@dataclass(frozen=True, slots=True)
class RuleShown:
    """The rule as the form has it: amounts as text. fills: up to a target instead of by an amount."""

    is_on: bool
    exists: bool
    threshold: str
    amount: str
    fills: bool
    monthly_cap: str


@dataclass(frozen=True, slots=True)
class ScheduleShown:
    """The top-up of the calendar as the form has it."""

    is_on: bool
    amount: str
    day: str
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class AutoRechargePage:
    """Everything on the page, as values. offered: why no rule can be set; empty when one can."""

    account_key: str
    account_name: str
    zone: str
    wallet: str
    wallets: list[tuple[str, str]]
    currency: str
    balance: Decimal
    as_of: datetime
    may_change: bool
    not_offered: str
    cards: list[str]
    rule: RuleShown
    schedule: ScheduleShown
    lines: list[DecisionLine]
    asking: list[DecisionLine]
    problem: str


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def auto_recharge(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """`?wallet=wal_…`; POST sets the rule (`what=set`), turns it on or off, or sets the schedule (`schedule`, `unschedule`)."""
    asked = request.POST if request.method == "POST" else request.GET
    wallet = _wallet(customer, account, asked.get("wallet"))
    if request.method != "POST":
        page = read_auto_recharge_page(customer, wallet, at=now())
        return render(request, "portal/auto_recharge.html", {"page": page})
    customer.with_right("pay", account)
    try:
        _change(wallet, request.POST, actor=customer.user.email, at=now())
    except Refusal as refusal:
        told = [f"{LABELS.get(name, name)}: {expected}." for name, expected in refusal.fields.items()]
        page = read_auto_recharge_page(customer, wallet, at=now(), problem=" ".join(told) or refusal.message, said=request.POST)
        return render(request, "portal/auto_recharge.html", {"page": page}, status=422)
    return redirect(f"{reverse('portal:auto_recharge', args=[account])}?wallet={wallet.public_id}")


def read_auto_recharge_page(
    customer: Customer, wallet: Wallet, *, at: datetime, problem: str = "", said: QueryDict | None = None
) -> AutoRechargePage:
    """The page of a wallet (with its account) as of `at`; `said`: what was filled in and not accepted."""
    account = wallet.account
    proposed, not_offered = None, "" if takes_cards() else "Cards are not taken here; ask for another way to pay."
    try:
        proposed = proposed_terms(wallet.currency)
    except Refusal as refusal:
        not_offered = not_offered or refusal.message
    rule, schedule = _rule(wallet, proposed), _schedule(wallet, proposed)
    what = said.get("what", "") if said else ""
    if said and what == "set":
        fills, amount = said.get("how") == "target", said.get("amount", "")
        rule = RuleShown(rule.is_on, rule.exists, said.get("threshold", ""), amount, fills, said.get("monthly_cap", ""))
    if said and what == "schedule":
        schedule = ScheduleShown(schedule.is_on, said.get("amount", ""), said.get("day", ""), schedule.next_at)
    lines = latest_lines(wallet_id=wallet.pk, limit=LINES_SHOWN)
    return AutoRechargePage(
        account_key=account.key,
        account_name=account.name,
        zone=account.time_zone,
        wallet=wallet.public_id,
        wallets=[(one.public_id, one.name or one.currency) for one in customer.wallets(account)],
        currency=wallet.currency,
        balance=wallet.balance,
        as_of=at,
        may_change=customer.may("pay", account),
        not_offered=not_offered,
        cards=[card.label for card in chargeable_cards(account)],
        rule=rule,
        schedule=schedule,
        lines=lines,
        asking=[line for line in lines if line.asks],
        problem=problem,
    )


def _rule(wallet: Wallet, proposed: RechargeTerms | None) -> RuleShown:
    """The wallet's rule; where there is none, the one that is offered."""
    rule = rule_of(wallet)
    terms = rule if rule.pk else proposed
    if terms is None:
        return RuleShown(is_on=False, exists=False, threshold="", amount="", fills=False, monthly_cap="")
    amount = terms.amount if terms.target is None else terms.target
    return RuleShown(
        is_on=rule.is_on,
        exists=bool(rule.pk),
        threshold=plain(terms.threshold),
        amount=plain(amount or Decimal(0)),
        fills=terms.target is not None,
        monthly_cap=plain(terms.monthly_cap),
    )


def _schedule(wallet: Wallet, proposed: RechargeTerms | None) -> ScheduleShown:
    schedule = schedule_of(wallet)
    if schedule.pk:
        next_at = schedule.next_at if schedule.is_on else None
        return ScheduleShown(schedule.is_on, plain(schedule.amount), str(schedule.day), next_at)
    amount = plain(proposed.amount) if proposed and proposed.amount else ""
    return ScheduleShown(is_on=False, amount=amount, day="1", next_at=None)


def _change(wallet: Wallet, asked: QueryDict, *, actor: str, at: datetime) -> None:
    """Do what was asked. Raises as the verbs, and Http404 for what is nothing."""
    match asked.get("what", ""):
        case "set":
            fills = asked.get("how") == "target"
            amount = _amount(asked, "amount")
            terms = RechargeTerms(
                threshold=_amount(asked, "threshold"),
                monthly_cap=_amount(asked, "monthly_cap"),
                amount=None if fills else amount,
                target=amount if fills else None,
            )
            set_auto_recharge(wallet_id=wallet.pk, terms=terms, at=at, actor=actor)
        case "on" | "off" as what:
            switch_auto_recharge(wallet_id=wallet.pk, on=what == "on", at=at, actor=actor)
        case "schedule" | "unschedule" as what:
            day = asked.get("day", "")
            schedule_top_up(
                wallet_id=wallet.pk,
                amount=_amount(asked, "amount"),
                day=int(day) if day.isdecimal() and len(day) <= len("31") else 0,
                at=at,
                is_on=what == "schedule",
                actor=actor,
            )
        case _:
            raise Http404


def _amount(asked: QueryDict, field: str) -> Decimal:
    """What a person typed; what is no number is no amount."""
    text = asked.get(field, "").strip()
    return Decimal(text) if DECIMAL.fullmatch(text) else _NEVER


def _wallet(customer: Customer, account: str, wallet_id: str | None) -> Wallet:
    wallets = customer.wallets(customer.account(account)).select_related("account")
    wallet = wallets.filter(public_id=wallet_id).first() if wallet_id else wallets.first()
    if wallet is None:
        raise Http404
    return wallet
