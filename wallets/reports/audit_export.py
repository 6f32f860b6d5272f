"""A folder an auditor takes away: journal, lots and statements of a span of time, and a script that verifies them without
us."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction

from wallets.errors import Refusal
from wallets.ledger.chart import wallet_side_kinds

FORMAT: Final = 1
VERIFIER: Final = Path(__file__).with_name("audit_verify.py")
READ_ME: Final = """Journal, credit lots and statements from {start} until before {end}.

manifest.json         what the files hold: rows and SHA-256
chart.csv             ledger accounts; wallet_side: those that make up what a wallet holds
wallets.csv           every wallet, with version, hash, balance and overdraft before its first entry here and after its last
entries.csv           journal entries by wallet and version; at_us: microseconds since 1970 (UTC)
postings.csv          their postings, in the same order
lots.csv              credit lots, with what they held before and after
statements.csv        prepaid invoices issued over these entries, with statement_lines.csv

python3 verify.py     verifies all of it, with Python's standard library alone

Amounts are exact: credit positive, debit negative, 12 decimals.
"""


class FolderInUse(Refusal):
    """The folder is there already and not empty."""

    code = "folder_in_use"


def write_audit(*, folder: Path, start: datetime, end: datetime, at: datetime, tell: Callable[[str], Any]) -> dict[str, int]:
    """Write entries from `start` until before `end` with all that is needed to verify them; one snapshot, streamed.
    Returns rows by file. Raises FolderInUse.

    A wallet's span is one of versions: from the first entry of the time to its last, without a gap, whatever clocks said.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FolderInUse(f"{folder} is not empty.")
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, dict[str, Any]] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        if not connection.savepoint_ids:  # else a transaction that has begun, of a test
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute(_SPANS, [start, end])
        for name, sql in _FILES.items():
            values = {"sides": sorted(wallet_side_kinds())}
            files[name] = _copy(cursor, folder / name, sql, values if "%(sides)s" in sql else None)
            tell(f"{name}: {files[name]['rows']:,} rows")
        cursor.execute("DROP TABLE audit_span")
    manifest = {"format": FORMAT, "from": start.isoformat(), "to": end.isoformat(), "made_at": at.isoformat(), "files": files}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    (folder / "README.txt").write_text(READ_ME.format(start=start.isoformat(), end=end.isoformat()), encoding="utf-8")
    shutil.copyfile(VERIFIER, folder / "verify.py")
    return {name: one["rows"] for name, one in files.items()}


def _copy(cursor: Any, path: Path, sql: str, values: dict[str, Any] | None) -> dict[str, Any]:
    digest = sha256()
    with path.open("wb") as file, cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT csv, HEADER)", values) as rows:
        for chunk in rows:
            digest.update(chunk)
            file.write(chunk)
    return {"rows": cursor.rowcount, "sha256": digest.hexdigest()}


_SPANS: Final = """
    CREATE TEMPORARY TABLE audit_span ON COMMIT DROP AS
    SELECT w.id AS wallet_id, w.bucket, w.public_id, w.account_id, w.currency,
           coalesce(s.low - 1, b.version, 0) AS low, coalesce(s.high, b.version, 0) AS high
    FROM wallets_wallet w
    LEFT JOIN (
        SELECT wallet_id, min(wallet_version) AS low, max(wallet_version) AS high FROM wallets_journalentry
        WHERE at >= %s AND at < %s GROUP BY wallet_id
    ) s ON s.wallet_id = w.id
    LEFT JOIN LATERAL (
        SELECT max(wallet_version) AS version FROM wallets_journalentry e
        WHERE s.low IS NULL AND e.bucket = w.bucket AND e.wallet_id = w.id
    ) b ON true
"""
_FILES: Final = {
    "chart.csv": """
        SELECT id AS ledger_account_id, kind, qualifier, currency, kind = ANY(%(sides)s) AS wallet_side
        FROM wallets_ledgeraccount ORDER BY id""",
    "wallets.csv": """
        SELECT s.wallet_id, s.public_id, a.key AS account, s.currency,
               s.low AS opening_version, coalesce(encode(o.hash, 'hex'), '') AS opening_hash,
               coalesce(o.balance_after, 0) AS opening_balance, coalesce(o.overdraft_after, 0) AS opening_overdraft,
               s.high AS closing_version, coalesce(encode(c.hash, 'hex'), '') AS closing_hash,
               coalesce(c.balance_after, 0) AS closing_balance, coalesce(c.overdraft_after, 0) AS closing_overdraft
        FROM audit_span s JOIN wallets_account a ON a.id = s.account_id
        LEFT JOIN wallets_journalentry o ON o.bucket = s.bucket AND o.wallet_id = s.wallet_id AND o.wallet_version = s.low
        LEFT JOIN wallets_journalentry c ON c.bucket = s.bucket AND c.wallet_id = s.wallet_id AND c.wallet_version = s.high
        ORDER BY s.wallet_id""",
    "entries.csv": """
        SELECT e.id AS entry_id, e.wallet_id, e.wallet_version AS version, e.kind, e.currency,
               (extract(epoch FROM e.at) * 1000000)::bigint AS at_us, e.balance_after, e.overdraft_after, e.reverses_id,
               e.reference, e.reason, e.actor, encode(e.hash, 'hex') AS hash
        FROM audit_span s JOIN wallets_journalentry e
            ON e.bucket = s.bucket AND e.wallet_id = s.wallet_id AND e.wallet_version > s.low AND e.wallet_version <= s.high
        ORDER BY e.wallet_id, e.wallet_version""",
    "postings.csv": """
        SELECT e.wallet_id, e.wallet_version AS version, p.entry_id, p.line, p.ledger_account_id, p.contra_id, p.lot_id,
               p.currency, p.amount, p.line_from
        FROM audit_span s JOIN wallets_journalentry e
            ON e.bucket = s.bucket AND e.wallet_id = s.wallet_id AND e.wallet_version > s.low AND e.wallet_version <= s.high
        JOIN wallets_posting p ON p.bucket = e.bucket AND p.entry_id = e.id
        ORDER BY e.wallet_id, e.wallet_version, p.line""",
    "lots.csv": """
        SELECT l.id AS lot_id, l.public_id, l.wallet_id, l.kind, l.unit_meter, l.amount, l.price_paid, l.expires_at, l.source,
               coalesce(p.before, 0.000000000000) AS opening, coalesce(p.after, 0.000000000000) AS closing
        FROM audit_span s JOIN wallets_creditlot l ON l.wallet_id = s.wallet_id
        LEFT JOIN LATERAL (
            SELECT sum(q.amount) FILTER (WHERE e.wallet_version <= s.low) AS before,
                   sum(q.amount) FILTER (WHERE e.wallet_version <= s.high) AS after
            FROM wallets_posting q JOIN wallets_journalentry e ON e.bucket = q.bucket AND e.id = q.entry_id
            WHERE q.lot_id = l.id
        ) p ON true
        ORDER BY l.id""",
    "statements.csv": """
        SELECT t.id AS statement_id, upper(t.entity) || '-ST-' || t.year || '-' || lpad(t.number::text, 6, '0') AS number,
               t.wallet_id, t.period_start, t.period_end, t.currency, t.opening_version, t.closing_version,
               t.opening_balance, t.closing_balance, t.rounding, t.line_count
        FROM audit_span s JOIN wallets_statement t ON t.wallet_id = s.wallet_id
            AND t.opening_version >= s.low AND t.closing_version <= s.high
        ORDER BY t.wallet_id, t.period_start""",
    "statement_lines.csv": """
        SELECT n.statement_id, n.position, n.section, n.label, n.amount
        FROM audit_span s JOIN wallets_statement t ON t.wallet_id = s.wallet_id
            AND t.opening_version >= s.low AND t.closing_version <= s.high
        JOIN wallets_statementline n ON n.statement_id = t.id
        ORDER BY n.statement_id, n.position""",
}
