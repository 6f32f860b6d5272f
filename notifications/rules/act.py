"""Act on a crossing by every rule that fits, once each; lift what throttles or blocks when the balance is back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from notifications.alerts.raise_alert import raise_alert
from notifications.channels.webhook.models import WebhookEndpoint
from notifications.rules.match import Crossed, Terms, fits, is_back
from notifications.rules.models import RuleAct, ThresholdRule
from wallets.balances.models import Wallet
from wallets.balances.restrict import restrict_wallet
from wallets.outbox.topics import BalanceRecovered, ThresholdCrossed
from wallets.recharge.decide import decide
from wallets.recharge.states import NOT_DONE

Then = ThresholdRule.Then
TOPIC: Final = "rule_matched"
RESTRICTS: Final[Mapping[str, str]] = {Then.BLOCK: Wallet.LetThrough.NONE, Then.THROTTLE: Wallet.LetThrough.SLOWLY}
"""What restricts, the strictest first, and what is let through then."""


class NotActedOn(Exception):
    """What a rule asks for is not possible for this wallet; kept as the act's note, on no wire."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """A crossing of a wallet that a rule acts on."""

    rule: ThresholdRule
    wallet: Wallet
    crossed: ThresholdCrossed
    at: datetime

    @property
    def level(self) -> Decimal:
        """The balance that the rule stands at."""
        if self.rule.amount is not None:
            return self.rule.amount
        return Decimal(self.crossed.reference_balance) * (self.rule.percent or 0) / 100


def act_on(crossed: ThresholdCrossed, *, at: datetime) -> int:
    """Do what the rules say about a crossing; returns how many acted. Reading it again does nothing again."""
    rules = list(ThresholdRule.objects.filter(is_on=True).select_related("endpoint").order_by("id"))
    if not rules:
        return 0
    wallet = Wallet.objects.select_related("account").get(pk=crossed.wallet_id)
    fall = Crossed(
        account_id=wallet.account_id,
        currency=wallet.currency,
        percent_before=crossed.percent_before,
        percent_now=crossed.percent_now,
        amount_before=_amount(crossed.amount_before),
        amount_now=_amount(crossed.amount_now),
    )
    return sum(_act(Occasion(rule, wallet, crossed, at)) for rule in rules if fits(_terms(rule), fall))


def lift_after(back: BalanceRecovered, *, at: datetime) -> int:
    """Lift what rules throttled or blocked and the balance is back above of; returns how many."""
    amount_now = _amount(back.amount_now)
    return _lift(
        _restricting().filter(wallet_id=back.wallet_id),
        lambda act: is_back(_terms(act.rule), percent_now=back.percent_now, amount_now=amount_now),
        at=at,
    )


def lift_of_rules_switched_off(*, at: datetime) -> int:
    """Lift what rules that are off by now throttled or blocked, or that throttle and block no more; returns how many."""
    return _lift(_restricting(), lambda act: not act.rule.is_on or act.rule.then != act.then, at=at)


def _act(occasion: Occasion) -> bool:
    rule = occasion.rule
    act, new = RuleAct.objects.get_or_create(
        rule=rule,
        wallet=occasion.wallet,
        crossing_number=occasion.crossed.number,
        defaults={"then": rule.then, "done": True, "at": occasion.at},
    )
    if not new:
        return False
    try:
        with transaction.atomic():
            ACTIONS[rule.then](occasion)
    except NotActedOn as refusal:
        act.done, act.note = False, str(refusal)[:300]
        act.save(update_fields=["done", "note"])
    return act.done


def _notify(occasion: Occasion) -> None:
    _tell(occasion, audience=occasion.rule.audience)


def _call(occasion: Occasion) -> None:
    endpoint = occasion.rule.endpoint
    assert endpoint is not None, occasion.rule.pk
    if endpoint.state != WebhookEndpoint.State.ACTIVE or endpoint.removed_at is not None:
        raise NotActedOn("The endpoint is disabled or removed.")
    _tell(occasion, audience="finance", to=endpoint)


def _recharge(occasion: Occasion) -> None:
    decision = decide(wallet_id=occasion.wallet.pk, at=occasion.at, below=occasion.level)
    if decision is None:
        raise NotActedOn("The wallet's auto-recharge is off, or was never set.")
    if decision.state == NOT_DONE:
        raise NotActedOn(f"Not recharged: {decision.reason.replace('_', ' ')}.")


def _restrict(occasion: Occasion) -> None:
    _let_through(occasion.wallet.pk, at=occasion.at)


ACTIONS: Final[Mapping[str, Callable[[Occasion], None]]] = {
    Then.NOTIFY: _notify,
    Then.RECHARGE: _recharge,
    Then.THROTTLE: _restrict,
    Then.BLOCK: _restrict,
    Then.WEBHOOK: _call,
}


def _tell(occasion: Occasion, *, audience: str, to: WebhookEndpoint | None = None) -> None:
    crossed, rule = occasion.crossed, occasion.rule
    facts = {
        "rule": rule.name,
        "balance": crossed.balance,
        "currency": crossed.currency,
        "reference_balance": crossed.reference_balance,
        "crossing": str(crossed.number),
    }
    facts |= {"percent": str(rule.percent)} if rule.amount is None else {"threshold": f"{rule.amount:f}"}
    raise_alert(
        topic=TOPIC, key=f"{TOPIC}:{rule.pk}:{crossed.wallet_id}:{crossed.number}", account_id=occasion.wallet.account_id,
        wallet_id=occasion.wallet.pk, facts=facts, at=occasion.at, audience=audience, severity="warning", to=to or "",
    )  # fmt: skip


def _restricting() -> QuerySet[RuleAct]:
    """What restricts wallets now."""
    return RuleAct.objects.filter(done=True, lifted_at__isnull=True, then__in=list(RESTRICTS)).select_related("rule")


def _lift(acts: QuerySet[RuleAct], over: Callable[[RuleAct], bool], *, at: datetime) -> int:
    with transaction.atomic():
        lifted = [act for act in acts.order_by("wallet_id", "id") if over(act)]
        RuleAct.objects.filter(pk__in=[act.pk for act in lifted]).update(lifted_at=at)
        for wallet_id in sorted({act.wallet_id for act in lifted}):
            _let_through(wallet_id, at=at)
    return len(lifted)


def _let_through(wallet_id: int, *, at: datetime) -> None:
    """Have the gate do the strictest of what still restricts a wallet."""
    standing = set(_restricting().filter(wallet_id=wallet_id).values_list("then", flat=True))
    strictest = next((let for then, let in RESTRICTS.items() if then in standing), Wallet.LetThrough.ALL)
    restrict_wallet(wallet_id=wallet_id, let_through=strictest, at=at)


def _terms(rule: ThresholdRule) -> Terms:
    return Terms(rule.account_id, rule.currency, rule.percent, rule.amount)


def _amount(text: str) -> Decimal | None:
    return Decimal(text) if text else None
