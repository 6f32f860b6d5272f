"""A piece of news as an alert: its figures become the facts, its id the key, so that reading it twice tells it once."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from notifications.alerts.models import Alert
from notifications.alerts.raise_alert import raise_alert
from wallets.balances.models import Wallet
from wallets.outbox.deliver import Piece

_WHOSE: Final = ("wallet_id", "account_id")


def tell(
    piece: Piece, topic: str, *, at: datetime, severity: str = "info", to: str = "", once_for: str = "", **more: str
) -> Alert | None:
    """Raise the alert of a piece of news about a wallet or an account; None when it was raised before. News of neither is
    told to the vendor's finance. more: facts besides. to: only this address is told. once_for: what it is told of once, where
    that is not the piece of news."""
    news = piece.news
    wallet_id = getattr(news, "wallet_id", None)
    account_id = getattr(news, "account_id", None)
    if account_id is None and wallet_id is not None:
        account_id = Wallet.objects.values_list("account_id", flat=True).get(pk=wallet_id)
    return raise_alert(
        topic=topic,
        key=f"{topic}:{sha256(once_for.encode()).hexdigest()}" if once_for else key_of(piece, topic),
        account_id=account_id,
        wallet_id=wallet_id,
        facts=facts_of(news) | more,
        at=at,
        audience="customer" if account_id is not None else "finance",
        severity=severity,
        to=to,
    )


def key_of(piece: Piece, topic: str) -> str:
    """The key under which a piece of news is told as this topic, once."""
    return f"{topic}:{piece.id}"


def facts_of(news: Any) -> dict[str, str]:
    """The figures of a piece of news as text; whose they are stands beside them."""
    return {name: str(value) for name, value in asdict(news).items() if value is not None and name not in _WHOSE}
