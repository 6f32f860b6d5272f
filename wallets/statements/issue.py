"""Issue statements: put the lines together, prove them against the journal, number them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.db import transaction

from wallets.accounts.parties import buyer_text, seller_text
from wallets.balances.models import Wallet
from wallets.money import ZERO, round_to_minor_unit
from wallets.numbers.take import take_numbers
from wallets.outbox.topics import StatementIssued
from wallets.outbox.write import add_news
from wallets.statements.models import Statement, StatementLine
from wallets.statements.movements import Movements, read_movements, total_of
from wallets.statements.spans import Span

Section = StatementLine.Section

ORDER: Final = tuple(Section.values)


class LinesDoNotAddUp(Exception):
    """What usage says was consumed is not what the journal says; nothing was issued. The message names wallet and meter."""


@dataclass(frozen=True, slots=True)
class Consumed:
    """A line of consumption, as whoever knows usage puts it: amounts above zero took credit."""

    meter: str
    label: str
    detail: str
    price: str
    price_id: int | None
    unit: str
    late: bool
    events: int
    quantity: Decimal
    allowance: Decimal
    amount: Decimal


def issue_statements(*, spans: Sequence[Span], consumed: Mapping[int, Sequence[Consumed]], at: datetime) -> list[Statement]:
    """Issue the statements of spans that this transaction has claimed (`claim_spans`), with these lines of consumption by
    wallet's row id. Their numbers are taken last, so that others wait for them only while they are written.

    Raises LinesDoNotAddUp: then none is issued.
    """
    assert transaction.get_connection().in_atomic_block, "spans are claimed for a transaction"
    wallets = Wallet.objects.select_related("account__billing_details").in_bulk([span.wallet_id for span in spans])
    movements = read_movements(spans)
    lines = {
        span.wallet_id: _lines(span, movements[span.wallet_id], consumed.get(span.wallet_id, ()), wallets[span.wallet_id])
        for span in spans
    }
    entity, year = settings.SELLER_ENTITY, at.astimezone(UTC).year
    numbers = take_numbers(document="statement", entity=entity, year=year, count=len(spans))
    statements = Statement.objects.bulk_create(
        _statement(span, wallets[span.wallet_id], lines[span.wallet_id], entity, year, number, at)
        for number, span in zip(numbers, spans, strict=True)
    )
    for statement in statements:
        for position, line in enumerate(lines[statement.wallet_id], 1):
            line.statement, line.position = statement, position
    StatementLine.objects.bulk_create(line for statement in statements for line in lines[statement.wallet_id])
    _tell(statements, wallets, at)
    return statements


def _lines(span: Span, movements: Movements, consumed: Sequence[Consumed], wallet: Wallet) -> list[StatementLine]:
    """The lines, in the order of their sections. Raises LinesDoNotAddUp."""
    _check(span, movements, consumed, wallet)
    lines = [
        StatementLine(
            section=one.section,
            label=one.label,
            happened_at=one.happened_at,
            reference=one.reference,
            entry_id=one.entry_id,
            amount=one.amount,
            rounded=round_to_minor_unit(one.amount, wallet.currency),
        )
        for one in movements.others
    ]
    lines += [
        StatementLine(
            section=Section.LATE_USAGE if one.late else Section.USAGE,
            label=one.label,
            detail=one.detail,
            price=one.price,
            meter=one.meter,
            price_id=one.price_id,
            events=one.events,
            quantity=one.quantity,
            unit=one.unit,
            allowance=one.allowance or None,
            amount=-one.amount,
            rounded=round_to_minor_unit(-one.amount, wallet.currency),
        )
        for one in sorted(consumed, key=lambda one: (-abs(one.amount), one.meter, one.detail, one.price))
    ]
    return sorted(lines, key=lambda line: ORDER.index(line.section))


def _check(span: Span, movements: Movements, consumed: Sequence[Consumed], wallet: Wallet) -> None:
    """Both tell the same story, meter by meter, and all of it is the change of the balance."""
    by_meter: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for one in consumed:
        by_meter[one.meter] += one.amount
    for meter in sorted({*by_meter, *movements.used}):
        says, journal = by_meter.get(meter, ZERO), movements.used.get(meter, ZERO)
        if says != journal:
            raise LinesDoNotAddUp(
                f"Wallet {wallet.public_id}, meter {meter}, {span.period_start:%Y-%m-%d} to {span.period_end:%Y-%m-%d}: "
                f"usage says {says:f} {wallet.currency}, the journal {journal:f}."
            )
    change = total_of(movements)
    if span.opening + change != span.closing:
        raise LinesDoNotAddUp(
            f"Wallet {wallet.public_id}: {span.opening:f} {wallet.currency} and {change:f} are not {span.closing:f}."
        )


def _statement(
    span: Span, wallet: Wallet, lines: Sequence[StatementLine], entity: str, year: int, number: int, at: datetime
) -> Statement:
    opening, closing = (round_to_minor_unit(amount, wallet.currency) for amount in (span.opening, span.closing))
    return Statement(
        bucket=span.bucket,
        wallet=wallet,
        previous_id=span.previous_id,
        entity=entity,
        year=year,
        number=number,
        period_start=span.period_start,
        period_end=span.period_end,
        time_zone=span.time_zone,
        currency=wallet.currency,
        opening_version=span.low,
        closing_version=span.high,
        opening_balance=span.opening,
        closing_balance=span.closing,
        rounding=closing - opening - sum((line.rounded for line in lines), ZERO),
        line_count=len(lines),
        seller=seller_text(),
        buyer=buyer_text(wallet.account),
        issued_at=at,
    )


def _tell(statements: Sequence[Statement], wallets: Mapping[int, Wallet], at: datetime) -> None:
    by_bucket: dict[int, list[Statement]] = defaultdict(list)
    for statement in statements:
        by_bucket[statement.bucket].append(statement)
    for bucket, of_bucket in by_bucket.items():
        news = [
            (
                f"wallet:{one.wallet_id}",
                StatementIssued(
                    wallet_id=one.wallet_id,
                    account_id=wallets[one.wallet_id].account_id,
                    statement=one.public_id,
                    number=one.public_number,
                    period_start=one.period_start.isoformat(),
                    period_end=one.period_end.isoformat(),
                    closing_balance=f"{one.closing_balance:f}",
                    currency=one.currency,
                ),
            )
            for one in of_bucket
        ]
        add_news(news, at=at, bucket=bucket)
