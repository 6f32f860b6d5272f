"""The journal for the vendor's own bookkeeping: one line a day and account code, debits equal to credits each day.

Amounts leave the system here, so they are rounded (I10), to the minor unit, half-even. What is rounded is each account's
sum since the beginning, not the day's: so an account in the general ledger always stands at its rounded balance, however
many days were exported, and cents do not drift. What a day's lines are short of zero by that goes to the account for rounding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from wallets.errors import Refusal
from wallets.ledger.days import JournalSum, journal_sums
from wallets.ledger.rolled_days import DAY, start_of
from wallets.money import ZERO, round_to_minor_unit
from wallets.reports.models import ROUNDING, AccountCode


class UnmappedAccounts(Refusal):
    """Ledger accounts have no code, and no suspense account was named."""

    code = "unmapped_accounts"


@dataclass(frozen=True, slots=True)
class GlAccount:
    """An account of the vendor's bookkeeping."""

    code: str
    name: str
    cost_centre: str


@dataclass(frozen=True, slots=True)
class GlLine:
    """What a day did to an account: debit or credit, in minor units at most; never both."""

    day: date
    account: GlAccount
    debit: Decimal
    credit: Decimal

    @property
    def signed(self) -> Decimal:
        """Debit positive."""
        return self.debit - self.credit


@dataclass(frozen=True, slots=True)
class GlExport:
    """The lines of a span of days, in order of day and code. exact: debits before rounding; rounding: what went to that
    account."""

    currency: str
    first_day: date
    last_day: date
    lines: list[GlLine]
    exact: Decimal
    rounding: Decimal

    @property
    def debits(self) -> Decimal:
        """Equal to the credits."""
        return sum((line.debit for line in self.lines), ZERO)


def gl_lines(*, first_day: date, last_day: date, currency: str, suspense: str = "") -> GlExport:
    """The journal of these days (UTC), both included, in a currency of money. suspense: the code for what has none.

    The same days give the same lines. Raises UnmappedAccounts, naming them.
    """
    start, end = start_of(first_day), start_of(last_day + DAY)
    before = journal_sums(end=start, currency=currency)
    during = journal_sums(start=start, end=end, currency=currency, by_day=True)
    codes = _codes(suspense)
    _refuse_unmapped([*before, *during], codes)
    stands: dict[GlAccount, Decimal] = defaultdict(lambda: ZERO)
    for one in before:
        stands[_account(one, codes)] -= one.amount
    days: dict[date, dict[GlAccount, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    exact = ZERO
    for one in during:
        assert one.day is not None
        days[one.day][_account(one, codes)] -= one.amount
        exact += max(-one.amount, ZERO)
    lines: list[GlLine] = []
    rounding = ZERO
    for day in sorted(days):
        moved = {}
        for account, amount in days[day].items():
            moved[account] = round_to_minor_unit(stands[account] + amount, currency) - round_to_minor_unit(
                stands[account], currency
            )
            stands[account] += amount
        short = -sum(moved.values(), ZERO)
        rounding += short
        if short:
            account = codes.get((ROUNDING, "")) or codes[None]
            moved[account] = moved.get(account, ZERO) + short
        lines += [
            GlLine(day, account, max(amount, ZERO), max(-amount, ZERO))
            for account, amount in sorted(moved.items(), key=lambda one: (one[0].code, one[0].cost_centre))
            if amount
        ]
    return GlExport(currency, first_day, last_day, lines, exact, rounding)


_Codes = dict[tuple[str, str] | None, GlAccount]


def _codes(suspense: str) -> _Codes:
    codes: _Codes = {
        (one.kind, one.qualifier): GlAccount(one.code, one.name, one.cost_centre) for one in AccountCode.objects.all()
    }
    if suspense:
        codes[None] = GlAccount(suspense, "Suspense", "")
    return codes


def _account(one: JournalSum, codes: _Codes) -> GlAccount:
    return codes.get((one.account, one.qualifier)) or codes.get((one.account, "")) or codes[None]


def _refuse_unmapped(sums: Iterable[JournalSum], codes: _Codes) -> None:
    if None in codes:
        return
    missing = {
        f"{one.account.lower()}:{one.qualifier}" if one.qualifier else one.account.lower()
        for one in sums
        if (one.account, one.qualifier) not in codes and (one.account, "") not in codes
    }
    if (ROUNDING, "") not in codes:
        missing.add(ROUNDING.lower())
    if missing:
        raise UnmappedAccounts(f"These have no account code: {', '.join(sorted(missing))}. Name them, or a suspense account.")
