"""Credit: every lot of a wallet, what is left of it and until when, where it came from and what it went to; vouchers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from billing_site.portal.access import Customer, customer_page
from billing_site.portal.lot_origin import KIND_WORDS, Origin, origins_of
from pricing.credit_products.redeem import redeem_voucher
from pricing.meters.models import Meter
from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.credit.lot_rows import (
    EndsSoon,
    KindTotal,
    LotRow,
    credit_by_kind,
    ends_soon,
    finished_lots,
    lot_row,
    lots_in_burn_order,
)
from wallets.credit.models import CreditLot
from wallets.credit.queries import expired_amounts
from wallets.errors import Refusal
from wallets.ledger.lot_draws import NEWEST, LotDraw, draws_by_day, draws_in_all, mostly_for
from wallets.money import ZERO

PER_PAGE: Final = 50
LONGEST_CODE: Final = 120
MOST_METERS: Final = 3
LONGEST_NUMBER: Final = 18
STATES: Final = {
    "EXHAUSTED": gettext_lazy("used up"),
    "EXPIRED": gettext_lazy("expired"),
    "VOIDED": gettext_lazy("withdrawn"),
    "SCHEDULED": gettext_lazy("to come"),
    "OPEN": gettext_lazy("in use"),
}
# What credit went to, by the account on the other side; a meter's name for usage.
WENT_TO: Final = {
    "FEES": gettext_lazy("Fee"),
    "BREAKAGE": gettext_lazy("Expired unused"),
    "PROMOTIONAL_COST": gettext_lazy("Ended unused"),
    "ALLOWANCE_ISSUED": gettext_lazy("Ended unused"),
    "REFUNDS": gettext_lazy("Paid back to you"),
    "DISPUTED_CREDIT": gettext_lazy("Held back while the payment is in dispute"),
    "OVERDRAFT_RECEIVABLE": gettext_lazy("Repaid what was owed"),
    "TRANSFERS_IN_TRANSIT": gettext_lazy("Moved to another wallet"),
    "ADJUSTMENTS": gettext_lazy("Corrected"),
}
USED: Final = ("REVENUE", "ALLOWANCE_USED")


@dataclass(frozen=True, slots=True)
class LotShown:
    """A lot in the list. scope: names of its meters; used_for: of those it mostly went to; lost: what ended unused."""

    lot: LotRow
    kind: Any
    state: Any
    origin: Origin
    scope: list[str]
    used_for: list[str]
    lost: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class CreditPage:
    """Everything on the page. refusal: why the code was not redeemed; redeemed: (amount, end) of what one became just now."""

    as_of: datetime
    account_key: str
    account_name: str
    wallets: list[tuple[str, str]]
    wallet: str
    currency: str
    finished: bool
    overdraft: Decimal
    kinds: list[KindTotal]
    total: Decimal
    soon: EndsSoon
    lots: list[LotShown]
    page: int
    newer: bool
    older: bool
    may_redeem: bool
    code: str = ""
    refusal: str = ""
    redeemed: tuple[Decimal, datetime | None] | None = None


@dataclass(frozen=True, slots=True)
class DrawShown:
    """What a lot went to on a day, or in all. address: of the events of that day; empty where there are none."""

    day: date | None
    what: str
    amount: Decimal
    share: Decimal
    address: str = ""


@dataclass(frozen=True, slots=True)
class LotPage:
    """One lot. complete: `parts` is all it went to; older: where the list of days goes on."""

    as_of: datetime
    account_key: str
    account_name: str
    wallet: str
    currency: str
    shown: LotShown
    gone: Decimal
    parts: list[DrawShown]
    complete: bool
    days: list[DrawShown]
    first: bool
    older: str


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def credit(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """`?wallet=wal_…&show=finished&page=2`. POST redeems a voucher into the wallet."""
    owner = customer.account(account)
    wallets = list(customer.wallets(owner))
    asked = request.POST if request.method == "POST" else request.GET
    wallet = _wallet(wallets, asked.get("wallet"))
    code = refusal = ""
    if request.method == "POST":
        customer.with_right("pay", account)
        if wallet is None:
            raise Http404
        code = request.POST.get("code", "")[:LONGEST_CODE]
        try:
            redeemed = redeem_voucher(wallet=wallet, code=code, at=now(), actor=customer.user.email)
        except Refusal as error:
            refusal = error.message
        else:
            query = urlencode({"wallet": wallet.public_id, "redeemed": redeemed.lot.public_id})
            return HttpResponseRedirect(f"{reverse('portal:credit', args=[owner.key])}?{query}")
    if wallet is None:
        return render(request, "portal/credit.html", {"page": {"account_key": owner.key, "account_name": owner.name}})
    page = read_credit_page(owner, wallets, wallet, request, may_redeem=customer.may("pay", owner), code=code, refusal=refusal)
    return render(request, "portal/credit.html", {"page": page}, status=422 if refusal else 200)


def read_credit_page(
    owner: Account,
    wallets: Sequence[Wallet],
    wallet: Wallet,
    request: HttpRequest,
    *,
    may_redeem: bool,
    code: str,
    refusal: str,
) -> CreditPage:
    """The page of one wallet, as of now."""
    at = now()
    finished = request.GET.get("show") == "finished"
    number = request.GET.get("page", "1")
    page = max(int(number), 1) if number.isdecimal() and len(number) <= len("9999") else 1
    read = finished_lots if finished else lots_in_burn_order
    lots = read(wallet_id=wallet.pk, at=at, limit=PER_PAGE + 1, skip=(page - 1) * PER_PAGE)
    kinds = credit_by_kind(wallet_id=wallet.pk)
    new = request.GET.get("redeemed", "")
    became = CreditLot.objects.filter(public_id=new, wallet=wallet).values_list("amount", "expires_at")
    return CreditPage(
        as_of=at,
        account_key=owner.key,
        account_name=owner.name,
        wallets=[(one.public_id, one.name or one.currency) for one in wallets],
        wallet=wallet.public_id,
        currency=wallet.currency,
        finished=finished,
        overdraft=wallet.overdraft,
        kinds=kinds,
        total=sum((one.remaining for one in kinds), ZERO),
        soon=ends_soon(wallet_id=wallet.pk, at=at),
        lots=_shown(lots[:PER_PAGE], owner, wallet),
        page=page,
        newer=page > 1,
        older=len(lots) > PER_PAGE,
        may_redeem=may_redeem,
        code=code,
        refusal=refusal,
        redeemed=became.first() if new else None,
    )


@require_safe
@customer_page
def lot(request: HttpRequest, customer: Customer, public_id: str) -> HttpResponse:
    """One lot: where it came from and what it went to, by day; `?before=` reads on."""
    rows = CreditLot.objects.select_related("wallet__account").filter(customer.theirs("wallet__account"))
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    at, wallet, owner = now(), found.wallet, found.wallet.account
    (shown,) = _shown([lot_row(found, at=at)], owner, wallet)
    text = request.GET.get("before", "")
    before = int(text) if text.isdecimal() and len(text) <= LONGEST_NUMBER else NEWEST
    days, older = draws_by_day(bucket=found.bucket, lot_id=found.pk, zone=get_current_timezone(), before=before)
    parts, complete = draws_in_all(bucket=found.bucket, lot_id=found.pk)
    names = _names({draw.of for draw in (*days, *parts) if draw.kind in USED})
    gone = sum((draw.amount for draw in parts), ZERO)
    page = LotPage(
        as_of=at,
        account_key=owner.key,
        account_name=owner.name,
        wallet=wallet.public_id,
        currency=wallet.currency,
        shown=shown,
        gone=gone,
        parts=[_draw(draw, gone, names, owner, wallet) for draw in parts],
        complete=complete,
        days=[_draw(draw, gone, names, owner, wallet) for draw in days],
        first=before == NEWEST,
        older=str(older) if older is not None else "",
    )
    return render(request, "portal/lot.html", {"page": page})


def _wallet(wallets: Sequence[Wallet], public_id: str | None) -> Wallet | None:
    """The wallet asked for, else the first; None for an account without any. Raises Http404."""
    if public_id is None:
        return next(iter(wallets), None)
    for wallet in wallets:
        if wallet.public_id == public_id:
            return wallet
    raise Http404


def _shown(lots: Sequence[LotRow], owner: Account, wallet: Wallet) -> list[LotShown]:
    """Six queries, however many lots."""
    origins = origins_of(lots, account_key=owner.key)
    pks = [lot.pk for lot in lots]
    went = mostly_for(bucket=wallet.bucket, lot_ids=pks)
    lost = expired_amounts([lot.pk for lot in lots if lot.state == "EXPIRED"], bucket=wallet.bucket)
    names = _names({code for lot in lots for code in (*lot.meters, lot.unit_meter)} | {code for pk in pks for code in went[pk]})
    return [
        LotShown(
            lot=lot,
            kind=KIND_WORDS[lot.kind],
            state=STATES[lot.state],
            origin=origins[lot.pk],
            scope=[names.get(code, code) for code in ([lot.unit_meter] if lot.unit_meter else lot.meters)],
            used_for=[names.get(code, code) for code in went[lot.pk][:MOST_METERS]],
            lost=lost.get(lot.pk, ZERO),
        )
        for lot in lots
    ]


def _names(codes: set[str]) -> dict[str, str]:
    """What the meters are called."""
    rows = Meter.objects.filter(code__in=codes - {""}).values_list("code", "name")
    return {code: name or code for code, name in rows}


def _draw(draw: LotDraw, gone: Decimal, names: dict[str, str], owner: Account, wallet: Wallet) -> DrawShown:
    address = ""
    if draw.kind in USED:
        what = names.get(draw.of, draw.of)
        if draw.day is not None:
            day = draw.day.isoformat()
            asked = {"currency": wallet.currency, "since": day, "until": day, "by": "meter", "value": draw.of}
            address = f"{reverse('portal:usage_events', args=[owner.key])}?{urlencode(asked)}"
    elif draw.kind == "FEES":
        what = _("Fee: %(what)s") % {"what": draw.of.partition(":")[2] or draw.of}
    else:
        what = str(WENT_TO.get(draw.kind, draw.kind.replace("_", " ").capitalize()))
    share = draw.amount / gone if gone > 0 and draw.amount > 0 else ZERO
    return DrawShown(draw.day, what, draw.amount, share, address)
