"""Outbox readers of this app: each is called at least once for a piece of news, in order per wallet, and is idempotent.

Most news is told as it stands: TELLINGS says as what. What needs a second look has a reader of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from notifications.alerts.hold_back import hold_back, settle_held
from notifications.alerts.resolve import resolve_alerts
from notifications.alerts.tell import facts_of, key_of, tell
from notifications.rules import act
from wallets.outbox.deliver import Piece
from wallets.outbox.topics import (
    ApiKeyIssued,
    CardExpiring,
    DisputeChanged,
    LotExpired,
    MemberAdded,
    MemberInvited,
    News,
    ProofFailed,
    RechargeBreakerOpened,
    RechargeNeedsAuthentication,
    RechargeNotDone,
    RefundFailed,
    RefundSucceeded,
    SpendCapReached,
    StatementIssued,
    SubscriptionChanged,
    TopUpFailed,
    TopUpSucceeded,
    WithdrawalEnded,
    WithdrawalRequested,
    WithdrawalWentOn,
)

log = logging.getLogger(__name__)

PLAN: Final = "plan"
"""A lot's kind: what a plan gives ends with each of its periods, and may roll over; that is not told."""


@dataclass(frozen=True, slots=True)
class Telling:
    """As what a piece of news is told. facts: besides its own.  when: only if.  to: only this address.
    once_for: what is told once, where that is not the piece of news."""

    topic: str
    severity: str = "info"
    facts: Callable[[Any], Mapping[str, str]] = lambda _: {}
    when: Callable[[Any], bool] = lambda _: True
    to: Callable[[Any], str] = lambda _: ""
    once_for: Callable[[Any], str] = lambda _: ""


TELLINGS: Final[Mapping[type[News], Telling]] = {
    LotExpired: Telling("lot_expired", when=lambda told: told.kind != PLAN),
    SubscriptionChanged: Telling("subscription_changed"),
    # Once in a window and for a limit, though what comes back may open it again.
    SpendCapReached: Telling(
        "spend_cap_reached", "warning", once_for=lambda told: f"{told.cap} {told.value} {told.window_start} {told.limit}"
    ),
    TopUpSucceeded: Telling("top_up_succeeded"),
    TopUpFailed: Telling("top_up_failed", "warning"),
    CardExpiring: Telling("card_expiring", "warning"),
    RechargeNotDone: Telling("recharge_not_done", "warning", facts=lambda told: {"reason": told.reason.replace("_", " ")}),
    RechargeBreakerOpened: Telling("recharge_breaker_opened", "critical"),
    RechargeNeedsAuthentication: Telling("recharge_needs_authentication", "critical"),
    StatementIssued: Telling("statement_issued"),
    RefundSucceeded: Telling("refund_succeeded"),
    RefundFailed: Telling("refund_failed", "warning"),
    DisputeChanged: Telling(
        "dispute_opened",
        "critical",
        facts=lambda told: {"amount": told.total, "respond_by": told.evidence_due_at},
        when=lambda told: told.state == "open",
    ),
    # Who asked gets the link that confirms it, and nobody else.
    WithdrawalRequested: Telling("withdrawal_requested", to=lambda told: told.email),
    WithdrawalWentOn: Telling("withdrawal_changed"),
    WithdrawalEnded: Telling("withdrawal_changed", facts=lambda told: {"note": told.reason}),
    # As with a withdrawal: the link goes to who is invited.
    MemberInvited: Telling("member_invited", to=lambda told: told.email),
    MemberAdded: Telling("member_added"),
    ApiKeyIssued: Telling("api_key_issued"),
    ProofFailed: Telling("proof_failed", "critical"),
}
"""News -> as what it is told."""

OF_RECHARGES: Final = (TopUpFailed, TopUpSucceeded, RechargeNotDone, RechargeBreakerOpened, RechargeNeedsAuthentication)
"""What may decide about alerts that wait for a recharge."""


def tell_news(piece: Piece, *, at: datetime) -> None:
    """Tell a piece of news as TELLINGS says."""
    news = piece.news
    log.info("%s of %s: %s (news %d, read %s)", piece.topic, piece.subject, _logged(news), piece.id, at)
    telling = TELLINGS[type(news)]
    if telling.when(news):
        tell(
            piece, telling.topic, at=at, severity=telling.severity, to=telling.to(news), once_for=telling.once_for(news),
            **telling.facts(news),
        )  # fmt: skip
    if isinstance(news, OF_RECHARGES):
        settle_held(wallet_id=news.wallet_id, at=at, ended=getattr(news, "top_up", ""))


def tell_threshold_crossed(piece: Piece, *, at: datetime) -> None:
    """A change took a wallet to or below a threshold, or used it up. Held back while a recharge is on its way that will make
    it false; that the balance is used up is always told."""
    crossed = piece.news
    log.info("%s of %s: %s (news %d, read %s)", piece.topic, piece.subject, _logged(crossed), piece.id, at)
    if crossed.percent == 0:
        tell(piece, "wallet_exhausted", at=at, severity="critical")
        return
    topic, severity, threshold = "threshold_crossed", "warning", {"threshold": crossed.amount} if crossed.amount else {}
    percent = Decimal(crossed.percent or 0)
    level = Decimal(crossed.amount) if crossed.amount else Decimal(crossed.reference_balance) * percent / 100
    held = hold_back(
        wallet_id=crossed.wallet_id, topic=topic, key=key_of(piece, topic), level=level,
        facts=facts_of(crossed) | threshold, severity=severity, at=at,
    )  # fmt: skip
    if not held:
        tell(piece, topic, at=at, severity=severity, **threshold)


def tell_balance_recovered(piece: Piece, *, at: datetime) -> None:
    """A wallet has credit again after it was used up, or is back above all its thresholds; what was told of it is over."""
    back = piece.news
    log.info("%s of %s: %s (news %d, read %s)", piece.topic, piece.subject, _logged(back), piece.id, at)
    over = [topic for topic, so in (("wallet_exhausted", back.resumed), ("threshold_crossed", back.clear)) if so]
    resolve_alerts(wallet_id=back.wallet_id, topics=over, at=at)
    settle_held(wallet_id=back.wallet_id, at=at)
    if back.resumed:
        tell(piece, "wallet_resumed", at=at)
    elif back.clear:
        tell(piece, "balance_recovered", at=at)


def act_on_rules(piece: Piece, *, at: datetime) -> None:
    """A change took a wallet across a threshold: rules of ours may say what is done besides telling."""
    act.act_on(piece.news, at=at)


def lift_what_rules_did(piece: Piece, *, at: datetime) -> None:
    """A wallet is back above thresholds: what rules throttled or blocked for them is let through again."""
    act.lift_after(piece.news, at=at)


def _logged(news: Any) -> dict[str, str]:
    """The figures of a piece of news, without people's addresses."""
    return {name: text for name, text in facts_of(news).items() if "@" not in text}
