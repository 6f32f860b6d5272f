"""What happened to an account lately, mixed: what was told and to whom, and what auto-recharge decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from notifications.alerts.message import message_of_alert
from notifications.alerts.models import Alert, Delivery
from notifications.channels.email.render import render_subject
from notifications.channels.topics import TOPICS
from wallets.accounts.models import Account
from wallets.recharge.log import decisions_of, text_of
from wallets.recharge.models import RechargeDecision
from wallets.recharge.states import FAILED, IN_FLIGHT, NOT_DONE, TOLD

SINCE: Final = timedelta(days=30)
ARRIVED: Final = frozenset({"SENT", "GATHERED", "UNCERTAIN"})
# The decision says it better, and always.
OF_DECISIONS: Final = frozenset({"recharge_not_done", "recharge_needs_authentication", "recharge_breaker_opened"})
PAGES: Final = {
    "Payments": "payments", "Credit": "credit", "Usage": "usage", "Balance": "usage", "Security": "team",
}  # fmt: skip
OWN_PAGES: Final = {
    "api_key_issued": "developers", "endpoint_disabled": "webhooks", "spend_cap_reached": "caps",
    "statement_issued": "statements", "card_expiring": "cards", "withdrawal_changed": "withdraw",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing: when, what, the page about it, who was told and how, and whether it is good or bad ('' is neither)."""

    at: datetime
    words: str
    address: str
    told: str
    tone: str


def lately(
    *, account: Account, wallet_id: int, at: datetime, limit: int, decisions: list[RechargeDecision] | None = None
) -> list[Happening]:
    """The latest happenings of the last 30 days, newest first. decisions: those of `latest_decisions`, if they were read."""
    decided = latest_decisions(wallet_id=wallet_id, at=at, limit=limit) if decisions is None else decisions
    found = [*_told(account, wallet_id, at, limit, decided), *(_decided(one, account) for one in decided)]
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


def latest_decisions(*, wallet_id: int, at: datetime, limit: int) -> list[RechargeDecision]:
    """What auto-recharge decided in the last 30 days, newest first; what would only say 'not yet' is left out. One query."""
    rows = decisions_of(wallet_id=wallet_id).filter(decided_at__gt=at - SINCE).order_by("-id")[: limit * 2]
    return [one for one in rows if one.state != NOT_DONE or one.reason in TOLD][:limit]


def _told(account: Account, wallet_id: int, at: datetime, limit: int, decided: list[RechargeDecision]) -> Iterable[Happening]:
    """Two queries."""
    rows = Alert.objects.filter(account=account, audience=Alert.Audience.CUSTOMER, raised_at__gt=at - SINCE)
    rows = rows.exclude(topic__in=[*OF_DECISIONS, "test"]).prefetch_related(
        Prefetch("deliveries", Delivery.objects.order_by("id"))
    )
    by_decision = {one.top_up.public_id for one in decided if one.top_up is not None}
    for alert in rows.order_by("-id")[: limit * 2]:
        if alert.wallet_id not in {None, wallet_id} or alert.facts.get("top_up") in by_decision:
            continue
        tone = "good" if alert.topic == "top_up_succeeded" else {"critical": "bad", "warning": "soon"}.get(alert.severity, "")
        yield Happening(alert.raised_at, _words(alert, account), _address(alert, account), _who(alert), tone)


def _words(alert: Alert, account: Account) -> str:
    here = get_current_timezone_name()
    message = message_of_alert(alert, account, language=get_language() or "en", time_zone=here)
    said = render_subject(message).removeprefix(f"{account.name}: ")  # whose page it is says the page
    return said[:1].upper() + said[1:]


def _address(alert: Alert, account: Account) -> str:
    if alert.facts.get("top_up"):
        return reverse("portal:receipt", args=[alert.facts["top_up"]])
    group = TOPICS[alert.topic].group if alert.topic in TOPICS else ""
    return reverse(f"portal:{OWN_PAGES.get(alert.topic, PAGES.get(group, 'alerts'))}", args=[account.key])


def _who(alert: Alert) -> str:
    """`mail to 2 people, webhook 200`; '' when nobody was."""
    ways = [one for one in alert.deliveries.all() if one.state in ARRIVED]
    parts = []
    mails = sum(one.channel == Delivery.Channel.EMAIL for one in ways)
    if mails:
        parts.append(ngettext("mail to %(count)s person", "mail to %(count)s people", mails) % {"count": mails})
    answers = Counter(one.answer_status for one in ways if one.channel == Delivery.Channel.WEBHOOK)
    parts += [_("webhook %(status)s") % {"status": status or ""} for status in answers]
    if any(one.channel == Delivery.Channel.SLACK for one in ways):
        parts.append(_("Slack"))
    return ", ".join(part.strip() for part in parts)


def _decided(one: RechargeDecision, account: Account) -> Happening:
    top_up = one.top_up
    page = reverse("portal:receipt", args=[top_up.public_id]) if top_up else reverse("portal:auto_recharge", args=[account.key])
    words = _("Auto-recharge: %(what)s") % {"what": text_of(one)}
    tone = {FAILED: "bad", NOT_DONE: "soon", IN_FLIGHT: "soon" if one.asked_at else ""}.get(one.state, "good")
    return Happening(one.decided_at, words, page, "", tone)
