"""Reading the journal back in tests: entries as short texts, and the proofs that must hold after every test of money."""

from __future__ import annotations

from decimal import Decimal

from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.ledger import proofs as ledger
from wallets.ledger.entries import entries_of, entry_rows
from wallets.money import plain


def journal(wallet: Wallet) -> list[tuple[str, list[str]]]:
    """The wallet's entries in order: kind, and its postings as `account amount` (`account @ lot amount` on a lot, by the
    lot's kind)."""
    kinds = dict(CreditLot.objects.filter(wallet=wallet).values_list("public_id", "kind"))
    return [
        (
            row.kind,
            [
                f"{posting.account}{'' if posting.lot is None else f' @ {kinds[posting.lot]}'} {plain(posting.amount)}"
                for posting in row.postings
            ],
        )
        for row in entry_rows(list(entries_of(wallet_id=wallet.pk).order_by("wallet_version")))
    ]


def last_entry(wallet: Wallet) -> tuple[str, list[str]]:
    """The wallet's last entry."""
    return journal(wallet)[-1]


def figures(wallet: Wallet) -> tuple[Decimal, Decimal]:
    """(balance, overdraft) as they stand in the database."""
    wallet.refresh_from_db()
    return wallet.balance, wallet.overdraft


def lots(wallet: Wallet) -> list[tuple[str, str, Decimal]]:
    """(kind, state, remainder) of the wallet's lots, oldest first."""
    rows = CreditLot.objects.filter(wallet=wallet).order_by("pk")
    return [(lot.kind, lot.state, lot.remaining) for lot in rows]


def assert_books_hold() -> None:
    """Every proof over the journal holds."""
    assert [offender for prover in ledger.PROOFS for offender in prover().offenders] == []
