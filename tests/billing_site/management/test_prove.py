"""`manage.py prove`: a table or JSON, and an exit code that a night job can act on."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.factories.balances import AT, wallet_of
from tests.factories.events import send
from tests.factories.prices import llm_prices
from tests.factories.tampering import tamper
from wallets.balances.models import Wallet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def wallet() -> Wallet:
    llm_prices(input_tokens="0.01", output_tokens="0.02", at=AT - timedelta(days=60))
    wallet = wallet_of("acme", credit="10")
    send(wallet, ("r1", {"input_tokens": 100, "output_tokens": 50}))
    return wallet


def prove(*options: str) -> str:
    out = StringIO()
    call_command("prove", *options, stdout=out)
    return out.getvalue()


def test_it_prints_what_it_proved_by_invariant() -> None:
    printed = prove()
    for invariant in ("I1", "I2", "I3", "I4", "I7", "I10"):
        assert f" {invariant} " in printed


def test_as_json_it_counts_what_it_checked() -> None:
    outcome = json.loads(prove("--json"))
    assert outcome["holds"] is True
    assert {proof["invariant"] for proof in outcome["proofs"]} == {"I1", "I2", "I3", "I4", "I5", "I6", "I7", "I9", "I10"}
    assert all(proof["checked"] >= 0 and proof["seconds"] >= 0 for proof in outcome["proofs"])


def test_it_fails_and_names_the_wallet_that_was_altered(wallet: Wallet) -> None:
    tamper("wallets_wallet", "UPDATE wallets_wallet SET balance = balance + 1 WHERE id = %s", [wallet.pk])
    out = StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("prove", stdout=out)
    assert failure.value.returncode == 1
    assert wallet.public_id in out.getvalue()


def test_as_json_it_fails_too_and_prints_nothing_but_json(wallet: Wallet) -> None:
    tamper("wallets_posting", "UPDATE wallets_posting SET amount = amount * 2")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("prove", "--json", stdout=out)
    outcome = json.loads(out.getvalue())
    assert outcome["holds"] is False
    assert any("is not what was posted" in offender for proof in outcome["proofs"] for offender in proof["offenders"])
