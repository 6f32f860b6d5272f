"""Webhooks of an account: where its programs are told of what happens, what became of each event, sending again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from billing_site.portal.access import Customer, customer_page
from billing_site.portal.webhook_log import DeliveryShown, deliveries_shown
from billing_site.sign_in.where import address_of
from notifications.alerts.resend import delivery_to, resend, resend_one
from notifications.alerts.send_test import send_test
from notifications.channels.topics import TOPICS
from notifications.channels.webhook.endpoints import (
    OVERLAP,
    EndpointTerms,
    change_endpoint,
    disable_endpoint,
    enable_endpoint,
    endpoint_by_id,
    endpoints_seen,
    make_endpoint,
    remove_endpoint,
    rotate_secret,
)
from notifications.channels.webhook.models import WebhookEndpoint
from wallets.accounts.models import Account
from wallets.audit.record import record_change
from wallets.audit.rows import fields_of
from wallets.clock import now
from wallets.errors import InvalidInput, NotFound, Refusal

LONGEST: Final = 500
GROUPS: Final = {
    "Balance": gettext_lazy("Balance"),
    "Payments": gettext_lazy("Payments"),
    "Credit": gettext_lazy("Credit"),
    "Usage": gettext_lazy("Usage"),
    "Security": gettext_lazy("Security"),
}


@dataclass(frozen=True, slots=True)
class EndpointShown:
    """One endpoint. events: how many it chose; 0: all. failing_since: nothing was taken since then."""

    public_id: str
    url: str
    description: str
    events: int
    is_active: bool
    failing_since: datetime | None
    disabled_reason: str
    previous_secret_until: datetime | None = None

    @property
    def all_events(self) -> bool:
        """Whether it chose none, which is all."""
        return not self.events


@dataclass(frozen=True, slots=True)
class EventGroup:
    """Events to choose from: (name, what it says, whether it is chosen)."""

    title: str
    events: list[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class WebhooksPage:
    """The endpoints of an account. said: what was filled in and not accepted."""

    account_key: str
    account_name: str
    may_change: bool
    endpoints: list[EndpointShown]
    groups: list[EventGroup]
    problem: str = ""
    said: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WebhookPage:
    """One endpoint with its log. secret: a new one, shown once. as_of, day_before: as the range's fields have them."""

    account_key: str
    account_name: str
    zone: str
    may_change: bool
    endpoint: EndpointShown
    groups: list[EventGroup]
    deliveries: list[DeliveryShown]
    problem: str = ""
    told: str = ""
    secret: str = ""
    since: str = ""
    until: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def webhooks(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """The endpoints of one account. POST makes one; the answer shows its secret, once."""
    owned = customer.account(account)
    if request.method != "POST":
        return render(request, "portal/webhooks.html", {"page": read_webhooks_page(customer, owned)})
    owned = customer.with_right("alerts", account)
    try:
        with transaction.atomic():
            endpoint = make_endpoint(account=owned, terms=_terms(request.POST), at=now())
            _record(request, customer, endpoint, "made", {}, fields_of(endpoint))
    except Refusal as refusal:
        said = {name: request.POST.get(name, "")[:LONGEST] for name in ("url", "description")}
        chosen = tuple(request.POST.getlist("event"))
        refused = read_webhooks_page(customer, owned, problem=_words(refusal), said=said, chosen=chosen)
        return render(request, "portal/webhooks.html", {"page": refused}, status=422)
    page = read_webhook_page(customer, endpoint, at=now(), secret=endpoint.secret)
    return render(request, "portal/webhook.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def webhook(request: HttpRequest, customer: Customer, public_id: str) -> HttpResponse:
    """One endpoint and its log. POST changes it (`what=change`), makes a new secret (`rotate`), stops and starts it
    (`disable`, `enable`), removes it (`remove`), sends a test (`test`), one delivery again (`again`) or a range (`range`)."""
    seen = endpoints_seen(only_account_id=None).filter(customer.theirs("account"), public_id=public_id).first()
    if seen is None or seen.account is None:
        raise Http404
    if request.method != "POST":
        return render(request, "portal/webhook.html", {"page": read_webhook_page(customer, seen, at=now())})
    owned = customer.with_right("alerts", seen.account.key)
    what = request.POST.get("what", "")
    try:
        with transaction.atomic():
            endpoint = endpoint_by_id(public_id=public_id, only_account_id=owned.pk)
            before = fields_of(endpoint)
            told = _do(endpoint, what, request.POST, at=now())
            _record(request, customer, endpoint, what, before, fields_of(endpoint))
    except Refusal as refusal:
        page = read_webhook_page(customer, seen, at=now(), problem=_words(refusal))
        return render(request, "portal/webhook.html", {"page": page}, status=422)
    if what == "rotate":
        page = read_webhook_page(customer, endpoint, at=now(), secret=endpoint.secret)
        return render(request, "portal/webhook.html", {"page": page})
    if what == "remove":
        return redirect("portal:webhooks", account=owned.key)
    if told:
        return render(request, "portal/webhook.html", {"page": read_webhook_page(customer, endpoint, at=now(), told=told)})
    return redirect("portal:webhook", public_id=public_id)


def read_webhooks_page(
    customer: Customer,
    account: Account,
    *,
    problem: str = "",
    said: dict[str, str] | None = None,
    chosen: tuple[str, ...] = (),
) -> WebhooksPage:
    """The page."""
    return WebhooksPage(
        account_key=account.key,
        account_name=account.name,
        may_change=customer.may("alerts", account),
        endpoints=[_shown(one) for one in endpoints_seen(only_account_id=account.pk).order_by("id")],
        groups=event_groups(chosen),
        problem=problem,
        said=said or {},
    )


def read_webhook_page(
    customer: Customer, endpoint: WebhookEndpoint, *, at: datetime, problem: str = "", told: str = "", secret: str = ""
) -> WebhookPage:
    """The page as of `at`."""
    account = endpoint.account
    assert account is not None, "a customer's endpoint"
    here = at.astimezone(ZoneInfo(account.time_zone))
    return WebhookPage(
        account_key=account.key,
        account_name=account.name,
        zone=account.time_zone,
        may_change=customer.may("alerts", account),
        endpoint=_shown(endpoint, at=at),
        groups=event_groups(tuple(endpoint.event_types)),
        deliveries=deliveries_shown(endpoint),
        problem=problem,
        told=told,
        secret=secret,
        since=f"{here - timedelta(days=1):%Y-%m-%dT%H:%M}",
        until=f"{here:%Y-%m-%dT%H:%M}",
    )


def event_groups(chosen: tuple[str, ...]) -> list[EventGroup]:
    """What a customer's endpoint can choose, by heading."""
    topics = [(name, topic) for name, topic in TOPICS.items() if not topic.finance and not topic.mailed]
    titles = dict.fromkeys(topic.group for _name, topic in topics)
    return [
        EventGroup(
            str(GROUPS.get(title, title)),
            [(name, _(topic.says), name in chosen) for name, topic in topics if topic.group == title],
        )
        for title in titles
    ]


def _do(endpoint: WebhookEndpoint, what: str, said: QueryDict, *, at: datetime) -> str:
    """The change; what to tell about it, if anything. Raises as the verbs."""
    match what:
        case "change":
            change_endpoint(endpoint=endpoint, terms=_terms(said))
        case "rotate":
            rotate_secret(endpoint=endpoint, at=at, overlap=timedelta(0) if said.get("now") else OVERLAP)
        case "disable":
            disable_endpoint(endpoint_id=endpoint.pk, reason="by hand", at=at)
            endpoint.refresh_from_db()
        case "enable":
            enable_endpoint(endpoint=endpoint)
        case "remove":
            remove_endpoint(endpoint=endpoint, at=at)
            endpoint.refresh_from_db()
        case "test":
            send_test(endpoint=endpoint, at=at)
            return _("A test is on its way; its answer is in the log in a moment.")
        case "again":
            resend_one(delivery=delivery_to(endpoint, public_id=said.get("delivery", "")), at=at)
            return _("It is sent again.")
        case "range":
            zone = ZoneInfo(endpoint.account.time_zone if endpoint.account else "UTC")
            since, until = _local(said, "since", zone), _local(said, "until", zone)
            count = resend(endpoint=endpoint, since=since, until=until, at=at)
            return _("%(count)d events are sent again.") % {"count": count}
        case _:
            raise InvalidInput("Choose what to do.")
    return ""


def _local(said: QueryDict, name: str, zone: ZoneInfo) -> datetime:
    """A time as the browser's field sends it, in the account's zone. Raises InvalidInput."""
    try:
        moment = datetime.fromisoformat(said.get(name, ""))
    except ValueError:
        moment = datetime.max  # noqa: DTZ901 - refused in the next line
    if moment.tzinfo is not None or not 1971 <= moment.year <= 8999:  # noqa: PLR2004 - what can be told of
        raise InvalidInput("Nothing is in this range.", fields={name: "a date and a time"})
    return moment.replace(tzinfo=zone)


def _terms(said: QueryDict) -> EndpointTerms:
    events = () if said.get("events") == "all" else tuple(said.getlist("event"))
    return EndpointTerms(url=said.get("url", ""), description=said.get("description", ""), event_types=events)


def _shown(endpoint: WebhookEndpoint, *, at: datetime | None = None) -> EndpointShown:
    until = endpoint.previous_secret_until
    return EndpointShown(
        public_id=endpoint.public_id,
        url=endpoint.url,
        description=endpoint.description,
        events=len(endpoint.event_types),
        is_active=endpoint.state == WebhookEndpoint.State.ACTIVE,
        failing_since=endpoint.failing_since,
        disabled_reason=endpoint.disabled_reason,
        previous_secret_until=until if at is not None and until is not None and until > at else None,
    )


def _words(refusal: Refusal) -> str:
    if isinstance(refusal, NotFound):
        raise Http404
    return " ".join([refusal.message, *(f"{name.replace('_', ' ')}: {words}." for name, words in refusal.fields.items())])


def _record(
    request: HttpRequest,
    customer: Customer,
    endpoint: WebhookEndpoint,
    what: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    record_change(
        actor=customer.user, action=f"Webhook: {what}", subject_kind="notifications.webhookendpoint",
        subject=endpoint.public_id, before=before, after=after, reason="", at=now(), account=endpoint.account_id,
        address=address_of(request),
    )  # fmt: skip
