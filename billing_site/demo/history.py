"""The demo company's past: customers come, pay, use, expire, in windows of six hours, through the same verbs and the same
ingest as everybody's. A window that was done is not done again, so a seeding that was broken off goes on.

Money is scaled with usage: ten times fewer events are paid with top-ups ten times smaller, and every habit stays the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from billing_site.demo.customers import CUSTOMERS, EUROPE, CustomerPlan, Gift
from billing_site.demo.habits import DemoEvent, events_of_day, usual_events
from billing_site.demo.prices import book_of, change_prices
from metering.ingest.batch import IngestResult, ingest_batch
from metering.ingest.decode import UsageInput, usage_input
from metering.ingest.models import ReplayCheckpoint
from metering.usage.models import EventVoid, UsageEvent
from metering.usage.void import void_event
from pricing.books.assign import assign_price_book
from pricing.books.models import Assignment
from pricing.books.open_customer import open_customer
from wallets.accounts.models import Account
from wallets.accounts.suspend import suspend_account
from wallets.balances.freeze import freeze_wallet
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.balances.policy import set_policy
from wallets.credit.expire import expire_lots
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.credit.transfer import transfer_credit
from wallets.money import ZERO

WINDOW: Final = timedelta(hours=6)
DAY: Final = timedelta(days=1)
RESERVE_DAY: Final = 15
LATE_ONE_IN: Final = 97
CENT: Final = Decimal("0.01")
ACTOR: Final = "demo"
VOID_DAY: Final = -3
VOID_FOR: Final = "acme"
VOIDS: Final = 3
UNPRICED_MODEL: Final = "gpt-7-preview"
UNPRICED_BY: Final = "fjord"
UNPRICED_ONE_IN: Final = 40


@dataclass(slots=True)
class History:
    """A past of `days` days that ends at `at`. scale: of every habit's usage and of every amount of money."""

    at: datetime
    days: int
    seed: int
    scale: Decimal
    wallets: dict[tuple[str, str], Wallet] = field(default_factory=dict)
    balances: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    late: list[UsageInput] = field(default_factory=list)
    made: dict[tuple[str, date], list[DemoEvent]] = field(default_factory=dict)
    events: int = 0

    @property
    def start(self) -> datetime:
        """When the company opened."""
        return self.at - self.days * DAY

    def moment(self, day: int) -> datetime:
        """The first instant of a day of the history; negative: counted from its end."""
        return self.start + (day if day >= 0 else self.days + day) * DAY

    def money(self, amount: Decimal) -> Decimal:
        """An amount at this history's scale, in cents, at least one."""
        return max((amount * self.scale).quantize(CENT), CENT) if amount else ZERO


def usual_total(*, days: int) -> int:
    """About how many events the customers make in so many days, at scale 1."""
    return sum(usual_events(plan.habit, days=days) for plan in CUSTOMERS if plan.habit is not None)


def live_through(
    history: History, checkpoint: ReplayCheckpoint, *, on_progress: Callable[[int, int], None] = lambda _done, _all: None
) -> None:
    """Everything that happened, from where `checkpoint` stands; on_progress is told windows done and windows in all."""
    windows = list(_windows(history))
    _find_wallets(history)
    if 0 < checkpoint.row < len(windows):
        _, history.late = _gather(history, *windows[checkpoint.row - 1])
    for number, (start, end) in enumerate(windows):
        if number >= checkpoint.row:
            _begin(history, start, end)
            _use(history, start, end)
            _top_up(history, end)
            checkpoint.row, checkpoint.updated_at = number + 1, history.at
            checkpoint.save(update_fields=["row", "updated_at"])
            on_progress(number + 1, len(windows))
    _end(history)


def _windows(history: History) -> Iterator[tuple[datetime, datetime]]:
    start = history.start
    while start < history.at:
        end = min(start + WINDOW, history.at)
        yield start, end
        start = end


def _begin(history: History, start: datetime, end: datetime) -> None:
    """What is due in a window before anything is used: prices, newcomers, gifts, moves, expiry."""
    if _falls(history.at - min(20 * DAY, history.days * DAY / 3), start, end):
        change_prices(at=start)
    for plan in CUSTOMERS:
        if _falls(history.moment(plan.from_day), start, end):
            _open(history, plan, at=start)
        for gift in plan.gifts:
            if -history.days <= gift.day < history.days and _falls(history.moment(gift.day), start, end):
                _give(history, plan, gift, at=start)
        if plan.reserve and _falls(history.moment(RESERVE_DAY), start, end):
            _put_aside(history, plan, at=start)
        if plan.moves_on is not None and history.days + plan.moves_on > 0 and _falls(history.moment(plan.moves_on), start, end):
            _move(history, plan, at=start)
    if _falls(history.moment(VOID_DAY), start, end):
        _take_back(history, at=start)
    if (start - history.start) % DAY < WINDOW and expire_lots(at=start):
        _find_balances(history)


def _falls(moment: datetime, start: datetime, end: datetime) -> bool:
    return start <= moment < end


def _open(history: History, plan: CustomerPlan, *, at: datetime) -> None:
    """A customer comes: account, wallet, prices, policy, first payment."""
    key = (plan.key, plan.currency)
    if not Account.objects.filter(key=plan.key).exists():
        customer = open_customer(
            key=plan.key,
            name=plan.name,
            email=f"billing@{plan.key}.example",
            currency=plan.currency,
            time_zone=plan.time_zone,
            country=plan.country,
            price_book=book_of(plan.book).public_id,
            at=at,
        )
        history.wallets[key] = customer.wallet
    wallet = history.wallets[key]
    if plan.on_empty != "block":
        grace = history.money(plan.grace) if plan.grace else None
        set_policy(wallet_id=wallet.pk, on_empty=plan.on_empty, grace_limit=grace, at=at)
    if plan.paying.first:
        _pay(history, plan, key, plan.paying.first, at=at, reason="First top-up")


def _pay(history: History, plan: CustomerPlan, key: tuple[str, str], amount: Decimal, *, at: datetime, reason: str) -> None:
    days = plan.paying.valid_days
    _grant(history, key, Terms("paid", amount, reason, "card", expires_at=at + days * DAY if days else None), at=at)


def _give(history: History, plan: CustomerPlan, gift: Gift, *, at: datetime) -> None:
    effective = at + gift.starts_in_days * DAY
    expires = effective + gift.valid_days * DAY if gift.valid_days else None
    terms = Terms(gift.kind, gift.amount, gift.reason, "marketing", effective, expires, gift.meters, priority=40)
    _grant(history, (plan.key, plan.currency), terms, at=at)


@dataclass(frozen=True, slots=True)
class Terms:
    """Credit to be granted; amount: at scale 1."""

    kind: str
    amount: Decimal
    reason: str
    source: str
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    meters: tuple[str, ...] = ()
    priority: int = 50


def _grant(history: History, key: tuple[str, str], terms: Terms, *, at: datetime) -> None:
    """Grant unless the seeding that was broken off did; only what can be drawn now counts to the balance."""
    wallet = history.wallets[key]
    if CreditLot.objects.filter(wallet=wallet, created_at=at, kind=terms.kind, reason=terms.reason).exists():
        return
    amount = history.money(terms.amount)
    grant_credit(
        wallet_id=wallet.pk,
        amount=amount,
        kind=terms.kind,
        at=at,
        effective_at=terms.effective_at,
        expires_at=terms.expires_at,
        meters=terms.meters,
        priority=terms.priority,
        reason=terms.reason,
        source=terms.source,
        actor=ACTOR,
    )
    if terms.effective_at is None or terms.effective_at <= at:
        history.balances[key] = history.balances.get(key, ZERO) + amount


def _put_aside(history: History, plan: CustomerPlan, *, at: datetime) -> None:
    """A second wallet in the same currency, filled from the first."""
    wallet = history.wallets[plan.key, plan.currency]
    if Wallet.objects.filter(account=wallet.account, name="Reserve").exists():
        return
    amount = min(history.money(plan.reserve), max(history.balances[plan.key, plan.currency], ZERO))
    reserve = open_wallet(account=wallet.account, currency=plan.currency, name="Reserve", is_default=False, at=at)
    if amount:
        transfer_credit(
            from_wallet_id=wallet.pk, to_wallet_id=reserve.pk, amount=amount, at=at, reason="Put aside", actor=ACTOR
        )
        history.balances[plan.key, plan.currency] -= amount


def _move(history: History, plan: CustomerPlan, *, at: datetime) -> None:
    """From here on the customer pays European prices, from a wallet in EUR."""
    account = history.wallets[plan.key, plan.currency].account
    key = (plan.key, "EUR")
    if key not in history.wallets:
        history.wallets[key] = open_wallet(account=account, currency="EUR", name="Europe", at=at)
    if not Assignment.objects.filter(account=account, effective_at=at).exists():
        assign_price_book(account=account, book=book_of(EUROPE), effective_at=at, at=at)
    _pay(history, plan, key, plan.paying.first, at=at, reason="First top-up in EUR")


def _take_back(history: History, *, at: datetime) -> None:
    """Some requests were retried by mistake of ours, and are not to be paid."""
    voided = EventVoid.objects.values("event_id")
    events = UsageEvent.objects.filter(account__key=VOID_FOR, time__lt=at).exclude(pk__in=voided).order_by("-time", "-pk")
    for event in events[:VOIDS] if not EventVoid.objects.filter(event__account__key=VOID_FOR).exists() else ():
        void_event(event_pk=event.pk, at=at, reason="Sent twice by our gateway", actor=ACTOR)
    _find_balances(history)


def _use(history: History, start: datetime, end: datetime) -> None:
    """The usage of a window, and what is late from the one before."""
    in_time, late = _gather(history, start, end)
    sending, history.late = history.late + in_time, late
    if sending:
        result = ingest_batch(events=sending, at=end)
        history.events += result.accepted
        _note(history, result)


def _gather(history: History, start: datetime, end: datetime) -> tuple[list[UsageInput], list[UsageInput]]:
    """What customers use in a window: (arrives in time, arrives in the next window)."""
    in_time: list[UsageInput] = []
    late: list[UsageInput] = []
    for plan in CUSTOMERS:
        if plan.habit is None or start < history.moment(plan.from_day) or _has_left(history, plan, start):
            continue
        for event in _events(history, plan, start, end):
            usage = usage_input(
                event_id=event.id, event_type=event.type, account=plan.key, time=event.time, properties=event.properties
            )
            is_late = int(event.id[-4:], 16) % LATE_ONE_IN == 0 and end < history.at
            (late if is_late else in_time).append(usage)
    return in_time, late


def _events(history: History, plan: CustomerPlan, start: datetime, end: datetime) -> Iterator[DemoEvent]:
    """A customer's events of a window."""
    last_days = end > history.at - 2 * DAY
    for day in _days(start, end):
        for event in _events_of_day(history, plan, day):
            if start <= event.time < end:
                unpriced = last_days and plan.key == UNPRICED_BY and int(event.id[-3:], 16) % UNPRICED_ONE_IN == 0
                yield _unpriced(event) if unpriced else event


def _events_of_day(history: History, plan: CustomerPlan, day: date) -> list[DemoEvent]:
    """A customer's events of a day, made once."""
    known = history.made.get((plan.key, day))
    if known is not None:
        return known
    assert plan.habit is not None
    if len(history.made) > 3 * len(CUSTOMERS):
        history.made.clear()
    progress = (day - history.start.date()).days / history.days
    events = history.made[plan.key, day] = events_of_day(
        plan.habit, plan.mix, account=plan.key, day=day, seed=history.seed, scale=float(history.scale), progress=progress
    )
    return events


def _unpriced(event: DemoEvent) -> DemoEvent:
    """The same request of a model that nobody has put into the price book yet."""
    if event.type != "llm.request":
        return event
    return DemoEvent(event.id, event.type, event.time, event.properties | {"model": UNPRICED_MODEL})


def _days(start: datetime, end: datetime) -> Iterator[date]:
    day = start.astimezone(UTC).date()
    while day <= end.astimezone(UTC).date():
        yield day
        day += DAY


def _current(history: History, plan: CustomerPlan, at: datetime) -> tuple[str, str]:
    """The wallet a customer is charged from at a time."""
    moved = (plan.key, "EUR") in history.wallets and plan.moves_on is not None and at >= history.moment(plan.moves_on)
    return plan.key, "EUR" if moved else plan.currency


def _has_left(history: History, plan: CustomerPlan, at: datetime) -> bool:
    """Did the customer stop, before their credit ended? The gate would have stopped them soon after."""
    if plan.ends and at >= history.moment(-3):
        return True
    leave_at = plan.paying.leave_at
    return leave_at is not None and history.balances.get(_current(history, plan, at), ZERO) <= history.money(leave_at)


def _note(history: History, result: IngestResult) -> None:
    assert not result.rejected, result.rejected[:3]
    for after in result.balances:
        history.balances[after.account, after.currency] = after.balance


def _top_up(history: History, at: datetime) -> None:
    """Customers who recharge do, as often as it takes."""
    for plan in CUSTOMERS:
        paying = plan.paying
        until = history.at if paying.until_day is None else history.moment(paying.until_day)
        if not paying.amount or at > until or at < history.moment(plan.from_day):
            continue
        key = _current(history, plan, at)
        below = history.balances.get(key, ZERO) < history.money(paying.below)
        if below and not _has_left(history, plan, at):
            owed = max(-history.balances.get(key, ZERO), ZERO)
            times = 1 + int(owed / history.money(paying.amount))
            _pay(history, plan, key, paying.amount * times, at=at, reason="Top-up")


def _end(history: History) -> None:
    """How some stories end; the last credit that ran out by now is booked."""
    expire_lots(at=history.at)
    for plan in CUSTOMERS:
        account = Account.objects.get(key=plan.key)
        wallet = history.wallets[plan.key, plan.currency]
        if plan.ends == "SUSPENDED" and account.status == Account.Status.ACTIVE:
            suspend_account(account=account, at=history.at)
        if plan.ends == "FROZEN" and Wallet.objects.get(pk=wallet.pk).status == Wallet.Status.ACTIVE:
            freeze_wallet(wallet_id=wallet.pk, at=history.at)


def _find_wallets(history: History) -> None:
    """The wallets that exist already (a seeding that goes on), with their balances."""
    wallets = Wallet.objects.filter(account__key__in=[plan.key for plan in CUSTOMERS], is_default=True).select_related(
        "account"
    )
    history.wallets = {(wallet.account.key, wallet.currency): wallet for wallet in wallets}
    _find_balances(history)


def _find_balances(history: History) -> None:
    ids = [wallet.pk for wallet in history.wallets.values()]
    rows = Wallet.objects.filter(pk__in=ids).values_list("account__key", "currency", "balance")
    history.balances = {(key, currency): balance for key, currency, balance in rows}
