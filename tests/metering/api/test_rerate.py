"""Correcting a wrong price over HTTP and by command."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from metering.ingest.batch import ingest_batch
from metering.rerating import rerate
from pricing.books.draft import draft_version
from pricing.books.models import PriceVersion
from pricing.books.publish import publish_version
from pricing.rating.explanation import PriceTerms
from tests.cast import Api
from tests.factories.balances import AT, wallet_of
from tests.factories.journal import figures
from tests.factories.priced import sell, stated, work
from wallets.balances.models import Wallet
from wallets.money import ZERO


@pytest.fixture
def wallet(db: None) -> Wallet:
    """acme was charged 2.50 for 25 at 0.10; 0.04 was right."""
    sell(PriceTerms(1, "per_unit", D("0.10"), ZERO))
    book = PriceVersion.objects.get().book
    draft = draft_version(book=book, prices=[stated("work", PriceTerms(1, "per_unit", D("0.04"), ZERO))], at=AT)
    publish_version(version=draft, effective_at=AT + timedelta(hours=1), at=AT)
    wallet = wallet_of("acme", credit="10")
    ingest_batch(events=[work("e1", 5), work("e2", 20)], at=AT)
    return wallet


def versions() -> list[str]:
    return list(PriceVersion.objects.order_by("number").values_list("public_id", flat=True))


def body(**more: Any) -> dict[str, Any]:
    wrong, right = versions()
    start, end = AT - timedelta(days=1), AT + timedelta(days=1)
    return {"wrong_version": wrong, "price_version": right, "from": start.isoformat(), "to": end.isoformat()} | more


def test_it_is_a_look_unless_told_otherwise(vendor: Api, wallet: Wallet) -> None:
    answer = vendor.post("/pricing/rerate", body()).json()
    assert (answer["dry_run"], answer["run"], answer["events"], answer["refused"]) == (True, None, 2, 0)
    sums = {"currency": "USD", "events": 2, "before": "2.50", "after": "1.00", "difference": "-1.50"}
    assert answer["accounts"] == [{"name": "acme"} | sums]
    assert answer["meters"] == [{"name": "work"} | sums]
    assert figures(wallet) == (D("7.5"), 0)


def test_it_corrects_once_and_needs_a_reason(vendor: Api, wallet: Wallet) -> None:
    refused = vendor.post("/pricing/rerate", body(dry_run=False))
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["reason"])
    answer = vendor.post("/pricing/rerate", body(dry_run=False, reason="Typed wrong")).json()
    assert answer["run"].startswith("rer_")
    assert figures(wallet) == (9, 0)
    assert vendor.post("/pricing/rerate", body(dry_run=False, reason="Again")).json()["events"] == 0


def test_a_request_does_not_correct_more_than_it_can(vendor: Api, wallet: Wallet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metering.api.rerate.MOST_AT_ONCE", 1)
    answer = vendor.post("/pricing/rerate", body())
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["to"])
    assert figures(wallet) == (D("7.5"), 0)


def test_the_command_looks_then_corrects_then_goes_on(wallet: Wallet) -> None:
    wrong, right = versions()
    asked = [wrong, right, "--from", "2026-01-01T00:00:00Z", "--to", "2028-01-01T00:00:00Z"]
    out = StringIO()
    call_command("rerate", *asked, stdout=out)
    assert "acme: 2 events, USD 2.50 -> 1.00 (-1.50)" in out.getvalue()
    assert "Nothing was changed" in out.getvalue()
    assert figures(wallet) == (D("7.5"), 0)
    call_command("rerate", *asked, "--apply", "--reason", "Typed wrong", stdout=out)
    assert figures(wallet) == (9, 0)
    run = rerate.RerateRun.objects.get()
    call_command("rerate", "--resume", run.public_id, stdout=out)
    assert "0 events, 0 left" in out.getvalue()
