"""What stands in the banner of an account: what was told, is still so, and was not put away; in the portal, and with a token in
the vendor's own app."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core import signing
from django.db.models import QuerySet

from notifications.alerts.message import message_of_alert
from notifications.alerts.models import Alert
from notifications.channels.email.render import links_for, render_subject
from wallets.accounts.models import Account
from wallets.errors import NotFound, Refusal

SALT: Final = "notifications.banner"
TOKEN_SECONDS: Final = 3_600
SHOWN_FOR: Final = timedelta(days=14)
"""What nothing resolves leaves the banner then."""
MOST_SHOWN: Final = 3
MOST_READ: Final = 50
NEXT_STEP: Final = {
    "threshold_crossed": "top_up",
    "wallet_exhausted": "top_up",
    "run_out_forecast": "top_up",
    "top_up_failed": "top_up",
    "recharge_not_done": "recharge",
    "recharge_breaker_opened": "cards",
    "recharge_needs_authentication": "payments",
    "card_expiring": "cards",
    "dispute_opened": "payments",
    "spend_cap_reached": "caps",
    "endpoint_disabled": "webhooks",
}
"""Topic -> where to go about it, of settings.PORTAL_LINKS; else the balance."""
ABOUT_BALANCE: Final = frozenset({"threshold_crossed", "wallet_exhausted", "run_out_forecast"})
"""These say the same of a wallet, each later one more of it: the latest stands for all."""


class TokenRefused(Refusal):
    """The banner's token is not ours, or its hour is over."""

    code = "banner_token_refused"


@dataclass(frozen=True, slots=True)
class Banner:
    """One line. severity: warning or critical. link: where something can be done about it."""

    alert: str
    severity: str
    text: str
    link: str
    happened_at: datetime


def banners_of(*, account_key: str, language: str, at: datetime) -> list[Banner]:
    """What stands in an account's banner, the worst first and the latest of each kind. One query."""
    latest: dict[tuple[str, int | None], Alert] = {}
    for alert in _open(account_key, at).select_related("account", "wallet").order_by("-id")[:MOST_READ]:
        kind = "balance" if alert.topic in ABOUT_BALANCE else alert.topic
        latest.setdefault((kind, alert.wallet_id), alert)
    worst = sorted(latest.values(), key=lambda alert: (alert.severity != "critical", -alert.pk))
    return [_banner(alert, language) for alert in worst[:MOST_SHOWN]]


def dismiss(*, account_key: str, alert: str, at: datetime) -> int:
    """Put a line away, with what was told of the same before. Returns how many alerts. Raises NotFound."""
    one = Alert.objects.filter(account__key=account_key, public_id=alert, audience=Alert.Audience.CUSTOMER).first()
    if one is None:
        raise NotFound("There is no such alert.")
    topics = ABOUT_BALANCE if one.topic in ABOUT_BALANCE else {one.topic}
    same = _open(account_key, at).filter(topic__in=topics, wallet=one.wallet, pk__lte=one.pk)
    return Alert.objects.filter(pk__in=same.values("pk")).update(dismissed_at=at)


def banner_token(*, account: Account) -> str:
    """What lets a browser read and put away this account's banner, and nothing else, for TOKEN_SECONDS."""
    return signing.dumps(account.key, salt=SALT)


def account_of_token(token: str) -> str:
    """The account's key. Raises TokenRefused."""
    try:
        key = signing.loads(token, salt=SALT, max_age=TOKEN_SECONDS)
    except (signing.BadSignature, ValueError):
        raise TokenRefused("The token is not one of ours, or is over; ask for another.") from None
    return str(key)


def _open(account_key: str, at: datetime) -> QuerySet[Alert]:
    return Alert.objects.filter(
        account__key=account_key,
        audience=Alert.Audience.CUSTOMER,
        severity__in=["warning", "critical"],
        resolved_at__isnull=True,
        dismissed_at__isnull=True,
        raised_at__gt=at - SHOWN_FOR,
    )


def _banner(alert: Alert, language: str) -> Banner:
    account = alert.account
    assert account is not None, "a customer's alert"
    message = message_of_alert(alert, account, language=language, time_zone=account.time_zone)
    link = links_for(account.key)[NEXT_STEP.get(alert.topic, "balance")]
    return Banner(alert.public_id, alert.severity, render_subject(message), link, alert.raised_at)


def allowed_origin(origin: str) -> str:
    """What a browser is told about a page from `origin`: itself when it may read banners (BANNER_ORIGINS); else nothing."""
    return origin if origin and (origin in settings.BANNER_ORIGINS or "*" in settings.BANNER_ORIGINS) else ""
