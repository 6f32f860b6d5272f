"""Everything about one customer: what happened, where the balance comes from and where it went, notes of staff. And the page
that finds a customer by whatever is at hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import CharField, Form, Textarea
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from unfold.sites import UnfoldAdminSite

from billing_site.backoffice.find import address_of_customer, page_of
from billing_site.backoffice.lookup import Match, matches
from billing_site.backoffice.timeline import PER_PAGE, kinds_of, timeline_of
from metering.ingest.models import DeadLetter
from metering.usage.models import UsageEvent
from metering.usage.queries import EventSpend, spend_of_events
from wallets.accounts.models import Account
from wallets.accounts.note import LONGEST, write_note
from wallets.accounts.note_models import AccountNote
from wallets.admin.recorded import recorded_action
from wallets.approvals.models import Approval
from wallets.balances.held import without_lapsed
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.credit.lot_rows import LotRow, lots_in_burn_order
from wallets.credit.models import CreditLot
from wallets.ledger.spent import Spent, spent_of_lots
from wallets.money import ZERO
from wallets.payments.event_models import PaymentException
from wallets.payments.models import TopUp
from wallets.refunds.models import Dispute
from wallets.risk.models import ReviewItem

TABS: Final = {"timeline": "Timeline", "balance": "Where the balance comes from", "spent": "Where it went", "notes": "Notes"}
LOTS_SHOWN: Final = 50
TOP_UPS_SHOWN: Final = 12
EVENTS_SHOWN: Final = 15
NOTES_SHOWN: Final = 50
SEE: Final = "wallets.view_account"
WRITE: Final = "wallets.add_accountnote"


@dataclass(frozen=True, slots=True)
class LotFrom:
    """A lot with the payment it came from, if it was bought, and what of it went where."""

    lot: LotRow
    top_up: TopUp | None
    spent: tuple[Spent, ...] = ()


@dataclass(frozen=True, slots=True)
class WalletFrom:
    """A wallet's balance, as the sum of its lots less what is owed. rest: what lots that are not shown hold."""

    wallet: Wallet
    lots: tuple[LotFrom, ...]
    held_by_lots: Decimal
    rest: Decimal


class NoteForm(Form):
    """What staff should know."""

    text = CharField(max_length=LONGEST, widget=Textarea(attrs={"rows": 3}), label="Note")


def find_page(site: UnfoldAdminSite, request: HttpRequest) -> HttpResponse:
    """What a term names; when it is one customer, their page."""
    if not request.user.has_perm(SEE):
        raise PermissionDenied
    term = request.GET.get("q", "").strip()
    found = _seen(request, term)
    customers = {one.account_id for one in found if one.account_id is not None}
    if len(customers) == 1 and all(one.account_id is not None for one in found):
        return HttpResponseRedirect(f"{address_of_customer(customers.pop() or 0)}?{urlencode({'q': term})}")
    rows = [(one, page_of(one), address_of_customer(one.account_id) if one.account_id else "") for one in found]
    context = {**site.each_context(request), "title": "Find a customer", "term": term, "found": rows}
    return TemplateResponse(request, "admin/customer_find.html", context)


def customer_page(site: UnfoldAdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """The page of one customer; POST writes a note."""
    if not request.user.has_perm(SEE):
        raise PermissionDenied
    account = Account.objects.filter(pk=pk).first()
    if account is None:
        raise Http404
    form = NoteForm(request.POST or None)
    if request.method == "POST":
        if not request.user.has_perm(WRITE):
            raise PermissionDenied
        if form.is_valid():
            with transaction.atomic(), recorded_action(request, action="Write note", record=account, answers={}):
                write_note(account=account, by=request.user, text=form.cleaned_data["text"], at=now())  # type: ignore[arg-type]
            return HttpResponseRedirect(f"{request.path}?tab=notes")
    at = now()
    wallets = list(account.wallets.order_by("status", "-is_default", "currency", "id"))
    without_lapsed(wallets, at=at)
    asked = request.GET.get("tab", "notes" if request.method == "POST" else "")
    tab = asked if asked in TABS else "timeline"
    term = request.GET.get("q", "")[:120]
    context = {
        **site.each_context(request),
        "title": account.name,
        "account": account,
        "as_of": at,
        "wallets": wallets,
        "waits": waits_for_somebody(account, request),
        "tabs": [(name, title, name == tab) for name, title in TABS.items()],
        "tab": tab,
        "term": term,
        "found": [
            (one, page_of(one)) for one in matches(term) if one.account_id == pk and request.user.has_perm(one.permission)
        ]
        if term
        else [],
        "form": form,
        "may_write": request.user.has_perm(WRITE),
        **_TABS[tab](account, wallets, request, at),
    }
    return TemplateResponse(request, "admin/customer_page.html", context, status=422 if request.method == "POST" else 200)


def _seen(request: HttpRequest, term: str) -> list[Match]:
    """What a term names of what this person may see."""
    return [one for one in matches(term) if request.user.has_perm(one.permission)]


def waits_for_somebody(account: Account, request: HttpRequest) -> list[tuple[str, int, str]]:
    """(what, how many, the worklist narrowed to this customer) of what is open about them. Five queries."""
    lists: tuple[tuple[str, str, Any], ...] = (
        ("Approvals", "wallets_approval", Approval.objects.filter(account=account, state="WAITING")),
        ("Reviews", "wallets_reviewitem", ReviewItem.objects.filter(account=account, state="OPEN")),
        ("Disputes", "wallets_dispute", Dispute.objects.filter(wallet__account=account, state__in=["INQUIRY", "OPEN"])),
        ("Differences", "wallets_paymentexception", PaymentException.objects.filter(
            top_up__wallet__account=account, closed_at__isnull=True)),
        ("Unrated events", "metering_deadletter", DeadLetter.objects.filter(account=account, replayed_at__isnull=True)),
    )  # fmt: skip
    counted = [
        (title, rows.count(), f"{reverse(f'admin:{name}_changelist')}?{urlencode({'q': account.key})}")
        for title, name, rows in lists
        if request.user.has_perm("{}.view_{}".format(*name.split("_")))
    ]
    return [one for one in counted if one[1]]


def _timeline(account: Account, wallets: list[Wallet], request: HttpRequest, at: datetime) -> dict[str, Any]:
    before = _moment(request.GET.get("before", "")) or at.max.replace(tzinfo=at.tzinfo)
    only = request.GET.get("kind", "")
    lines = timeline_of(account, wallet_ids=[one.pk for one in wallets], before=before, may=request.user.has_perm, only=only)
    shown = lines[:PER_PAGE]
    older = urlencode({"before": shown[-1].at.isoformat(), "kind": only}) if len(lines) > PER_PAGE else ""
    return {
        "lines": shown,
        "older": older,
        "kinds": kinds_of(request.user.has_perm),
        "kind": only,
        "newest": "before" in request.GET,
    }


def _balance(_: Account, wallets: list[Wallet], request: HttpRequest, at: datetime) -> dict[str, Any]:  # noqa: ARG001 - as the others
    return {"sources": [_wallet_from(wallet, at) for wallet in wallets if wallet.status != Wallet.Status.CLOSED]}


def _wallet_from(wallet: Wallet, at: datetime) -> WalletFrom:
    """Backwards: the balance, its lots, each one's top-up with its payment. Two queries."""
    lots = lots_in_burn_order(wallet_id=wallet.pk, at=at, limit=LOTS_SHOWN)
    bought = _top_ups_of([lot.pk for lot in lots])
    money = sum((lot.remaining for lot in lots if not lot.unit_meter and lot.state == CreditLot.State.OPEN), ZERO)
    held = wallet.balance + wallet.overdraft
    return WalletFrom(wallet, tuple(LotFrom(lot, bought.get(lot.pk)) for lot in lots), held, held - money)


def _top_ups_of(lots: list[int]) -> dict[int, TopUp]:
    rows = TopUp.objects.filter(lot_id__in=lots).select_related("method", "receipt")
    return {row.lot_id: row for row in rows if row.lot_id is not None}


def _spent(account: Account, wallets: list[Wallet], request: HttpRequest, at: datetime) -> dict[str, Any]:  # noqa: ARG001
    """Forwards: the latest payments, their lots, what each was spent on; the latest events, each with its explanation."""
    rows = TopUp.objects.filter(wallet__in=[one.pk for one in wallets], lot__isnull=False)
    paid = list(rows.select_related("method", "receipt", "lot", "wallet").order_by("-id")[:TOP_UPS_SHOWN])
    spent = spent_of_lots(bucket=account.bucket, lot_ids=[one.lot_id for one in paid if one.lot_id])
    events: list[EventSpend] = []
    if request.user.has_perm("metering.view_usageevent"):
        latest = UsageEvent.objects.filter(bucket=account.bucket, account=account).order_by("-time", "-id")
        events = spend_of_events(list(latest[:EVENTS_SHOWN]))
    return {"paid": [(one, spent.get(one.lot_id or 0, [])) for one in paid], "events": events}


def _notes(account: Account, wallets: list[Wallet], request: HttpRequest, at: datetime) -> dict[str, Any]:  # noqa: ARG001
    return {
        "notes": list(AccountNote.objects.filter(account=account).select_related("by").order_by("-at", "-id")[:NOTES_SHOWN])
    }


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


_TABS: Final = {"timeline": _timeline, "balance": _balance, "spent": _spent, "notes": _notes}
