"""Outbox readers: a debit fell below a wallet's threshold; a recharge's payment ended. Both run inside the reader's
transaction, so they decide and write; what they decide is carried out after the commit."""

from __future__ import annotations

from datetime import datetime

from wallets.outbox.deliver import Piece
from wallets.outbox.topics import TopUpSucceeded
from wallets.payments.models import TopUp
from wallets.recharge.conclude import conclude
from wallets.recharge.decide import decide


def recharge_due(piece: Piece, *, at: datetime) -> None:
    """RechargeDue: decide, once for each crossing."""
    decide(wallet_id=piece.news.wallet_id, at=at)


def recharge_ended(piece: Piece, *, at: datetime) -> None:
    """TopUpSucceeded, TopUpFailed: end the decision it belongs to."""
    if piece.news.origin in (TopUp.Origin.RECHARGE, TopUp.Origin.SCHEDULE):
        paid = piece.news.top_up if isinstance(piece.news, TopUpSucceeded) else ""
        conclude(wallet_id=piece.news.wallet_id, at=at, paid=paid)
