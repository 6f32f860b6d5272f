"""The auditor's folder verifies itself, with Python's standard library alone, and finds whatever was altered."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal as D
from hashlib import sha256
from pathlib import Path

import pytest

from metering.ingest.batch import ingest_batch
from metering.usage.close_periods import close_periods
from tests.factories.balances import AT, wallet_of
from tests.factories.usage import event, open_prices
from wallets.credit.grant import grant_credit
from wallets.reports.audit_export import FolderInUse, write_audit

pytestmark = pytest.mark.django_db

END = AT + timedelta(days=40)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What two wallets did, a statement among it; the second half of the time."""
    open_prices()
    for key in ("acme", "globex"):
        wallet = wallet_of(key, credit="10")
        ingest_batch(events=[event(f"{key} {number}", 3, account=key, time=AT) for number in range(3)], at=AT)
        grant_credit(wallet_id=wallet.pk, amount=D(5), kind="promotional", at=AT + timedelta(days=1))
        ingest_batch(events=[event(f"{key} later", 3, account=key, time=AT)], at=AT + timedelta(days=2))
    close_periods(at=AT + timedelta(days=30))
    told: list[str] = []
    counts = write_audit(folder=tmp_path / "audit", start=AT - timedelta(days=1), end=END, at=END, tell=told.append)
    assert counts["wallets.csv"] == 2
    assert min(counts.values()) > 0
    assert len(told) == len(counts)
    assert (tmp_path / "audit" / "entries.csv").read_text().count("USAGE") == 4  # two batches of each
    return tmp_path / "audit"


def verified(folder: Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-I", folder / "verify.py"], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_folder_holds_and_is_not_written_over(folder: Path) -> None:
    code, said = verified(folder)
    assert (code, said.startswith("holds: ")) == (0, True)
    with pytest.raises(FolderInUse):
        write_audit(folder=folder, start=AT, end=END, at=END, tell=print)


def test_a_later_part_opens_where_the_one_before_it_ended(folder: Path, tmp_path: Path) -> None:
    part = tmp_path / "part"
    counts = write_audit(folder=part, start=AT + timedelta(days=1), end=END, at=END, tell=lambda _: None)
    assert 0 < counts["entries.csv"] < len((folder / "entries.csv").read_text().splitlines())
    assert verified(part)[0] == 0


def flipped(amount: str) -> str:
    """Another last digit."""
    return amount[:-1] + ("1" if amount[-1] != "1" else "2")


@pytest.mark.parametrize(
    ("file", "column", "change", "said"),
    [
        ("entries.csv", "balance_after", flipped, "says balance"),
        ("entries.csv", "reason", lambda _: "altered", "its hash differs"),
        ("entries.csv", "hash", flipped, "its hash differs"),
        ("postings.csv", "amount", flipped, "do not sum to zero"),
        ("postings.csv", "lot_id", lambda lot: lot and "999", "a lot 999 that is not there"),
        ("lots.csv", "closing", flipped, "by its postings at"),
        ("statements.csv", "closing_balance", flipped, "do not come to"),
        ("statement_lines.csv", "amount", flipped, "do not come to"),
        ("wallets.csv", "closing_balance", flipped, "does not close where its last entry says"),
        ("chart.csv", "wallet_side", lambda side: {"t": "f"}.get(side, "t"), "by its postings it is"),
    ],
)
def test_whatever_is_altered_is_found(
    folder: Path, tmp_path: Path, file: str, column: str, change: Callable[[str], str], said: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    with (copy / file).open(newline="") as source:
        rows = list(csv.DictReader(source))
    first = next(row for row in rows if row[column] or column == "reason")
    first[column] = change(first[column])
    with (copy / file).open("w", newline="") as target:
        writer = csv.DictWriter(target, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    code, found = verified(copy)
    assert code == 1
    assert f"{file} is not the file that was written" in found
    # Also when whoever altered it signs it again.
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"][file]["sha256"] = sha256((copy / file).read_bytes()).hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest))
    code, found = verified(copy)
    assert code == 1
    assert said in found


def test_a_posting_that_was_left_out_is_missed(folder: Path) -> None:
    lines = (folder / "postings.csv").read_text().splitlines(keepends=True)
    (folder / "postings.csv").write_text("".join(lines[:-1]))
    assert verified(folder)[0] == 1
