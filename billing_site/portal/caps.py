"""Spend caps: how much the account, or each user or key of it, may spend in a day, a month or altogether. Every member sees
them; an owner sets, changes and removes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.views.decorators.http import require_http_methods

from billing_site.portal.access import Customer, customer_page
from metering.caps.models import SpendCap
from metering.caps.queries import CapStanding, cap_of, caps_standing
from metering.caps.set_cap import CapTerms, remove_cap, set_cap
from pricing.meters.models import Meter
from wallets.accounts.models import Account
from wallets.api.fields import DECIMAL
from wallets.clock import now
from wallets.errors import InvalidInput, NotFound, Refusal
from wallets.money import ZERO, plain

SCOPES: Final = {"account": "account", "team": "team", "user": "user", "api_key": "API key", "cost_centre": "cost centre"}
WINDOWS: Final = {"day": "a day", "month": "a month", "total": "in all"}
METER: Final = "meter:"
LONGEST: Final = 255


@dataclass(frozen=True, slots=True)
class CapUse:
    """What one of them has used. name: empty for the account. share: of the limit, 0 to 100."""

    name: str
    used: Decimal
    share: Decimal
    is_reached: bool


@dataclass(frozen=True, slots=True)
class CapShown:
    """A cap. currency: empty when it is in units. resets: when, in words; empty: never."""

    public_id: str
    whom: str
    window: str
    limit: Decimal
    limit_text: str
    currency: str
    unit: str
    resets: str
    uses: list[CapUse]


@dataclass(frozen=True, slots=True)
class CapsPage:
    """Everything on the page. said: what was filled in and not accepted."""

    as_of: datetime
    account_key: str
    account_name: str
    zone: str
    may_change: bool
    caps: list[CapShown]
    currencies: list[str]
    meters: list[tuple[str, str]]
    problem: str = ""
    scopes: dict[str, str] = field(default_factory=lambda: SCOPES)
    windows: dict[str, str] = field(default_factory=lambda: WINDOWS)
    said: dict[str, str] = field(default_factory=dict)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def caps(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """The spend caps of one account. POST sets one (`what=set`), changes its limit (`change`), removes it (`remove`)."""
    if request.method != "POST":
        page = read_caps_page(customer, customer.account(account), at=now())
        return render(request, "portal/caps.html", {"page": page})
    owned = customer.with_right("caps", account)
    try:
        _change(owned, request.POST, actor=customer.user.email, at=now())
    except InvalidInput as invalid:
        problem = " ".join(f"{name.replace('_', ' ').capitalize()}: {expected}." for name, expected in invalid.fields.items())
    except Refusal as refusal:
        problem = refusal.message
    else:
        return redirect("portal:caps", account=owned.key)
    said = {name: value[:LONGEST] for name, value in request.POST.items() if isinstance(value, str)}
    page = read_caps_page(customer, owned, at=now(), problem=problem, said=said if said.get("what") == "set" else {})
    return render(request, "portal/caps.html", {"page": page}, status=422)


def read_caps_page(
    customer: Customer, account: Account, *, at: datetime, problem: str = "", said: dict[str, str] | None = None
) -> CapsPage:
    """The page as of `at`."""
    zone = ZoneInfo(account.time_zone)
    standing = caps_standing(account_id=account.pk, at=at)
    may_change = customer.may("caps", account)
    currencies = list(dict.fromkeys(wallet.currency for wallet in customer.wallets(account))) or [account.currency]
    meters = Meter.objects.filter(archived_at__isnull=True).order_by("code").values_list("code", "name") if may_change else ()
    return CapsPage(
        as_of=at,
        account_key=account.key,
        account_name=account.name,
        zone=account.time_zone,
        may_change=may_change,
        caps=[_shown(one, zone) for one in standing],
        currencies=currencies,
        meters=[(METER + code, name or code) for code, name in meters],
        problem=problem,
        said=said or {},
    )


def _change(account: Account, asked: QueryDict, *, actor: str, at: datetime) -> None:
    """Do what was asked. Raises Http404 for a cap that is not the account's, and as the verbs."""
    what = asked.get("what", "")
    if what == "set":
        unit = asked.get("unit", "")
        terms = CapTerms(
            scope=asked.get("scope", ""),
            value=asked.get("value", "").strip(),
            window=asked.get("window", ""),
            limit=_limit(asked),
            currency="" if unit.startswith(METER) else unit,
            meter=unit.removeprefix(METER) if unit.startswith(METER) else "",
        )
        set_cap(account=account, terms=terms, at=at, actor=actor)
        return
    try:
        cap = cap_of(cap_id=asked.get("cap", ""), only_account_id=account.pk)
    except NotFound:
        raise Http404 from None
    if what == "remove":
        remove_cap(cap=cap, at=at, actor=actor)
    elif what == "change" and cap.state == SpendCap.State.ACTIVE:
        code = cap.meter.code if cap.meter is not None else ""
        terms = CapTerms(cap.scope, cap.window, _limit(asked), cap.value, cap.currency, code)
        set_cap(account=account, terms=terms, at=at, actor=actor)
    else:
        raise InvalidInput("Nothing was changed.", fields={"what": "set, change or remove, of a cap in force"})


def _limit(asked: QueryDict) -> Decimal:
    """The limit that was written. Raises InvalidInput."""
    text = asked.get("limit", "").strip()
    if not DECIMAL.fullmatch(text):
        raise InvalidInput("The spend cap cannot be set like this.", fields={"limit": "a number, such as 50 or 12.50"})
    return Decimal(text)


def _shown(standing: CapStanding, zone: ZoneInfo) -> CapShown:
    cap = standing.cap
    scope = SCOPES[cap.scope]
    each = cap.scope != SpendCap.Scope.ACCOUNT and not cap.value
    whom = (
        "The account" if cap.scope == "account" else f"Each {scope}" if each else f"{scope[0].upper()}{scope[1:]} {cap.value}"
    )
    resets = ""
    if standing.resets_at is not None:
        resets = date_format(localtime(standing.resets_at, zone), "j M, H:i")
    uses = [
        CapUse(value if each else "", used, _share(cap.limit, used), is_reached=used >= cap.limit)
        for value, used in standing.used
    ]
    if not uses and not each:
        uses = [CapUse("", ZERO, _share(cap.limit, ZERO), is_reached=cap.limit == ZERO)]
    return CapShown(
        public_id=cap.public_id,
        whom=whom,
        window=WINDOWS[cap.window],
        limit=cap.limit,
        limit_text=plain(cap.limit) if cap.currency else f"{cap.limit.normalize():f}",
        currency=cap.currency,
        unit=(cap.meter.name or cap.meter.code) if cap.meter is not None else cap.currency,
        resets=resets,
        uses=uses,
    )


def _share(limit: Decimal, used: Decimal) -> Decimal:
    """How much of a limit is used, 0 to 100."""
    return min(max(used, ZERO) * 100 / limit, Decimal(100)) if limit else Decimal(100)
