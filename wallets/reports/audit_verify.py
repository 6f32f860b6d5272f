"""Verify this folder with nothing but Python's standard library: `python3 verify.py`. Exit code 1 when anything is wrong.

files        every file has the rows and the SHA-256 that manifest.json says
chain        the hash of every entry, over itself, its postings and the hash before it in its wallet
balance      the postings of an entry sum to zero per currency; balance and overdraft follow from them
versions     a wallet's entries have no gap, begin after its opening and end at its closing
lots         opening + postings = closing, of every credit lot
statements   opening + lines = closing; a statement closes at the balance its wallet had, and opens where the last closed
"""

import csv
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

HERE = Path(__file__).resolve().parent
MOST_SHOWN = 20
SEPARATOR = "\x1f"
OVERDRAFT = "OVERDRAFT_RECEIVABLE"
Row = dict[str, str]

wrong: list[str] = []
csv.field_size_limit(10_000_000)


def rows(name: str) -> Iterator[Row]:
    """The rows of a file, one at a time."""
    with (HERE / name).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def fault(text: str) -> None:
    """Something is wrong."""
    wrong.append(text)


def end(checked: str) -> NoReturn:
    """Say how it came out."""
    for text in wrong[:MOST_SHOWN]:
        sys.stdout.write(f"WRONG  {text}\n")
    if len(wrong) > MOST_SHOWN:
        sys.stdout.write(f"WRONG  and {len(wrong) - MOST_SHOWN:,} more\n")
    sys.stdout.write(f"{'does not hold' if wrong else 'holds'}: {checked}\n")
    sys.exit(1 if wrong else 0)


def check_files() -> dict[str, Any]:
    """Each file against the manifest."""
    manifest: dict[str, Any] = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    for name, said in manifest["files"].items():
        digest = hashlib.sha256()
        with (HERE / name).open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        if digest.hexdigest() != said["sha256"]:
            fault(f"{name} is not the file that was written: its SHA-256 differs from manifest.json")
    return manifest


class Standing(NamedTuple):
    """Where a wallet stands after an entry."""

    version: int
    hash: str
    balance: Decimal
    overdraft: Decimal


def check_entries(wallets: dict[str, Row], sides: dict[str, Row]) -> tuple[int, dict[str, Decimal], dict[tuple[str, int], Row]]:
    """Chain, balance, versions. Returns how many entries, the sum of each lot's postings, and each wallet's entries at which a
    statement may close."""
    of_lots: dict[str, Decimal] = defaultdict(Decimal)
    closing: dict[tuple[str, int], Row] = {}
    asked = {(one["wallet_id"], int(one["closing_version"])) for one in rows("statements.csv")}
    postings = groupby(rows("postings.csv"), key=lambda one: one["entry_id"])
    entry_id, lines = next(postings, (None, iter(())))
    stands: dict[str, Standing] = {}
    count = 0
    for entry in rows("entries.csv"):
        count += 1
        wallet = entry["wallet_id"]
        own: list[Row] = []
        if entry_id == entry["entry_id"]:
            own = list(lines)
            entry_id, lines = next(postings, (None, iter(())))
        for one in own:
            if one["lot_id"]:
                of_lots[one["lot_id"]] += Decimal(one["amount"])
        stands[wallet] = check_entry(entry, own, stands.get(wallet) or opening_of(wallets[wallet], "opening"), sides)
        if (wallet, int(entry["version"])) in asked:
            closing[wallet, int(entry["version"])] = entry
    if entry_id is not None:
        fault(f"there are postings of entry {entry_id} where none should be")
    for wallet, said in wallets.items():
        if stands.get(wallet, opening_of(said, "opening")) != opening_of(said, "closing"):
            fault(f"wallet {said['public_id']} does not close where its last entry says")
    return count, of_lots, closing


def opening_of(wallet: Row, which: str) -> Standing:
    """Where it stood before its first entry here (`opening`), or after its last (`closing`)."""
    return Standing(
        int(wallet[f"{which}_version"]),
        wallet[f"{which}_hash"],
        Decimal(wallet[f"{which}_balance"]),
        Decimal(wallet[f"{which}_overdraft"]),
    )


def check_entry(entry: Row, postings: list[Row], before: Standing, sides: dict[str, Row]) -> Standing:
    """One entry after the one before it in its wallet. Returns where the wallet stands by what the entry says."""
    name = f"entry {entry['entry_id']} of wallet {entry['wallet_id']}"
    balance, overdraft = before.balance, before.overdraft
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in postings:
        amount, side = Decimal(one["amount"]), sides[one["ledger_account_id"]]
        sums[one["currency"]] += amount
        if side["wallet_side"] == "t":
            balance += amount
            overdraft -= amount if side["kind"] == OVERDRAFT else 0
    if any(sums.values()) or not postings:
        fault(f"the postings of {name} do not sum to zero, or are not there")
    said = Standing(int(entry["version"]), entry["hash"], Decimal(entry["balance_after"]), Decimal(entry["overdraft_after"]))
    if said.version != before.version + 1:
        fault(f"{name} has version {said.version} after {before.version}")
    if (balance, overdraft) != (said.balance, said.overdraft):
        fault(f"{name} says balance {said.balance}, by its postings it is {balance}")
    if entry_hash(bytes.fromhex(before.hash), entry, postings) != entry["hash"]:
        fault(f"{name} is not what was posted: its hash differs")
    return said


def entry_hash(before: bytes, entry: Row, postings: list[Row]) -> str:
    """SHA-256 over the hash before it, the entry and its postings in line order."""
    said = ";".join(
        ":".join(one[name] for name in ("line", "ledger_account_id", "contra_id", "lot_id", "currency", "amount", "line_from"))
        for one in postings
    )
    names = (
        "wallet_id",
        "version",
        "kind",
        "currency",
        "at_us",
        "balance_after",
        "overdraft_after",
        "reverses_id",
        "reference",
    )
    text = SEPARATOR.join([*(entry[name] for name in names), entry["reason"], entry["actor"], said])
    return hashlib.sha256(before + text.encode()).hexdigest()


def check_lots(of_lots: dict[str, Decimal]) -> int:
    """Opening + postings = closing."""
    count = 0
    for lot in rows("lots.csv"):
        count += 1
        by_postings = Decimal(lot["opening"]) + of_lots.pop(lot["lot_id"], Decimal(0))
        if by_postings != Decimal(lot["closing"]):
            fault(f"lot {lot['public_id']} closes at {lot['closing']}, by its postings at {by_postings}")
        if not 0 <= Decimal(lot["closing"]) <= Decimal(lot["amount"]):
            fault(f"lot {lot['public_id']} holds {lot['closing']} of {lot['amount']}")
    for lot_id in of_lots:
        fault(f"there are postings of a lot {lot_id} that is not there")
    return count


def check_statements(closing: dict[tuple[str, int], Row]) -> int:
    """Opening + lines = closing, at the balance of the wallet, one after the other."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    lines: dict[str, int] = defaultdict(int)
    for line in rows("statement_lines.csv"):
        sums[line["statement_id"]] += Decimal(line["amount"])
        lines[line["statement_id"]] += 1
    closed: dict[str, Row] = {}
    count = 0
    for one in rows("statements.csv"):
        count += 1
        name = one["number"]
        if Decimal(one["opening_balance"]) + sums[one["statement_id"]] != Decimal(one["closing_balance"]):
            fault(f"statement {name}: opening and lines do not come to {one['closing_balance']}")
        if lines[one["statement_id"]] != int(one["line_count"]):
            fault(f"statement {name} has {lines[one['statement_id']]} lines, not {one['line_count']}")
        entry = closing.get((one["wallet_id"], int(one["closing_version"])))
        if entry is not None and Decimal(entry["balance_after"]) != Decimal(one["closing_balance"]):
            fault(f"statement {name} closes at {one['closing_balance']}, its wallet stood at {entry['balance_after']}")
        last = closed.get(one["wallet_id"])
        if last is not None and last["closing_balance"] != one["opening_balance"]:
            fault(f"statement {name} does not open where {last['number']} closed")
        closed[one["wallet_id"]] = one
    return count


def main() -> NoReturn:
    """All of it."""
    manifest = check_files()
    wallets = {one["wallet_id"]: one for one in rows("wallets.csv")}
    sides = {one["ledger_account_id"]: one for one in rows("chart.csv")}
    entries, of_lots, closing = check_entries(wallets, sides)
    lots = check_lots(of_lots)
    statements = check_statements(closing)
    end(
        f"{entries:,} entries of {len(wallets):,} wallets, {lots:,} lots, {statements:,} statements,"
        f" from {manifest['from']} until before {manifest['to']}"
    )


if __name__ == "__main__":
    main()
