"""The first page: what is available, what it is made of, how long it lasts, how it went, what used it, what happened lately,
and the next thing to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Exists
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.timezone import get_current_timezone, localtime
from django.views.decorators.http import require_safe

from billing_site.portal.access import Customer, customer_page
from billing_site.portal.balance_over_time import BalanceOverTime, balance_over_time
from billing_site.portal.lately import Happening, lately, latest_decisions
from billing_site.portal.next_step import LEADS_TO, Standing, next_step
from metering.usage.queries import DaySpend, EventSpend, MeterSpend, latest_charges, spend_by_day, spend_by_meter
from notifications.alerts.models import Recipient
from wallets.accounts.models import Account
from wallets.amount_text import places_of
from wallets.api_keys.models import ApiKey
from wallets.balances.held import without_lapsed
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.credit.lot_rows import SOON, KindTotal, credit_by_kind
from wallets.credit.models import CreditLot
from wallets.money import ZERO
from wallets.payments.currencies import CARD_CURRENCIES
from wallets.payments.models import PaymentMethod
from wallets.payments.providers.registry import takes_cards
from wallets.recharge.models import AutoRecharge, RechargeDecision
from wallets.recharge.states import FAILED, IN_FLIGHT, Reason

DAYS: Final = 30
PACE_DAYS: Final = 7
CHARGES_SHOWN: Final = 6
METERS_SHOWN: Final = 6
LATELY_SHOWN: Final = 8
FAR: Final = timedelta(days=730)

CARD_TROUBLE: Final = frozenset({Reason.CARD_STOPPED, Reason.CARD_DECLINED, Reason.NO_CARD})
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
    """How long the balance lasts at the pace of the last days. left: in days."""

    words: str
    per_day: Decimal
    days: int
    left: int


@dataclass(frozen=True, slots=True)
class Compared:
    """This month so far and the same days of the month before. more: by how much, as a share of it (share: without
    its sign); None when nothing was used then."""

    amount: Decimal
    before: Decimal
    more: Decimal | None
    share: Decimal
    month_before: str


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
    runway: Runway | None = None
    today: Decimal = ZERO
    month: Compared | None = None
    over_time: BalanceOverTime | None = None
    meters: list[MeterSpend] | None = None
    lately: list[Happening] | None = None
    charges: list[EventSpend] | None = None
    places: int = 2
    can_top_up: bool = False
    step: str = ""
    step_leads_to: str = ""


@require_safe
@customer_page
def balance(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The balance of one wallet of one account: `?account=KEY&wallet=wal_…`, else the first of each; over `&span=week`."""
    asked = request.GET
    page = read_balance_page(
        customer, account_key=asked.get("account"), wallet_id=asked.get("wallet"), span=asked.get("span", ""), at=now()
    )
    return render(request, "portal/balance.html", {"page": page})


def read_balance_page(
    customer: Customer, *, account_key: str | None, wallet_id: str | None, span: str, at: datetime
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
    last_month = here.replace(day=1) - timedelta(days=1)
    days = spend_by_day(
        account_id=account.pk, currency=wallet.currency, last_day=here.date(), days=here.day + last_month.day, zone=zone
    )
    ends = runway(wallet.available, days[-PACE_DAYS - 1 : -1], at=at)
    decisions = latest_decisions(wallet_id=wallet.pk, at=at, limit=LATELY_SHOWN)
    pays = customer.may("pay", account)
    can_top_up = takes_cards() and wallet.currency in CARD_CURRENCIES and pays
    step = next_step(
        _standing(customer, account, wallet, at=at, runway=ends, can_pay=can_top_up, latest=decisions[0] if decisions else None)
    )
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
        runway=ends,
        today=days[-1].amount,
        month=compared(days[-here.day :], days[: last_month.day], month_before=date_format(last_month, "F")),
        over_time=balance_over_time(wallet=wallet, span=span, at=at) if wallet.version else None,
        meters=spend_by_meter(account_id=account.pk, currency=wallet.currency, start=since, end=at)[:METERS_SHOWN],
        lately=lately(account=account, wallet_id=wallet.pk, at=at, limit=LATELY_SHOWN, decisions=decisions),
        charges=charges,
        places=places_of((charge.amount for charge in charges), wallet.currency),
        can_top_up=can_top_up,
        step=step,
        step_leads_to=LEADS_TO.get(step, ""),
    )


def compared(this: list[DaySpend], before: list[DaySpend], *, month_before: str) -> Compared:
    """The days of this month so far beside as many of the month before (all of it, where that was shorter)."""
    amount = sum((day.amount for day in this), ZERO)
    then = sum((day.amount for day in before[: len(this)]), ZERO)
    more = (amount - then) / then if then > 0 else None
    return Compared(amount, then, more, abs(more or ZERO), month_before)


def runway(available: Decimal, days: list[DaySpend], *, at: datetime) -> Runway | None:
    """When `available` is used up if it goes on like in `days` (whole days); None when nothing is left or was used."""
    used = sum((day.amount for day in days), ZERO)
    if available <= 0 or used <= 0:
        return None
    per_day = used / len(days)
    days_left = available / per_day
    if days_left > FAR.days:
        return Runway("over two years", per_day, len(days), FAR.days)
    end = localtime(at + timedelta(hours=int(days_left * 24)))
    words = date_format(end, "D j M") if days_left < 300 else date_format(end, "M Y")  # noqa: PLR2004 - a year is near
    return Runway(words, per_day, len(days), int(days_left))


def _standing(
    customer: Customer, account: Account, wallet: Wallet, *, at: datetime, runway: Runway | None, can_pay: bool,
    latest: RechargeDecision | None,
) -> Standing:  # fmt: skip
    """What decides on the next step. One query."""
    money_ends = CreditLot.objects.filter(wallet=wallet, state=CreditLot.State.OPEN, unit_meter="", expires_at__lte=at + SOON)
    there = Account.objects.filter(pk=account.pk).annotate(
        own_key=Exists(ApiKey.objects.filter(account=account, revoked_at__isnull=True)),
        card=Exists(PaymentMethod.objects.filter(account=account, removed_at__isnull=True)),
        rule=Exists(AutoRecharge.objects.filter(wallet=wallet, is_on=True)),
        told=Exists(Recipient.objects.filter(account=account)),
        ends=Exists(money_ends),
    )
    found = there.values_list("own_key", "card", "rule", "told", "ends")[0]
    has_key, has_card, recharges, told, ends_soon = found
    return Standing(
        stopped=account.status == Account.Status.SUSPENDED or wallet.status == Wallet.Status.FROZEN,
        fresh=wallet.version == 0,
        empty=wallet.available <= 0,
        days_left=runway.left if runway else None,
        can_pay=can_pay,
        can_make_keys=customer.may("keys", account),
        can_set_alerts=customer.may("alerts", account),
        has_key=has_key,
        has_card=has_card,
        recharges=recharges,
        recharge_asks=latest is not None and latest.state == IN_FLIGHT and latest.asked_at is not None,
        recharge_failed=recharges and latest is not None and (latest.state == FAILED or latest.reason in CARD_TROUBLE),
        somebody_is_told=told or bool(account.email),
        ends_soon=ends_soon,
    )


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
