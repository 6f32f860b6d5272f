"""Proofs over the journal: wallets, lots and entries agree (I1, I2) and nothing was altered (I7). Set-based SQL, in one pass
each; `%s` in `format` is PostgreSQL's."""

from __future__ import annotations

from typing import Final

from wallets.ledger.chart import wallet_side_kinds
from wallets.ledger.days import journal_days_hold
from wallets.ledger.models import LedgerAccount
from wallets.ledger.proof import Proof, Prover, prove_rows

_WALLET_SIDE: Final = ", ".join(f"'{kind}'" for kind in sorted(wallet_side_kinds()))
_OVERDRAFT: Final = LedgerAccount.Kind.OVERDRAFT_RECEIVABLE.value
_TRANSIT: Final = LedgerAccount.Kind.TRANSFERS_IN_TRANSIT.value


def wallets_stand_at_their_last_entry() -> Proof:
    """A wallet's balance, overdraft, version and hash are those of its last entry; its versions have no gap."""
    return prove_rows(
        "Every wallet stands at its last entry, and its versions have no gap",
        "I1",
        """
        SELECT CASE
            WHEN w.version = 0 AND (w.balance, w.overdraft) <> (0, 0)
                THEN format('wallet %s has no entry but a balance of %s', w.public_id, w.balance)
            WHEN coalesce(t.entries, 0) <> w.version OR coalesce(t.last, 0) <> w.version
                THEN format('wallet %s is at version %s, its journal has %s entries up to version %s',
                            w.public_id, w.version, coalesce(t.entries, 0), coalesce(t.last, 0))
            WHEN (w.balance, w.overdraft) <> (e.balance_after, e.overdraft_after)
                THEN format('wallet %s has balance %s and overdraft %s, its last entry %s says %s and %s',
                            w.public_id, w.balance, w.overdraft, e.id, e.balance_after, e.overdraft_after)
            WHEN w.head_hash <> coalesce(e.hash, '')
                THEN format('wallet %s has another hash than its last entry %s', w.public_id, e.id)
        END
        FROM wallets_wallet w
        LEFT JOIN wallets_journalentry e ON e.bucket = w.bucket AND e.wallet_id = w.id AND e.wallet_version = w.version
        LEFT JOIN (
            SELECT wallet_id, count(*) AS entries, max(wallet_version) AS last FROM wallets_journalentry GROUP BY wallet_id
        ) t ON t.wallet_id = w.id
        """,
    )


def entries_balance() -> Proof:
    """The postings of an entry sum to zero, are all there, and are in its currency."""
    return prove_rows(
        "The postings of every entry sum to zero",
        "I2",
        """
        SELECT CASE
            WHEN p.entry_id IS NULL THEN format('entry %s has no postings', e.id)
            WHEN e.id IS NULL THEN format('there are postings of entry %s, which does not exist', p.entry_id)
            WHEN p.total <> 0 THEN format('the postings of entry %s sum to %s', e.id, p.total)
            WHEN p.units <> 0 THEN format('the units posted by entry %s sum to %s', e.id, p.units)
            WHEN p.postings <> p.last + 1 THEN format('a posting of entry %s is missing', e.id)
            WHEN (p.lowest, p.highest) <> (e.currency, e.currency)
                THEN format('entry %s is in %s, its postings are in %s and %s', e.id, e.currency, p.lowest, p.highest)
        END
        FROM wallets_journalentry e
        FULL JOIN (
            SELECT bucket, entry_id, sum(amount) AS total, sum(amount) FILTER (WHERE currency = 'units') AS units,
                   count(*) AS postings, max(line) AS last, min(currency) FILTER (WHERE currency <> 'units') AS lowest,
                   max(currency) FILTER (WHERE currency <> 'units') AS highest
            FROM wallets_posting GROUP BY bucket, entry_id
        ) p ON p.bucket = e.bucket AND p.entry_id = e.id
        """,
    )


def balances_follow_from_postings() -> Proof:
    """An entry's balance and overdraft are those before it in its wallet, changed by its postings."""
    return prove_rows(
        "Every balance is the one before it, changed by the entry's postings",
        "I2",
        f"""
        SELECT CASE
            WHEN balance_after <> balance_before + change
                THEN format('entry %s: balance %s after %s, its postings change it by %s',
                            id, balance_after, balance_before, change)
            WHEN overdraft_after <> overdraft_before + owed
                THEN format('entry %s: overdraft %s after %s, its postings change it by %s',
                            id, overdraft_after, overdraft_before, owed)
        END
        FROM (
            SELECT e.id, e.balance_after, e.overdraft_after, coalesce(p.change, 0) AS change, coalesce(p.owed, 0) AS owed,
                   lag(e.balance_after, 1, 0) OVER in_order AS balance_before,
                   lag(e.overdraft_after, 1, 0) OVER in_order AS overdraft_before
            FROM wallets_journalentry e
            LEFT JOIN (
                SELECT p.bucket, p.entry_id, sum(p.amount) AS change,
                       -sum(p.amount) FILTER (WHERE a.kind = '{_OVERDRAFT}') AS owed
                FROM wallets_posting p JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id
                WHERE a.kind IN ({_WALLET_SIDE}) GROUP BY p.bucket, p.entry_id
            ) p ON p.bucket = e.bucket AND p.entry_id = e.id
            WINDOW in_order AS (PARTITION BY e.wallet_id ORDER BY e.wallet_version)
        ) steps
        """,  # noqa: S608 - of constants
    )


def lots_hold_what_was_posted() -> Proof:
    """A lot's remainder is the sum of its postings, all of its own wallet and on the liability of its kind."""
    return prove_rows(
        "Every lot holds the sum of its postings",
        "I2",
        """
        SELECT CASE
            WHEN l.id IS NULL THEN format('there are postings of lot row %s, which does not exist', p.lot_id)
            WHEN l.remaining <> coalesce(p.total, 0)
                THEN format('lot %s holds %s, its postings sum to %s', l.public_id, l.remaining, coalesce(p.total, 0))
            WHEN (p.first_wallet, p.last_wallet) <> (l.wallet_id, l.wallet_id)
                THEN format('lot %s has postings of another wallet', l.public_id)
            WHEN (p.first_kind, p.last_kind) <> (k.kind, k.kind)
                THEN format('lot %s of kind %s has postings on %s and %s', l.public_id, l.kind, p.first_kind, p.last_kind)
        END
        FROM wallets_creditlot l
        CROSS JOIN LATERAL (
            SELECT CASE WHEN l.unit_meter <> '' THEN 'ALLOWANCE' WHEN l.kind = 'paid' THEN 'PREPAID_LIABILITY'
                        ELSE 'PROMOTIONAL_LIABILITY' END AS kind
        ) k
        FULL JOIN (
            SELECT p.lot_id, sum(p.amount) AS total, min(a.kind) AS first_kind, max(a.kind) AS last_kind,
                   min(e.wallet_id) AS first_wallet, max(e.wallet_id) AS last_wallet
            FROM wallets_posting p
            JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id
            JOIN wallets_journalentry e ON e.bucket = p.bucket AND e.id = p.entry_id
            WHERE p.lot_id IS NOT NULL GROUP BY p.lot_id
        ) p ON p.lot_id = l.id
        """,
    )


def wallets_add_up() -> Proof:
    """A wallet's balance is the sum of its postings and of its lots less the overdraft; its overdraft is what was posted."""
    return prove_rows(
        "Every balance is the sum of its postings, and of its lots less the overdraft",
        "I2",
        f"""
        SELECT CASE
            WHEN w.balance <> coalesce(p.total, 0)
                THEN format('wallet %s has balance %s, its postings sum to %s', w.public_id, w.balance, coalesce(p.total, 0))
            WHEN w.overdraft <> coalesce(p.owed, 0)
                THEN format('wallet %s has overdraft %s, its postings sum to %s', w.public_id, w.overdraft, coalesce(p.owed, 0))
            WHEN w.balance <> coalesce(l.remaining, 0) - w.overdraft
                THEN format('wallet %s has balance %s and overdraft %s, its lots hold %s',
                            w.public_id, w.balance, w.overdraft, coalesce(l.remaining, 0))
        END
        FROM wallets_wallet w
        LEFT JOIN (
            SELECT e.wallet_id, sum(p.amount) AS total, -sum(p.amount) FILTER (WHERE a.kind = '{_OVERDRAFT}') AS owed
            FROM wallets_posting p
            JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id
            JOIN wallets_journalentry e ON e.bucket = p.bucket AND e.id = p.entry_id
            WHERE a.kind IN ({_WALLET_SIDE}) GROUP BY e.wallet_id
        ) p ON p.wallet_id = w.id
        LEFT JOIN (
            SELECT wallet_id, sum(remaining) AS remaining FROM wallets_creditlot WHERE unit_meter = '' GROUP BY wallet_id
        ) l
            ON l.wallet_id = w.id
        """,  # noqa: S608 - of constants
    )


def lots_get_back_no_more_than_they_gave() -> Proof:
    """By meter, what came back to a lot is at most what usage drew from it."""
    return prove_rows(
        "No lot got back more than was drawn from it",
        "I7",
        """
        SELECT CASE WHEN p.back > 0
            THEN format('lot %s got back %s more than was drawn from it on %s',
                        coalesce(l.public_id, format('row %s', p.lot_id)), p.back, p.qualifier)
        END
        FROM (
            SELECT p.lot_id, contra.qualifier, sum(p.amount) AS back
            FROM wallets_posting p
            JOIN wallets_ledgeraccount contra
                ON contra.id = p.contra_id AND contra.kind IN ('REVENUE', 'FEES', 'ALLOWANCE_USED')
            WHERE p.lot_id IS NOT NULL GROUP BY p.lot_id, contra.qualifier
        ) p
        LEFT JOIN wallets_creditlot l ON l.id = p.lot_id
        """,
    )


def transfers_arrive() -> Proof:
    """What leaves one wallet by a transfer arrives in another."""
    return prove_rows(
        "What leaves a wallet by a transfer arrives in another",
        "I2",
        f"""
        SELECT CASE WHEN sum(p.amount) <> 0
            THEN format('transfer %s (entries %s): %s is in transit', e.reference, string_agg(e.id::text, ', '), sum(p.amount))
        END
        FROM wallets_posting p
        JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id AND a.kind = '{_TRANSIT}'
        JOIN wallets_journalentry e ON e.bucket = p.bucket AND e.id = p.entry_id
        GROUP BY e.reference, p.currency
        """,  # noqa: S608 - of constants
    )


def entries_are_unaltered() -> Proof:
    """The hash of every entry, over itself, its postings and the hash before it in its wallet (`chain.py` in SQL)."""
    return prove_rows(
        "Every entry and its postings are as they were posted (hash chain)",
        "I7",
        r"""
        SELECT CASE WHEN hash IS DISTINCT FROM sha256(hash_before || convert_to(concat_ws(E'\x1f',
                wallet_id, wallet_version, kind, currency, (extract(epoch FROM at) * 1000000)::bigint, balance_after,
                overdraft_after, coalesce(reverses_id::text, ''), reference, reason, actor, coalesce(postings, '')), 'UTF8'))
            THEN format('entry %s (wallet row %s, version %s) is not what was posted', id, wallet_id, wallet_version)
        END
        FROM (
            SELECT e.*, p.postings,
                   lag(e.hash, 1, '') OVER (PARTITION BY e.wallet_id ORDER BY e.wallet_version) AS hash_before
            FROM wallets_journalentry e
            LEFT JOIN (
                SELECT bucket, entry_id, string_agg(concat_ws(':', line, ledger_account_id, coalesce(contra_id::text, ''),
                           coalesce(lot_id::text, ''), currency, amount, coalesce(line_from::text, '')), ';' ORDER BY line)
                       AS postings
                FROM wallets_posting GROUP BY bucket, entry_id
            ) p ON p.bucket = e.bucket AND p.entry_id = e.id
        ) chained
        """,
    )


PROOFS: Final[tuple[Prover, ...]] = (
    wallets_stand_at_their_last_entry,
    entries_balance,
    balances_follow_from_postings,
    lots_hold_what_was_posted,
    wallets_add_up,
    lots_get_back_no_more_than_they_gave,
    transfers_arrive,
    entries_are_unaltered,
    journal_days_hold,
)
