"""A statement as it is read: the same values on the screen, in the PDF, the table and the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from wallets.accounts.models import Account
from wallets.errors import NotFound
from wallets.money import ZERO, round_to_minor_unit
from wallets.statements.models import Statement, StatementLine


@dataclass(frozen=True, slots=True)
class Section:
    """Lines of one kind. total: of the lines as they are printed."""

    code: str
    title: str
    lines: list[StatementLine]
    total: Decimal
    exact: Decimal


@dataclass(frozen=True, slots=True)
class Document:
    """A statement. Amounts are rounded to the currency's minor unit, but for the lines' exact ones; opening + sections +
    rounding = closing. last_day: in the zone of the statement."""

    public_id: str
    number: str
    account_key: str
    wallet: str
    wallet_name: str
    currency: str
    seller: list[str]
    buyer: list[str]
    period_start: datetime
    period_end: datetime
    first_day: date
    last_day: date
    time_zone: str
    issued_at: datetime
    opening: Decimal
    closing: Decimal
    rounding: Decimal
    sections: list[Section]

    @property
    def period(self) -> str:
        """`October 2026`, or the days when it is not a calendar month."""
        following = self.last_day + timedelta(days=1)
        if self.first_day.day == following.day == 1 and self.first_day.month == self.last_day.month:
            return f"{self.first_day:%B %Y}"
        return f"{self.first_day:%-d %B %Y} to {self.last_day:%-d %B %Y}"


def statements_of(*, account: Account) -> QuerySet[Statement]:
    """All statements of an account's wallets."""
    return Statement.objects.select_related("wallet__account").filter(wallet__account=account)


def statement_by_id(*, public_id: str, only_account_id: int | None = None) -> Statement:
    """The statement with this id (of this account, if one is given). Raises NotFound."""
    found = Statement.objects.select_related("wallet__account").filter(public_id=public_id)
    if only_account_id is not None:
        found = found.filter(wallet__account_id=only_account_id)
    statement = found.first()
    if statement is None:
        raise NotFound(f"There is no statement {public_id}.")
    return statement


def read_document(statement: Statement) -> Document:
    """The statement (its wallet and account selected along), in one query."""
    lines = statement.lines.order_by("position")
    sections = []
    for code, group in groupby(lines, key=lambda line: line.section):
        found = list(group)
        title = StatementLine.Section(code).label
        rounded, exact = (sum((getattr(line, name) for line in found), ZERO) for name in ("rounded", "amount"))
        sections.append(Section(code, title, found, rounded, exact))
    first_day, last_day = days_of(statement)
    return Document(
        public_id=statement.public_id,
        number=statement.public_number,
        account_key=statement.wallet.account.key,
        wallet=statement.wallet.public_id,
        wallet_name=statement.wallet.name,
        currency=statement.currency,
        seller=statement.seller.splitlines(),
        buyer=statement.buyer.splitlines(),
        period_start=statement.period_start,
        period_end=statement.period_end,
        first_day=first_day,
        last_day=last_day,
        time_zone=statement.time_zone,
        issued_at=statement.issued_at,
        opening=round_to_minor_unit(statement.opening_balance, statement.currency),
        closing=round_to_minor_unit(statement.closing_balance, statement.currency),
        rounding=statement.rounding,
        sections=sections,
    )


def days_of(statement: Statement) -> tuple[date, date]:
    """Its first and last day, in its own zone."""
    zone = ZoneInfo(statement.time_zone)
    last = statement.period_end - timedelta(seconds=1)
    return statement.period_start.astimezone(zone).date(), last.astimezone(zone).date()
