"""Prove a period: its entries sum to zero, each stands on the one before it in its wallet, none was altered, and every
statement whose month ended in it says what the journal says."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from wallets.accounts.models import User
from wallets.ledger.chart import wallet_side_kinds
from wallets.periods.models import PeriodProof
from wallets.periods.period import Period

MOST_NAMED: Final = 20


def prove_period(*, period: Period, at: datetime, by: User | None) -> PeriodProof:
    """Prove it and keep what came of it. Reads every posting of the period once."""
    checked, faults = 0, 0
    offenders: list[str] = []
    values: dict[str, Any] = {"start": period.starts_at, "end": period.ends_at, "sides": sorted(wallet_side_kinds())}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', '128MB', true), set_config('jit', 'off', true)")
        for sql in (_ENTRIES, _STATEMENTS):
            cursor.execute(
                f"""SELECT count(*), count(fault), (array_agg(fault) FILTER (WHERE fault IS NOT NULL))[1:{MOST_NAMED}]
                    FROM ({sql}) AS checked (fault)""",  # noqa: S608 - of constants
                values,
            )
            looked, wrong, named = cursor.fetchone()
            checked, faults, offenders = checked + looked, faults + wrong, [*offenders, *(named or ())]
        return PeriodProof.objects.create(
            entity=period.entity,
            starts_at=period.starts_at,
            proved_at=at,
            proved_by=by,
            checked=checked,
            faults=faults,
            offenders=offenders[:MOST_NAMED],
        )


def last_proof(period: Period) -> PeriodProof | None:
    """The newest proof of a period, made after it had ended."""
    proofs = PeriodProof.objects.filter(entity=period.entity, starts_at=period.starts_at, proved_at__gte=period.ends_at)
    return proofs.order_by("-id").first()


# As `ledger/proofs.py` and `ledger/chain.py`, for the entries of one month.
_ENTRIES: Final = r"""
    SELECT CASE
        WHEN p.entry_id IS NULL THEN format('entry %%s has no postings', e.id)
        WHEN p.money <> 0 OR p.units <> 0 THEN format('the postings of entry %%s sum to %%s', e.id, p.money + p.units)
        WHEN e.wallet_version > 1 AND b.id IS NULL THEN format('the entry before entry %%s is missing', e.id)
        WHEN e.balance_after <> coalesce(b.balance_after, 0) + p.change
            THEN format('entry %%s: balance %%s after %%s, its postings change it by %%s',
                        e.id, e.balance_after, coalesce(b.balance_after, 0), p.change)
        WHEN e.hash IS DISTINCT FROM sha256(coalesce(b.hash, '') || convert_to(concat_ws(E'\x1f',
                e.wallet_id, e.wallet_version, e.kind, e.currency, (extract(epoch FROM e.at) * 1000000)::bigint,
                e.balance_after, e.overdraft_after, coalesce(e.reverses_id::text, ''), e.reference, e.reason, e.actor,
                coalesce(p.text, '')), 'UTF8'))
            THEN format('entry %%s is not what was posted', e.id)
    END
    FROM wallets_journalentry e
    LEFT JOIN wallets_journalentry b ON b.bucket = e.bucket AND b.wallet_id = e.wallet_id
        AND b.wallet_version = e.wallet_version - 1
    LEFT JOIN LATERAL (
        SELECT p.entry_id, sum(p.amount) FILTER (WHERE p.currency <> 'units') AS money,
               coalesce(sum(p.amount) FILTER (WHERE p.currency = 'units'), 0) AS units,
               coalesce(sum(p.amount) FILTER (WHERE a.kind = ANY(%(sides)s)), 0) AS change,
               string_agg(concat_ws(':', p.line, p.ledger_account_id, coalesce(p.contra_id::text, ''),
                          coalesce(p.lot_id::text, ''), p.currency, p.amount, coalesce(p.line_from::text, '')), ';'
                          ORDER BY p.line) AS text
        FROM wallets_posting p JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id
        WHERE p.bucket = e.bucket AND p.entry_id = e.id GROUP BY p.entry_id
    ) p ON true
    WHERE e.at >= %(start)s AND e.at < %(end)s
"""
_STATEMENTS: Final = """
    SELECT CASE
        WHEN s.opening_balance + j.change <> s.closing_balance
            THEN format('statement %%s goes from %%s to %%s, the journal by %%s',
                        s.public_id, s.opening_balance, s.closing_balance, j.change)
        WHEN l.amount <> j.change THEN format('the lines of statement %%s sum to %%s, the journal to %%s',
                                              s.public_id, l.amount, j.change)
    END
    FROM wallets_statement s
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(p.amount), 0) AS change
        FROM wallets_journalentry e
        JOIN wallets_posting p ON p.bucket = e.bucket AND p.entry_id = e.id
        JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id AND a.kind = ANY(%(sides)s)
        WHERE e.bucket = s.bucket AND e.wallet_id = s.wallet_id
            AND e.wallet_version > s.opening_version AND e.wallet_version <= s.closing_version
    ) j
    CROSS JOIN LATERAL (SELECT coalesce(sum(l.amount), 0) AS amount FROM wallets_statementline l WHERE l.statement_id = s.id) l
    WHERE s.period_start < %(end)s AND s.period_end > %(start)s
"""
