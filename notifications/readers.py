"""Outbox readers of this app: each is called at least once for a piece of news, in order per wallet, and is idempotent."""

from __future__ import annotations

import logging
from datetime import datetime

from notifications.alerts.resolve import resolve_alerts
from notifications.alerts.tell import tell
from notifications.channels.email.invitation import mail_invitation
from wallets.credit.models import CreditLot
from wallets.outbox.deliver import Piece
from wallets.recharge.models import RechargeDecision
from wallets.recharge.states import IN_FLIGHT
from wallets.refunds.mail import mail_confirmation

log = logging.getLogger(__name__)


def tell_threshold_crossed(piece: Piece, *, at: datetime) -> None:
    """A debit took a wallet to or below a threshold, or used it up. Not told while a recharge is on its way: when that fails,
    its own news says so. That the balance is used up is always told."""
    crossed = piece.news
    log.info(
        "wallet %d at or below %s: %s %s of %s (crossing %d, news %d, read %s)",
        crossed.wallet_id, crossed.amount or f"{crossed.percent} %", crossed.balance, crossed.currency,
        crossed.reference_balance, crossed.number, piece.id, at,
    )  # fmt: skip
    if crossed.percent == 0:
        tell(piece, "wallet_exhausted", at=at, severity="critical")
    elif not RechargeDecision.objects.filter(wallet_id=crossed.wallet_id, state=IN_FLIGHT).exists():
        tell(piece, "threshold_crossed", at=at, severity="warning", threshold=crossed.amount)


def tell_balance_recovered(piece: Piece, *, at: datetime) -> None:
    """A wallet has credit again after it was used up, or is back above all its thresholds; what was told of it is over."""
    back = piece.news
    log.info(
        "wallet %d back above %s: %s %s (crossing %d, news %d, read %s)",
        back.wallet_id, back.amount or f"{back.percent} %", back.balance, back.currency, back.number, piece.id, at,
    )  # fmt: skip
    over = [topic for topic, so in (("wallet_exhausted", back.resumed), ("threshold_crossed", back.clear)) if so]
    resolve_alerts(wallet_id=back.wallet_id, topics=over, at=at)
    if back.resumed:
        tell(piece, "wallet_resumed", at=at)
    elif back.clear:
        tell(piece, "balance_recovered", at=at)


def tell_lot_expired(piece: Piece, *, at: datetime) -> None:
    """Credit ended unused. What a plan gives ends with each of its periods, and may roll over: that is not told."""
    expired = piece.news
    log.info(
        "wallet %d: %s %s of lot %s expired unused (news %d, read %s)",
        expired.wallet_id, expired.amount, expired.currency, expired.lot, piece.id, at,
    )  # fmt: skip
    if CreditLot.objects.filter(public_id=expired.lot).exclude(kind=CreditLot.Kind.PLAN).exists():
        tell(piece, "lot_expired", at=at)


def tell_subscription_changed(piece: Piece, *, at: datetime) -> None:
    """A subscription began, renewed, fell behind, changed or ended."""
    changed = piece.news
    log.info(
        "subscription %s of account row %d to %s: %s (%s to %s, news %d, read %s)",
        changed.subscription, changed.account_id, changed.plan, changed.what, changed.before or "new", changed.after, piece.id,
        at,
    )  # fmt: skip
    tell(piece, "subscription_changed", at=at)


def tell_spend_cap_reached(piece: Piece, *, at: datetime) -> None:
    """A spend cap has stopped the calls it is for, until its window ends or it is raised."""
    reached = piece.news
    log.info(
        "account row %d: %s of %s used of spend cap %s%s, window from %s (news %d, read %s)",
        reached.account_id, reached.used, reached.limit, reached.cap, f" of {reached.value}" if reached.value else "",
        reached.window_start, piece.id, at,
    )  # fmt: skip
    tell(piece, "spend_cap_reached", at=at, severity="warning")


def tell_top_up_succeeded(piece: Piece, *, at: datetime) -> None:
    """Money arrived."""
    paid = piece.news
    log.info(
        "wallet %d: top-up %s (%s) of %s %s paid, %s charged (news %d, read %s)",
        paid.wallet_id, paid.top_up, paid.origin, paid.amount, paid.currency, paid.total, piece.id, at,
    )  # fmt: skip
    tell(piece, "top_up_succeeded", at=at)


def tell_top_up_failed(piece: Piece, *, at: datetime) -> None:
    """A top-up ended without money."""
    failed = piece.news
    log.info(
        "wallet %d: top-up %s (%s) of %s %s not paid: %s (news %d, read %s)",
        failed.wallet_id, failed.top_up, failed.origin, failed.amount, failed.currency, failed.code, piece.id, at,
    )  # fmt: skip
    tell(piece, "top_up_failed", at=at, severity="warning")


def tell_member_invited(piece: Piece, *, at: datetime) -> None:
    """Somebody is invited to an account: they get the link."""
    told = piece.news
    sent = mail_invitation(invitation_id=told.invitation, news=piece.id, at=at)
    log.info(
        "account row %d: invitation %s %s (news %d)", told.account_id, told.invitation, "sent" if sent else "over", piece.id
    )


def tell_member_added(piece: Piece, *, at: datetime) -> None:
    """Somebody became a member of an account: the others hear of it."""
    log.info("account row %d: a new member, %s (news %d, read %s)", piece.news.account_id, piece.news.role, piece.id, at)
    tell(piece, "member_added", at=at)


def tell_card_expiring(piece: Piece, *, at: datetime) -> None:
    """A saved card expires soon."""
    card = piece.news
    log.info(
        "account row %d: card %s (%s%s) expires %02d/%d (news %d, read %s)",
        card.account_id, card.card, card.label, f", {card.part}" if card.part else "", card.exp_month, card.exp_year, piece.id,
        at,
    )  # fmt: skip
    tell(piece, "card_expiring", at=at, severity="warning")


def tell_recharge_not_done(piece: Piece, *, at: datetime) -> None:
    """A wallet that should have recharged did not."""
    told = piece.news
    log.info(
        "wallet %d: balance %s below %s %s, not recharged: %s, next possible %s (news %d, read %s)",
        told.wallet_id, told.balance, told.below, told.currency, told.reason, told.next_at or "when somebody acts", piece.id,
        at,
    )  # fmt: skip
    tell(piece, "recharge_not_done", at=at, severity="warning", reason=told.reason.replace("_", " "))


def tell_recharge_breaker_opened(piece: Piece, *, at: datetime) -> None:
    """A card was declined too often to be charged by itself."""
    told = piece.news
    log.info(
        "wallet %d: %s is not charged any more after %d declines: %s (news %d, read %s)",
        told.wallet_id, told.card, told.declines, told.reason, piece.id, at,
    )  # fmt: skip
    tell(piece, "recharge_breaker_opened", at=at, severity="critical")


def tell_recharge_needs_authentication(piece: Piece, *, at: datetime) -> None:
    """The card's holder has to confirm a recharge."""
    told = piece.news
    log.info(
        "wallet %d: recharge %s of %s %s waits to be confirmed (news %d, read %s)",
        told.wallet_id, told.top_up, told.total, told.currency, piece.id, at,
    )  # fmt: skip
    tell(piece, "recharge_needs_authentication", at=at, severity="critical")


def tell_statement_issued(piece: Piece, *, at: datetime) -> None:
    """A statement is there."""
    issued = piece.news
    log.info(
        "wallet %d: statement %s, closing balance %s %s (news %d, read %s)",
        issued.wallet_id, issued.number, issued.closing_balance, issued.currency, piece.id, at,
    )  # fmt: skip
    tell(piece, "statement_issued", at=at)


def tell_refund_succeeded(piece: Piece, *, at: datetime) -> None:
    """The money of a refund has left."""
    told = piece.news
    log.info(
        "wallet %d: refund %s (%s) of top-up %s: %s %s sent for %s of credit (news %d, read %s)",
        told.wallet_id, told.refund, told.origin, told.top_up, told.total, told.currency, told.credit, piece.id, at,
    )  # fmt: skip


def tell_refund_failed(piece: Piece, *, at: datetime) -> None:
    """A refund did not reach the customer; its credit is back."""
    told = piece.news
    log.info(
        "wallet %d: refund %s (%s) of top-up %s, %s %s, failed: %s (news %d, read %s)",
        told.wallet_id, told.refund, told.origin, told.top_up, told.total, told.currency, told.code, piece.id, at,
    )  # fmt: skip


def tell_dispute_changed(piece: Piece, *, at: datetime) -> None:
    """A payment is disputed, or the bank has decided."""
    told = piece.news
    log.info(
        "wallet %d: dispute %s over top-up %s (%s) is %s: %s %s, %s frozen, %s owed, answer by %s (news %d, read %s)",
        told.wallet_id, told.dispute, told.top_up, told.reason, told.state, told.total, told.currency, told.frozen, told.owed,
        told.evidence_due_at or "no day", piece.id, at,
    )  # fmt: skip
    if told.state == "open":
        more = {"amount": told.total, "respond_by": told.evidence_due_at}
        tell(piece, "dispute_opened", at=at, severity="critical", **more)


def tell_withdrawal_requested(piece: Piece, *, at: datetime) -> None:
    """A customer wants unused credit back: who asked gets the link that confirms it, once however often this is read."""
    told = piece.news
    mail_confirmation(withdrawal_id=told.withdrawal, at=at)
    log.info(
        "wallet %d: withdrawal %s of %s %s, to be confirmed by %s (news %d, read %s)",
        told.wallet_id, told.withdrawal, told.amount, told.currency, told.confirm_by, piece.id, at,
    )  # fmt: skip


def tell_withdrawal_ended(piece: Piece, *, at: datetime) -> None:
    """A withdrawal was paid, or will not be."""
    told = piece.news
    log.info(
        "wallet %d: withdrawal %s of %s %s is %s, %s paid: %s (news %d, read %s)",
        told.wallet_id, told.withdrawal, told.amount, told.currency, told.state, told.paid, told.reason or "-", piece.id, at,
    )  # fmt: skip
    tell(piece, "withdrawal_changed", at=at)
