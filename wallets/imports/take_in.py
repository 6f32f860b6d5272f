"""Take a file of credit in: a dry run first, then all of it in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from django.db import transaction

from wallets.audit.record import Actor, record_change
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.errors import Conflict, InvalidInput, Refusal
from wallets.imports.models import CreditImport
from wallets.imports.read_rows import CreditRow, RowsUnreadable, read_credit_rows, totals_of

TELL_EVERY: Final = 1_000
OPENING: Final = "opening_balance"


class TotalsDiffer(InvalidInput):
    """The file does not add up to what whoever brings it says it does: rows are missing, or there are too many."""

    code = "totals_differ"


class TakenInBefore(Conflict):
    """This very file was taken in before."""

    code = "taken_in_before"


@dataclass(frozen=True, slots=True)
class Planned:
    """What a file would do. wallets: how many would get credit."""

    rows: int
    wallets: int
    totals: dict[str, Decimal]


def plan_import(*, text: str, totals: Mapping[str, Decimal]) -> Planned:
    """The dry run: read every row, find every wallet, compare with the totals from the source. Changes nothing.

    totals: amount by currency, from where the file comes from. Raises RowsUnreadable, TotalsDiffer, TakenInBefore.
    """
    rows, wallets = _matched(text, totals)
    return Planned(len(rows), len(wallets), totals_of(rows))


def import_credit(
    *,
    text: str,
    totals: Mapping[str, Decimal],
    name: str,
    reason: str,
    actor: Actor,
    at: datetime,
    source: str = OPENING,
    tell: Callable[[str], Any] = lambda _: None,
) -> CreditImport:
    """Grant every row, all or none, wallets in the order in which they are locked. Money that is behind paid credit stands
    in cash clearing of `source`, where the books of the system before hand it over. Raises as the dry run, and what
    grant_credit raises."""
    if not reason.strip():
        raise InvalidInput("Say why.", fields={"reason": "Give one"})
    with transaction.atomic():
        rows, wallets = _matched(text, totals)
        run = CreditImport.objects.create(
            name=name[:200], digest=_digest(text), source=source, rows=len(rows), reason=reason[:500], actor=str(actor)[:254],
            totals={currency: str(amount) for currency, amount in totals_of(rows).items()}, at=at,
        )  # fmt: skip
        for number, row in enumerate(sorted(rows, key=lambda one: (wallets[one.account, one.currency].pk, one.line)), start=1):
            _grant(row, wallets[row.account, row.currency], source=source, actor=str(actor), at=at)
            if number % TELL_EVERY == 0:
                tell(f"{number:,} of {len(rows):,} rows")
        record_change(
            actor=actor, action="import_credit", subject_kind="wallets.creditimport", subject=name[:120], before={},
            after={"rows": run.rows, "totals": run.totals, "digest": run.digest}, reason=reason, at=at,
        )  # fmt: skip
    return run


def _grant(row: CreditRow, wallet: Wallet, *, source: str, actor: str, at: datetime) -> None:
    try:
        grant_credit(
            wallet_id=wallet.pk, amount=row.amount, kind=row.kind, price_paid=row.price_paid, expires_at=row.expires_at, at=at,
            source=source, reason=f"{row.reference} (imported)", actor=actor,
        )  # fmt: skip
    except Refusal as refusal:
        told = refusal.fields or {"row": refusal.message}
        raise RowsUnreadable(
            "A row was refused; nothing was taken in.", fields={f"line {row.line}: {name}": what for name, what in told.items()}
        ) from refusal


def _matched(text: str, totals: Mapping[str, Decimal]) -> tuple[list[CreditRow], dict[tuple[str, str], Wallet]]:
    if CreditImport.objects.filter(digest=_digest(text)).exists():
        raise TakenInBefore("This very file was taken in before.")
    rows = read_credit_rows(text)
    found = totals_of(rows)
    if {currency: amount for currency, amount in totals.items() if amount} != found:
        said = ", ".join(f"{amount:f} {currency}" for currency, amount in sorted(totals.items())) or "nothing"
        here = ", ".join(f"{amount:f} {currency}" for currency, amount in found.items())
        raise TotalsDiffer(f"The source says {said}; the file adds up to {here}.", fields={"totals": f"The file has {here}"})
    wallets = Wallet.objects.filter(is_default=True, account__key__in={row.account for row in rows}).select_related("account")
    by_name = {(wallet.account.key, wallet.currency): wallet for wallet in wallets}
    unknown = {
        f"line {row.line}: account": f"There is no wallet in {row.currency} of {row.account}"
        for row in rows
        if (row.account, row.currency) not in by_name
    }
    if unknown:
        raise RowsUnreadable(f"{len(unknown):,} rows have no wallet; nothing was taken in.", fields=unknown)
    return rows, by_name


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
