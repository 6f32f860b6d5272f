"""`manage.py replay`: real files to the exact charge, without preparation, and again without a charge.

The Azure trace is found in BILLING_SHARED_DATA or in ../shared/data beside the project; where it is not, a small file of
its shape that comes with the tests takes its place.
"""

from __future__ import annotations

import csv
import json
import os
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from billing_site.management.commands.prove import PROOFS
from metering.usage.models import UsageEvent
from pricing.books.models import PriceBook
from wallets.accounts.models import Account
from wallets.balances.models import Wallet

pytestmark = pytest.mark.django_db(transaction=True)

SAMPLE = Path(__file__).parents[2] / "data" / "azure_llm_sample.csv"
SHARED = Path(os.environ.get("BILLING_SHARED_DATA") or Path(settings.BASE_DIR).parent / "shared" / "data")
PER_MILLION = Decimal(1_000_000)
KNOWN = {"conv.csv": Decimal("5.80747950"), "code.csv": Decimal("2.85653370"), SAMPLE.name: Decimal("0.09997335")}


def azure_files() -> list[Path]:
    """The trace, or what stands in for it."""
    files = [SHARED / "azure_llm_2023" / name for name in ("code.csv", "conv.csv")]
    return files if all(file.is_file() for file in files) else [SAMPLE]


def replay(*arguments: str | Path) -> dict[str, Any]:
    """Run the command; its JSON."""
    out = StringIO()
    call_command("replay", *map(str, arguments), "--json", stdout=out, stderr=StringIO())
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def replay_text(*arguments: str | Path) -> str:
    """Run the command; what a person reads."""
    out = StringIO()
    call_command("replay", *map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue()


def cost_from_the_file(path: Path) -> Decimal:
    """What the file costs at 0.15 and 0.60 USD a million tokens, from nothing but the file."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    tokens_in = sum(int(row["ContextTokens"]) for row in rows)
    tokens_out = sum(int(row["GeneratedTokens"]) for row in rows)
    return (tokens_in * Decimal("0.15") + tokens_out * Decimal("0.60")) / PER_MILLION


def assert_books_hold() -> None:
    """Every proof holds."""
    assert [proof for proof in (prover() for prover in PROOFS) if not proof.holds] == []


def test_azure_files_replay_to_the_exact_charge_and_again_to_none_and_the_books_hold() -> None:
    for path in azure_files():
        expected = cost_from_the_file(path)
        assert expected == KNOWN[path.name]
        told = replay(path)
        with path.open() as file:
            rows = sum(1 for _ in file) - 1
        assert (told["records"], told["events"], told["rejected"], told["unrated"]) == (rows, rows, {}, 0)
        assert Decimal(told["total"]["USD"]) == expected
        assert sum(Decimal(one["amount"]) for one in told["charged"]) == expected
    spent = sum(KNOWN[path.name] for path in azure_files())
    credit = Decimal(100) * Account.objects.count()
    assert sum(wallet.balance for wallet in Wallet.objects.all()) == credit - spent
    for path in azure_files():
        again = replay(path)
        assert (again["events"], again["duplicates"], again["charged"]) == (0, again["records"], [])
    assert sum(wallet.balance for wallet in Wallet.objects.all()) == credit - spent
    assert_books_hold()


def test_the_sample_is_split_over_the_accounts_asked_for_and_shifted_to_now() -> None:
    told = replay(SAMPLE, "--accounts", "3", "--shift-to-now", "--credit", "5")
    assert told["made"] == {
        "meters": ["llm.input_tokens", "llm.output_tokens"], "price_book": "Replay azure-llm", "accounts": 3, "credit": "15"
    }  # fmt: skip
    assert Decimal(told["shift_seconds"]) > 0
    assert Decimal(told["total"]["USD"]) == KNOWN[SAMPLE.name]
    assert set(Account.objects.values_list("key", flat=True)) == {"azure-llm-1", "azure-llm-2", "azure-llm-3"}


def test_the_same_file_under_another_id_prefix_is_new_usage() -> None:
    replay(SAMPLE)
    assert replay(SAMPLE, "--id-prefix", "second-")["events"] == 12


def test_a_person_reads_the_preset_the_counts_and_the_charge() -> None:
    text = replay_text(SAMPLE)
    assert "Preset azure-llm" in text
    assert "10 demo accounts" in text
    assert "0.09997335" in text
    assert "events per second" in text
    assert "Charged: nothing." in replay_text(SAMPLE)


def test_nothing_is_made_when_that_is_asked_for() -> None:
    told = replay(SAMPLE, "--no-demo-setup")
    assert told["rejected"] == {"unknown_account": 12}
    assert told["made"] is None
    assert not Account.objects.exists()
    assert not PriceBook.objects.exists()


def test_rows_that_name_their_accounts_get_nothing_made_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text('{"ts": 1700000000, "who": "acme", "n": 2}\n{"ts": 1700000001, "who": "globex", "n": 3}\n')
    mapped = [
        path,
        *(word for entry in ("type=const:call", "time=ts", "account=who", "n=n") for word in ("--map", entry)),
    ]
    mapped += ["--time-format", "epoch"]
    assert replay(*mapped)["rejected"] == {"unknown_account": 2}
    told = replay(*mapped, "--demo-setup", "--price", "calls:n=0.5", "--price", "requests=0.1", "--credit", "10")
    assert told["made"]["accounts"] == 2
    assert [(one["meter"], one["quantity"], one["amount"]) for one in told["charged"]] == [
        ("calls", "5", "2.50"), ("requests", "2", "0.20"),
    ]  # fmt: skip
    assert UsageEvent.objects.count() == 2
    assert_books_hold()


def test_other_prices_for_the_same_demo_accounts_are_refused(tmp_path: Path) -> None:
    replay(SAMPLE)
    with pytest.raises(CommandError, match="has other prices"):
        replay(SAMPLE, "--price", "llm.input_tokens:input_tokens=0.1")
    with pytest.raises(CommandError, match="measures"):
        replay(SAMPLE, "--account-prefix", "other", "--price", "llm.input_tokens:tokens=0.1")


def test_refused_records_are_written_to_a_file_by_line(tmp_path: Path) -> None:
    path, rejects = tmp_path / "usage.csv", tmp_path / "rejects.jsonl"
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:00:00,1,1\nnonsense\n2023-11-16 18:00:00,-1,1\n")
    told = replay(path, "--rejects", rejects)
    assert told["rejected"] == {"unreadable": 1, "invalid": 1}
    written = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(one["line"], one["code"]) for one in written] == [(3, "unreadable"), (4, "invalid")]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--map", "type=const:x", "--map", "time=TIMESTAMP"], "No column names the account"),
        (["--map", "nonsense", "--accounts", "2"], "not TARGET=SOURCE"),
        (["--preset", "none", "--accounts", "2"], "what type the events are"),
        (["--preset", "mine"], "There is no preset mine"),
        (["--accounts", "0"], "--accounts 0"),
        (["--batch", "0"], "--batch 0"),
        (["--time-zone", "Mars/Base"], "--time-zone Mars/Base"),
        (["--time-start", "2025-01-01"], "has no offset"),
        (["--price", "x"], "--price x"),
        (["--credit", "lots"], "--credit lots"),
        (["--encoding", "klingon"], "no encoding called klingon"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_a_sentence(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        replay(SAMPLE, *arguments)
    assert not UsageEvent.objects.exists()


def test_a_missing_file_and_an_unknown_header_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be opened"):
        replay(tmp_path / "nowhere.csv")
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match="No known trace has this header"):
        replay(path)
