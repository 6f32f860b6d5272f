"""The only writer of the journal. An entry and what it does to its wallet go together: version, balance, overdraft, hash,
thresholds, news and publication, so that no change of a balance can forget one of them (I2, I7)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from django.db import connection, transaction

from wallets.balances.lock import LockedWallet
from wallets.balances.models import ThresholdCrossing
from wallets.balances.publish import publish_wallets
from wallets.balances.store import store_wallets
from wallets.balances.thresholds import Fired, Thresholds, credit_counts, fall, falls_below, rise
from wallets.bulk import NULL, copy_lines, escaped
from wallets.ids import RowIds
from wallets.ledger.chain import entry_hash, posting_text
from wallets.ledger.chart import ChartAccount
from wallets.ledger.models import JournalEntry
from wallets.money import ZERO
from wallets.outbox.topics import BalanceRecovered, BalancesChanged, News, RechargeDue, ThresholdCrossed
from wallets.outbox.write import add_news
from wallets.overlap import running

Kind = JournalEntry.Kind

IS_CREDIT: Final = frozenset({Kind.GRANT, Kind.TRANSFER_IN, Kind.ADJUSTMENT})
"""Kinds of entries that may start a wallet's thresholds anew; what else comes back to it only takes it above some again."""
_entry_ids = RowIds("wallets_entry_blocks")


class NewPosting(NamedTuple):
    """One line of a new entry: credit positive, debit negative, at most 12 decimals."""

    account: ChartAccount
    amount: Decimal
    lot_id: int | None = None
    contra: ChartAccount | None = None
    line_from: Decimal | None = None


@dataclass(slots=True)
class NewEntry:
    """A balanced change of one locked wallet. lowers_reference: what leaves was not to stay (a plan's credit of a period)."""

    wallet: LockedWallet
    kind: Kind
    postings: list[NewPosting]
    reference: str = ""
    reason: str = ""
    actor: str = ""
    reverses_id: int | None = None
    id: int = 0
    lowers_reference: bool = False


def reserve_entry_ids(count: int) -> Sequence[int]:
    """Row ids for entries to come, for callers whose rows must name their entry before it is posted."""
    return _entry_ids.take(count)


def post_entries(
    entries: Sequence[NewEntry], *, at: datetime, news: Sequence[tuple[str, News]] = (), meanwhile: str = ""
) -> None:
    """Write entries of one bucket, in order, and everything that follows from them; sets each entry's `id`.

    The wallets must be locked by this transaction (`lock_wallets`); their figures are brought up to date. A wallet may
    have several entries; they chain in the order given. `news` is written with the rest. `meanwhile`: a statement of the
    caller's that the database carries out while the entries are put together.
    """
    if not entries:
        return
    bucket = entries[0].wallet.bucket
    wallets = {entry.wallet.id: entry.wallet for entry in entries}
    before = {wallet.id: wallet.balance for wallet in wallets.values()}
    without_id = [entry for entry in entries if not entry.id]
    for entry, entry_id in zip(without_id, _entry_ids.take(len(without_id)), strict=True):
        entry.id = entry_id
    entry_lines: list[str] = []
    posting_lines: list[str] = []
    crossings: list[ThresholdCrossing] = []
    crossed: list[tuple[str, News]] = []
    due: list[tuple[str, News]] = []
    with running(connection.connection, meanwhile) if meanwhile else nullcontext():
        for entry in entries:
            assert entry.wallet.bucket == bucket, (entry.wallet.id, bucket)
            _apply(entry, at, entry_lines, posting_lines)
            if entry.lowers_reference:
                _lower_reference(entry)
        credited = {entry.wallet.id for entry in entries if entry.kind is not Kind.USAGE and entry.kind in IS_CREDIT}
        for wallet in wallets.values():
            crossing = _cross(wallet, before[wallet.id], at, credited=wallet.id in credited)
            if crossing is not None:
                crossings.append(crossing[0])
                crossed.append((f"wallet:{wallet.id}", crossing[1]))
            if wallet.recharge_below is not None:
                due += _recharge_due(wallet, wallet.recharge_below)
    with connection.cursor() as cursor:
        copy_lines(cursor, "wallets_journalentry", _ENTRY_COLUMNS, entry_lines)
        copy_lines(cursor, "wallets_posting", _POSTING_COLUMNS, posting_lines, _POSTING_FORMAT)
    store_wallets(list(wallets.values()), bucket=bucket)
    # A recharge comes before the threshold: who tells of the threshold sees that one is on its way.
    pieces = [*news, *due, *crossed, ("", BalancesChanged(list(wallets)))]
    if crossings:
        ThresholdCrossing.objects.bulk_create(crossings)
    add_news(pieces, at=at, bucket=bucket)
    changed = list(wallets.values())
    transaction.on_commit(lambda: publish_wallets(changed), robust=True)


_ENTRY_COLUMNS: Final = (
    "id, bucket, wallet_id, wallet_version, kind, currency, at, balance_after, overdraft_after, reverses_id, reference, "
    "reason, actor, hash"
)
# As `chain.posting_text` has them, so that what is hashed is what is stored.
_POSTING_COLUMNS: Final = "line, ledger_account_id, contra_id, lot_id, currency, amount, line_from, bucket, entry_id"
_POSTING_FORMAT: Final = "(DELIMITER ':', NULL '')"


def _apply(entry: NewEntry, at: datetime, entry_lines: list[str], posting_lines: list[str]) -> None:
    """Move the wallet by the entry, and put the rows together."""
    wallet, currency = entry.wallet, entry.wallet.currency
    kind: str = entry.kind._value_
    total = change = owed = ZERO
    texts: list[str] = []
    place = f":{wallet.bucket}:{entry.id}"
    for line, (account, amount, lot_id, contra, line_from) in enumerate(entry.postings):
        total += amount
        if account.wallet_side:
            change += amount
            if account.receivable:
                owed -= amount
        text = posting_text(line, account.id, contra.id if contra else None, lot_id, account.currency, amount, line_from)
        texts.append(text)
        posting_lines.append(text + place)
    assert total == ZERO, (wallet.id, entry.kind, entry.postings)  # by currency: the database's trigger
    wallet.balance += change
    wallet.overdraft += owed
    assert wallet.overdraft >= ZERO, (wallet.id, wallet.overdraft)
    wallet.version += 1
    wallet.head_hash = entry_hash(
        wallet.head_hash,
        wallet_id=wallet.id,
        wallet_version=wallet.version,
        kind=kind,
        currency=currency,
        at=at,
        balance_after=wallet.balance,
        overdraft_after=wallet.overdraft,
        reverses_id=entry.reverses_id,
        reference=entry.reference,
        reason=entry.reason,
        actor=entry.actor,
        postings=texts,
    )
    entry_lines.append(
        f"{entry.id}\t{wallet.bucket}\t{wallet.id}\t{wallet.version}\t{kind}\t{currency}\t{at.isoformat()}"
        f"\t{wallet.balance!s}\t{wallet.overdraft!s}\t{entry.reverses_id or NULL}\t{escaped(entry.reference)}"
        f"\t{escaped(entry.reason)}\t{escaped(entry.actor)}\t\\\\x{wallet.head_hash.hex()}"
    )


def _cross(
    wallet: LockedWallet, before: Decimal, at: datetime, *, credited: bool
) -> tuple[ThresholdCrossing, ThresholdCrossed | BalanceRecovered] | None:
    """The threshold that everything posted together took the wallet across, if any, and what it watches from now on."""
    after = wallet.balance
    if after == before:
        return None
    reference = wallet.reference_balance if wallet.own_reference is None else wallet.own_reference
    fired = Fired(wallet.armed_percent, wallet.armed_amount)
    if after < before:
        now, edge = fall(Thresholds(wallet.threshold_percents, wallet.threshold_amounts, reference), fired, after=after)
    else:
        counts = credited and credit_counts(reference=reference, before=before, after=after)
        if counts:
            wallet.reference_balance = after
            reference = after if wallet.own_reference is None else reference
        watched = Thresholds(wallet.threshold_percents, wallet.threshold_amounts, reference)
        now, edge = rise(watched, fired, after=after, counts=counts)
    wallet.armed_percent, wallet.armed_amount = now
    if edge is None:
        return None
    wallet.crossing_number += 1
    row = ThresholdCrossing(
        bucket=wallet.bucket,
        wallet_id=wallet.id,
        number=wallet.crossing_number,
        back=edge.back,
        percent=edge.percent,
        amount=edge.amount,
        balance=after,
        reference_balance=reference,
        wallet_version=wallet.version,
        crossed_at=at,
    )
    amount = _text(edge.amount)
    balance, currency = f"{after:f}", wallet.currency
    if edge.back:
        return row, BalanceRecovered(
            wallet.id, row.number, edge.percent, amount, balance, currency, resumed=edge.resumed, clear=edge.clear,
            percent_now=now.percent, amount_now=_text(now.amount),
        )  # fmt: skip
    return row, ThresholdCrossed(
        wallet_id=wallet.id,
        number=row.number,
        percent=edge.percent,
        balance=balance,
        reference_balance=f"{reference:f}",
        currency=currency,
        amount=amount,
        percent_before=fired.percent,
        amount_before=_text(fired.amount),
        percent_now=now.percent,
        amount_now=_text(now.amount),
    )


def _lower_reference(entry: NewEntry) -> None:
    """A plan's credit that has ended is no part of the reference any more: who did not use it up has not run low when the next
    period's has come."""
    wallet = entry.wallet
    expired = -sum((posting.amount for posting in entry.postings if posting.account.wallet_side), ZERO)
    wallet.reference_balance = max(wallet.reference_balance - expired, wallet.balance, ZERO)


def _text(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"


def _recharge_due(wallet: LockedWallet, below: Decimal) -> list[tuple[str, News]]:
    """The news that a wallet is due for a recharge, once each time its balance falls below; arms it when it is back."""
    fell, wallet.recharge_armed = falls_below(below, after=wallet.balance, armed=wallet.recharge_armed)
    if not fell:
        return []
    due = RechargeDue(wallet.id, wallet.version, f"{wallet.balance:f}", f"{below:f}", wallet.currency)
    return [(f"wallet:{wallet.id}", due)]
