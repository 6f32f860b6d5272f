"""The journal is taken to bookkeeping from the back office."""

from __future__ import annotations

from django.test import Client

from tests.factories.shop import Shop, text_of
from wallets.reports.models import AccountCode

ADDRESS = "/admin/general-ledger/"
ASKED = {"first_day": "2026-01-01", "last_day": "2026-11-30", "currency": "USD", "program": "csv", "suspense": "9999"}


def test_lines_are_shown_and_downloaded(shop: Shop, finance: Client) -> None:
    assert "No ledger account has a code yet" in text_of(finance.get(ADDRESS))
    AccountCode.objects.create(kind="CASH_CLEARING", code="1800", name="Bank")
    page = text_of(finance.get(ADDRESS, ASKED))
    assert "1800 Bank 10.00" in page
    assert "9999 Suspense 10.00" in page
    file = finance.get(ADDRESS, ASKED | {"download": "1"})
    assert file["Content-Disposition"] == 'attachment; filename="general-ledger-csv-20260101-20261130-USD.csv"'
    datev = {"program": "datev", "consultant": "29098", "client": "55003", "clearing": "1590"}
    file = finance.get(ADDRESS, ASKED | datev | {"download": "1"})
    assert b"".join(file.streaming_content).startswith(b'"EXTF";700;21;')  # type: ignore[attr-defined]


def test_what_is_missing_is_named(shop: Shop, finance: Client) -> None:
    answer = finance.get(ADDRESS, ASKED | {"suspense": ""})
    assert (answer.status_code, "have no account code" in text_of(answer)) == (422, True)
    answer = finance.get(ADDRESS, ASKED | {"program": "datev", "last_day": "2025-10-01"})
    assert answer.status_code == 422
    assert "DATEV needs it." in text_of(answer)
    assert "before the first day" in text_of(answer)
