"""Alerts of an account: at which balances, who is told and how, and what was told lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from billing_site.portal.access import Customer, customer_page
from billing_site.portal.team import ROLES, Role
from billing_site.sign_in.where import address_of
from notifications.alerts.banner import dismiss
from notifications.alerts.bounces import forget_bounce
from notifications.alerts.models import Alert, Delivery, Recipient
from notifications.alerts.recipients import (
    RecipientTerms,
    add_recipient,
    change_recipient,
    recipient_by_row,
    recipients_of,
    remove_recipient,
)
from notifications.alerts.told_roles import tell_roles, told_roles
from notifications.channels.topics import MAY_DECLINE, TOPICS
from wallets.accounts.models import Account
from wallets.api.fields import DECIMAL
from wallets.audit.record import record_change
from wallets.audit.rows import fields_of
from wallets.balances.models import Wallet
from wallets.balances.set_thresholds import set_thresholds, thresholds_of
from wallets.clock import now
from wallets.errors import InvalidInput, NotFound, Refusal
from wallets.money import plain

MOST_ALERTS: Final = 30
LONGEST: Final = 254
LONGEST_ROW_ID: Final = 18
WORDS: Final[dict[str, tuple[str, Any]]] = {
    "WAITING": ("soon", gettext_lazy("waits")),
    "SENDING": ("info", gettext_lazy("being sent")),
    "SENT": ("good", gettext_lazy("sent")),
    "FAILED": ("bad", gettext_lazy("not taken")),
    "GIVEN_UP": ("bad", gettext_lazy("given up")),
    "SUPPRESSED": ("", gettext_lazy("not sent")),
    "UNCERTAIN": ("soon", gettext_lazy("may have arrived")),
    "GATHERING": ("soon", gettext_lazy("waits to be gathered")),
    "GATHERED": ("good", gettext_lazy("sent with others")),
}


@dataclass(frozen=True, slots=True)
class WatchedWallet:
    """A wallet and what it is watched for. percents, amounts: as the fields have them, highest first. own: it has
    percentages of its own, and not those of its account."""

    public_id: str
    currency: str
    name: str
    percents: str
    amounts: str
    reference: str
    own: bool
    reference_balance: Decimal


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """Something that can be declined."""

    name: str
    says: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class RecipientShown:
    """Somebody who is told. pk: 0 for the one to be added. declined: in words what it unsubscribed from."""

    pk: int
    email: str
    language: str
    time_zone: str
    quiet_from: str
    quiet_until: str
    digest: bool
    all_topics: bool
    topics: list[TopicChoice]
    declined: list[str]
    bounced_at: datetime | None = None
    complained_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ToldShown:
    """Where an alert went. chip, word: what became of it."""

    address: str
    chip: str
    word: Any
    reason: str


@dataclass(frozen=True, slots=True)
class AlertShown:
    """One thing told."""

    at: datetime
    says: str
    severity: str
    told: list[ToldShown]


@dataclass(frozen=True, slots=True)
class AlertsPage:
    """Everything on the page."""

    account_key: str
    account_name: str
    account_email: str
    may_change: bool
    wallets: list[WatchedWallet]
    recipients: list[RecipientShown]
    roles: list[tuple[str, Any, bool]]
    new: RecipientShown
    alerts: list[AlertShown]
    languages: list[tuple[str, str]]
    mandatory: list[str]
    problem: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def alerts(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """Show them. POST sets a wallet's thresholds (`what=thresholds`); says which roles are told (`roles`); adds, changes and
    removes somebody who is told (`add`, `change`, `remove`); says that a mailbox works again (`works`)."""
    owned = customer.account(account)
    if request.method != "POST":
        return render(request, "portal/alerts.html", {"page": read_alerts_page(customer, owned)})
    owned = customer.with_right("alerts", account)
    try:
        with transaction.atomic():
            _do(request, customer, owned, request.POST.get("what", ""), at=now())
    except NotFound:
        raise Http404 from None
    except Refusal as refusal:
        problem = " ".join([refusal.message, *(f"{name.replace('_', ' ')}: {text}." for name, text in refusal.fields.items())])
        page = read_alerts_page(customer, owned, problem=problem, said=request.POST)
        return render(request, "portal/alerts.html", {"page": page}, status=422)
    return redirect("portal:alerts", account=owned.key)


@require_POST
@customer_page
def put_away(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """Take a line off the banner, for everybody of the account, and go back to where it stood."""
    owned = customer.account(account)
    try:
        dismiss(account_key=owned.key, alert=request.POST.get("alert", "")[:40], at=now())
    except NotFound:
        raise Http404 from None
    back = request.POST.get("next", "")
    here = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if here else reverse("portal:alerts", args=[owned.key]))


def read_alerts_page(customer: Customer, account: Account, *, problem: str = "", said: QueryDict | None = None) -> AlertsPage:
    """The page. said: what was filled in to add somebody, and not accepted."""
    terms = _readable_terms(said) if said is not None and said.get("what") == "add" else RecipientTerms("")
    zone = terms.time_zone if said is not None else account.time_zone
    new = Recipient(
        pk=0, email=terms.email[:LONGEST], language=terms.language, time_zone=zone, topics=list(terms.topics), unsubscribed=[],
        quiet_from=terms.quiet_from, quiet_until=terms.quiet_until, digest=terms.digest,
    )  # fmt: skip
    roles = told_roles(account)
    return AlertsPage(
        account_key=account.key,
        account_name=account.name,
        account_email=account.email,
        may_change=customer.may("alerts", account),
        wallets=[_watched(one) for one in customer.wallets(account).select_related("account")],
        recipients=[_shown(one) for one in recipients_of(account)],
        roles=[(role.value, ROLES[role][0], role in roles) for role in Role],
        new=_shown(new),
        alerts=_told_lately(account),
        languages=[(code, str(name)) for code, name in settings.LANGUAGES],
        mandatory=[_(topic.says) for topic in TOPICS.values() if topic.mandatory and not topic.mailed],
        problem=problem,
    )


def _do(request: HttpRequest, customer: Customer, account: Account, what: str, *, at: datetime) -> None:
    """The change, and its line in the audit log. Raises as the verbs."""
    said = request.POST
    if what == "thresholds":
        wallet = customer.wallets(account).filter(public_id=said.get("wallet", "")).first()
        if wallet is None:
            raise Http404
        before = fields_of(wallet)
        percents = _percents(said.get("percents", "")) if said.get("own") else None
        amounts = [_amount("amounts", text) for text in _parts(said.get("amounts", ""))]
        reference = said.get("reference", "").strip()
        own = _amount("reference", reference) if reference else None
        changed: Any = set_thresholds(wallet_id=wallet.pk, percents=percents, amounts=amounts, reference=own)
        kind, subject = "wallets.wallet", wallet.public_id
    elif what == "roles":
        before = {"roles": told_roles(account)}
        after = {"roles": tell_roles(account=account, roles=said.getlist("role"))}
        record_change(
            actor=customer.user, action="Alerts: roles", subject_kind="wallets.account", subject=account.key, before=before,
            after=after, reason="", at=at, account=account, address=address_of(request),
        )  # fmt: skip
        return
    elif what == "add":
        before, changed = {}, add_recipient(account=account, terms=_terms(said), at=at)
        kind, subject = "notifications.recipient", changed.email
    else:
        pk = said.get("recipient", "")
        if not pk.isdecimal() or len(pk) > LONGEST_ROW_ID:
            raise Http404
        recipient = recipient_by_row(pk=int(pk), account=account)
        before, changed = fields_of(recipient), recipient
        kind, subject = "notifications.recipient", recipient.email
        if what == "change":
            changed = change_recipient(recipient=recipient, terms=_terms(said, email=recipient.email))
        elif what == "remove":
            remove_recipient(recipient=recipient)
            changed = None
        elif what == "works":
            forget_bounce(recipient=recipient)
            recipient.refresh_from_db()
        else:
            raise InvalidInput("Choose what to do.")
    record_change(
        actor=customer.user, action=f"Alerts: {what}", subject_kind=kind, subject=subject, before=before,
        after={} if changed is None else fields_of(changed), reason="", at=at, account=account, address=address_of(request),
    )  # fmt: skip


def _terms(said: QueryDict, email: str = "") -> RecipientTerms:
    """Raises InvalidInput."""
    return RecipientTerms(
        email=email or said.get("email", ""),
        language=said.get("language", ""),
        time_zone=said.get("time_zone", ""),
        topics=() if said.get("topics") == "all" else tuple(said.getlist("topic")),
        quiet_from=_clock("quiet_from", said),
        quiet_until=_clock("quiet_until", said),
        digest=said.get("digest") == "1",
    )


def _readable_terms(said: QueryDict) -> RecipientTerms:
    """As far as it can be shown again."""
    try:
        return _terms(said)
    except InvalidInput:
        return RecipientTerms(said.get("email", ""), time_zone=said.get("time_zone", "")[:64])


def _clock(name: str, said: QueryDict) -> time | None:
    text = said.get(name, "").strip()
    if not text:
        return None
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        clock = None
    if clock is None or clock.tzinfo is not None:
        raise InvalidInput("The recipient cannot be like this.", fields={name: "a time such as 22:00"})
    return clock


def _parts(text: str) -> list[str]:
    return text.replace(",", " ").replace("%", " ").split()


def _percents(text: str) -> list[int]:
    parts = _parts(text)
    if not all(part.isascii() and part.isdecimal() and len(part) <= 3 for part in parts):  # noqa: PLR2004 - 100 has three digits
        raise InvalidInput("The thresholds are not acceptable.", fields={"percents": "whole numbers such as 50, 20, 5"})
    return [int(part) for part in parts]


def _amount(name: str, text: str) -> Decimal:
    if not DECIMAL.fullmatch(text):
        raise InvalidInput("The thresholds are not acceptable.", fields={name: "a number, such as 50 or 12.50"})
    return Decimal(text)


def _watched(wallet: Wallet) -> WatchedWallet:
    watched = thresholds_of(wallet)
    return WatchedWallet(
        public_id=wallet.public_id,
        currency=wallet.currency,
        name=wallet.name,
        percents=", ".join(str(one) for one in watched.in_force),
        amounts=", ".join(plain(one) for one in watched.amounts),
        reference="" if watched.reference is None else plain(watched.reference),
        own=watched.percents is not None,
        reference_balance=watched.reference_balance,
    )


def _shown(recipient: Recipient) -> RecipientShown:
    return RecipientShown(
        pk=recipient.pk,
        email=recipient.email,
        language=recipient.language,
        time_zone=recipient.time_zone,
        quiet_from=f"{recipient.quiet_from:%H:%M}" if recipient.quiet_from else "",
        quiet_until=f"{recipient.quiet_until:%H:%M}" if recipient.quiet_until else "",
        digest=recipient.digest,
        all_topics=not recipient.topics,
        topics=[
            TopicChoice(name, _(TOPICS[name].says), name in recipient.topics) for name in MAY_DECLINE if _for_customers(name)
        ],
        declined=[_(TOPICS[name].says) for name in recipient.unsubscribed if name in TOPICS],
        bounced_at=recipient.bounced_at,
        complained_at=recipient.complained_at,
    )


def _for_customers(name: str) -> bool:
    return not TOPICS[name].finance


def _told_lately(account: Account) -> list[AlertShown]:
    """Two queries."""
    sent = Delivery.objects.order_by("id")
    customer = Alert.objects.filter(account=account, audience=Alert.Audience.CUSTOMER)
    latest = customer.prefetch_related(Prefetch("deliveries", sent)).order_by("-id")[:MOST_ALERTS]
    return [
        AlertShown(
            at=one.raised_at,
            says=_(TOPICS[one.topic].says) if one.topic in TOPICS else one.topic,
            severity=one.severity,
            told=[
                ToldShown(way.address, *WORDS.get(way.state, ("", way.state.lower())), way.reason)
                for way in one.deliveries.all()
            ],
        )
        for one in latest
    ]
