"""The first page: what is available, how long it lasts, what it is made of, what used it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.timezone import get_current_timezone, localtime
from django.views.decorators.http import require_safe

from billing_site.bar_chart import Bar, BarChart, bar_chart
from billing_site.portal.access import Customer, customer_page
from metering.usage.queries import DaySpend, EventSpend, MeterSpend, latest_charges, spend_by_day, spend_by_meter
from pricing.meters.models import Meter
from wallets.accounts.models import Account
from wallets.amount_text import headline_text, places_of
from wallets.balances.held import without_lapsed
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.credit.lot_rows import KindTotal, LotRow, credit_by_kind, lots_in_burn_order
from wallets.money import ZERO
from wallets.payments.currencies import CARD_CURRENCIES
from wallets.payments.providers.registry import takes_cards

DAYS: Final = 30
PACE_DAYS: Final = 7
LOTS_SHOWN: Final = 20
MOST_LOTS: Final = 1_000
CHARGES_SHOWN: Final = 15
METERS_SHOWN: Final = 8
FAR: Final = timedelta(days=730)

WHEN_EMPTY: Final[dict[str, str]] = {"block": "refused", "throttle": "slowed down", "grace": "let through for a while"}


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """An account to look at."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class WalletShown:
    """A wallet, as values. fresh: nothing has ever moved it."""

    public_id: str
    label: str
    currency: str
    available: Decimal
    held: Decimal
    overdraft: Decimal
    frozen: bool
    fresh: bool


@dataclass(frozen=True, slots=True)
class Runway:
    """How long the balance lasts at the pace of the last days."""

    words: str
    per_day: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class BalancePage:
    """Everything on the page, as values. Without a wallet only the account is known."""

    as_of: datetime
    accounts: list[AccountChoice]
    account_key: str
    account_name: str
    suspended: bool
    wallets: list[WalletShown]
    wallet: WalletShown | None = None
    when_empty: str = ""
    kinds: list[KindTotal] | None = None
    lots: list[LotRow] | None = None
    more_lots: int = 0
    runway: Runway | None = None
    today: Decimal = ZERO
    this_month: Decimal = ZERO
    thirty_days: Decimal = ZERO
    chart: BarChart | None = None
    chart_caption: str = ""
    meters: list[MeterSpend] | None = None
    charges: list[EventSpend] | None = None
    places: int = 2
    can_top_up: bool = False


@require_safe
@customer_page
def balance(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The balance of one wallet of one account: `?account=KEY&wallet=wal_…`, else the first of each."""
    page = read_balance_page(customer, account_key=request.GET.get("account"), wallet_id=request.GET.get("wallet"), at=now())
    return render(request, "portal/balance.html", {"page": page})


def read_balance_page(
    customer: Customer, *, account_key: str | None, wallet_id: str | None, at: datetime
) -> BalancePage | None:
    """The page as of `at`, in the viewer's zone; None for someone who is in no account. Raises Http404."""
    accounts = list(customer.accounts())
    if not accounts and account_key is None and wallet_id is None:
        return None
    account = _chosen(accounts, account_key)
    wallets = list(customer.wallets(account))
    without_lapsed(wallets, at=at)
    choices = [AccountChoice(one.key, one.name) for one in accounts]
    shown = [_shown(wallet) for wallet in wallets]
    suspended = account.status == Account.Status.SUSPENDED
    if not wallets:
        if wallet_id is not None:
            raise Http404
        return BalancePage(at, choices, account.key, account.name, suspended, [])
    index = 0 if wallet_id is None else next((n for n, one in enumerate(wallets) if one.public_id == wallet_id), None)
    if index is None:
        raise Http404
    wallet = wallets[index]
    zone, here = get_current_timezone(), localtime(at)
    since = here.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    charges = latest_charges(account_id=account.pk, wallet_id=wallet.pk, since=since, limit=CHARGES_SHOWN)
    days = spend_by_day(
        account_id=account.pk, currency=wallet.currency, last_day=here.date(), days=max(DAYS, here.day), zone=zone
    )
    lots = lots_in_burn_order(wallet_id=wallet.pk, at=at, limit=MOST_LOTS)
    month_days = days[-here.day :]
    return BalancePage(
        as_of=at,
        accounts=choices,
        account_key=account.key,
        account_name=account.name,
        suspended=suspended,
        wallets=shown,
        wallet=shown[index],
        when_empty=WHEN_EMPTY[wallet.on_empty],
        kinds=credit_by_kind(wallet_id=wallet.pk),
        lots=_with_meter_names(lots[:LOTS_SHOWN]),
        more_lots=max(len(lots) - LOTS_SHOWN, 0),
        runway=runway(wallet.available, days[-PACE_DAYS - 1 : -1], at=at),
        today=days[-1].amount,
        this_month=sum((day.amount for day in month_days), ZERO),
        thirty_days=sum((day.amount for day in days[-DAYS:]), ZERO),
        chart=bar_chart(
            [
                Bar(date_format(day.day, "j M"), day.amount, str(headline_text(day.amount, wallet.currency)), day.events)
                for day in days[-DAYS:]
            ]
        ),
        chart_caption=f"Used per day in the last {DAYS} days, {wallet.currency}",
        meters=spend_by_meter(account_id=account.pk, currency=wallet.currency, start=since, end=at)[:METERS_SHOWN],
        charges=charges,
        places=places_of((charge.amount for charge in charges), wallet.currency),
        can_top_up=takes_cards() and wallet.currency in CARD_CURRENCIES and customer.may("pay", account),
    )


def runway(available: Decimal, days: list[DaySpend], *, at: datetime) -> Runway | None:
    """When `available` is used up if it goes on like in `days` (whole days); None when nothing is left or was used."""
    used = sum((day.amount for day in days), ZERO)
    if available <= 0 or used <= 0:
        return None
    per_day = used / len(days)
    days_left = available / per_day
    if days_left > FAR.days:
        return Runway("over two years", per_day, len(days))
    end = localtime(at + timedelta(hours=int(days_left * 24)))
    words = date_format(end, "D j M") if days_left < 300 else date_format(end, "M Y")  # noqa: PLR2004 - a year is near
    return Runway(words, per_day, len(days))


def _with_meter_names(lots: list[LotRow]) -> list[LotRow]:
    """The lots, their meters named as customers know them."""
    codes = {code for lot in lots for code in lot.meters}
    if not codes:
        return lots
    names = {meter.code: meter.name or meter.code for meter in Meter.objects.filter(code__in=codes)}
    return [replace(lot, meters=tuple(names.get(code, code) for code in lot.meters)) for lot in lots]


def _chosen(accounts: list[Account], key: str | None) -> Account:
    """The account asked for, else the first. Raises Http404 for one that is not theirs."""
    for account in accounts:
        if key is None or account.key == key:
            return account
    raise Http404


def _shown(wallet: Wallet) -> WalletShown:
    return WalletShown(
        public_id=wallet.public_id,
        label=f"{wallet.name} · {wallet.currency}" if wallet.name and wallet.name != wallet.currency else wallet.currency,
        currency=wallet.currency,
        available=wallet.available,
        held=wallet.held,
        overdraft=wallet.overdraft,
        frozen=wallet.status == Wallet.Status.FROZEN,
        fresh=wallet.version == 0,
    )
