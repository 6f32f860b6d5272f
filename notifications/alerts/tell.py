"""A piece of news as an alert: its figures become the facts, its id the key, so that reading it twice tells it once."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from notifications.alerts.models import Alert
from notifications.alerts.raise_alert import raise_alert
from wallets.balances.models import Wallet
from wallets.outbox.deliver import Piece


def tell(piece: Piece, topic: str, *, at: datetime, severity: str = "info", **more: str) -> Alert | None:
    """Raise the alert of a piece of news about a wallet or an account; None when it was raised before. more: facts besides."""
    facts = {name: str(value) for name, value in asdict(piece.news).items() if value is not None}
    wallet_id = int(facts.pop("wallet_id")) if "wallet_id" in facts else None
    account_id = int(facts.pop("account_id")) if "account_id" in facts else None
    if account_id is None:
        assert wallet_id is not None, f"{piece.topic} names neither wallet nor account"
        account_id = Wallet.objects.values_list("account_id", flat=True).get(pk=wallet_id)
    return raise_alert(
        topic=topic,
        key=f"{topic}:{piece.id}",
        account_id=account_id,
        wallet_id=wallet_id,
        facts=facts | more,
        at=at,
        severity=severity,
    )
