"""Prices as CSV and JSON: what is written is read back exactly, every cell that is wrong is named, no cell is a formula."""

from __future__ import annotations

import csv
import io
from decimal import Decimal as D

import pytest
from hypothesis import given, settings

from pricing.books.diff import diff_prices
from pricing.books.price_files import PriceFileRefused, findings_by_row, read_csv, read_json_file, write_csv, write_json
from pricing.books.price_terms import PriceTerms, TierTerms
from pricing.books.stored_terms import price_columns, stored_form
from pricing.books.validate import PricesRefused, check_prices
from tests.factories import terms as any_terms
from tests.factories.terms import METERS


def stored(prices: list[PriceTerms]) -> list[PriceTerms]:
    return [stored_form(price, currency="USD") for price in prices]


def columns(prices: list[PriceTerms]) -> list[dict[str, object]]:
    """What stands in the database."""
    return [price_columns(price, currency="USD") for price in prices]


@settings(max_examples=150, deadline=None)
@given(any_terms.versions())
def test_what_is_exported_is_imported_without_a_difference(prices: list[PriceTerms]) -> None:
    before = stored(prices)
    for again in (read_csv(write_csv(before).encode()), read_json_file(write_json(before).encode())):
        read = [row.terms for row in again]
        check_prices(read, currency="USD", meters=METERS)
        assert [price.meter for price in read] == [price.meter for price in before]
        assert columns(read) == columns(before)
        assert diff_prices(before, stored(read)).is_empty


@settings(max_examples=150, deadline=None)
@given(any_terms.versions())
def test_no_exported_cell_is_a_formula(prices: list[PriceTerms]) -> None:
    for cells in csv.reader(io.StringIO(write_csv(stored(prices)), newline="")):
        assert not [cell for cell in cells if cell[:1] in "=+-@\t\r＝＋－＠" and cell]


def test_a_table_reads_as_a_finance_person_writes_it() -> None:
    text = (
        "meter;match.model;unit_price;unit_cost;tier.1.up_to;tier.1.unit_price;tier.2.unit_price;model;schedule.time_zone;"
        "schedule.windows\r\n"
        "tokens;gpt-5;1E-05;;;;;;;\r\n"
        ";;;;;;;;;\r\n"
        "calls; ;;;1000;0.02;0.01;graduated;Europe/Berlin;mon-fri 08:00-20:00; sat 10:00-14:00\r\n"
    ).replace("mon-fri 08:00-20:00; sat 10:00-14:00", '"mon-fri 08:00-20:00; sat 10:00-14:00"')
    first, second = read_csv(b"\xef\xbb\xbf" + text.encode())
    assert (first.number, first.terms) == (2, PriceTerms(meter="tokens", match={"model": "gpt-5"}, unit_price=D("0.00001")))
    assert (second.number, second.terms.match) == (4, {"model": " "})
    assert second.terms.tiers == (TierTerms(up_to=D(1000), unit_price=D("0.02")), TierTerms(unit_price=D("0.01")))
    assert second.terms.schedule == {
        "time_zone": "Europe/Berlin",
        "windows": [
            {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "20:00"},
            {"days": ["sat"], "from": "10:00", "to": "14:00"},
        ],
    }


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (["rows.1.meter"], ""),
        (["rows.1.meter"], "unit_price\n1\n"),
        (["rows.1.colour"], "meter,colour\ncalls,red\n"),
        (["rows.1.unit_price"], "meter,unit_price,unit_price\ncalls,1,2\n"),
        (["rows.3.unit_price"], "meter,unit_price\ncalls,1\ncalls,1.2.3\n"),
        (["rows.2.unit_price", "rows.2.unit_cost"], 'meter,unit_price,unit_cost\ncalls,"1,000",x\n'),
        (["rows.2.unit_price"], "meter,unit_price\ncalls,1E+999\n"),
        (["rows.2.unit_price"], "meter,unit_price\ncalls,NaN\n"),
        (["rows.2"], "meter,unit_price\ncalls,1,2\n"),
        (["rows.2.schedule.windows"], "meter,schedule.time_zone,schedule.windows\ncalls,UTC,always\n"),
        (["rows.2.tier.1.up_to"], "meter,model,tier.2.unit_price\ncalls,volume,1\n"),
        (["rows.2.percentage.free_events"], "meter,model,percentage.free_events\ncalls,percentage,1.5\n"),
        (["rows.2"], 'meter,unit_price\ncalls,"1\n'),
    ],
)
def test_every_cell_that_cannot_be_read_is_named_by_row_and_column(fields: list[str], text: str) -> None:
    with pytest.raises(PriceFileRefused) as refused:
        read_csv(text.encode())
    assert list(refused.value.fields) == fields


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (["file"], "{"),
        (["file"], '{"prices": [], "prices": []}'),
        (["file"], '{"prices": [{"meter": "calls", "unit_price": NaN}]}'),
        (["file"], '{"prices": [{"meter": "calls", "unit_price": 1e-999999999}]}'),
        (["prices"], '{"price": []}'),
        (["rows.1"], "[1]"),
        (["rows.2.unit_price"], '[{"meter": "calls"}, {"meter": "calls", "unit_price": true}]'),
        (["rows.1.colour"], '[{"meter": "calls", "colour": "red"}]'),
        (["rows.1.match.model"], '[{"meter": "calls", "match": {"model": []}}]'),
        (["rows.1.tier.1.price"], '[{"meter": "calls", "tiers": [{"price": 1}]}]'),
        (["rows.1.schedule.time_zone"], '[{"meter": "calls", "schedule": {"time_zone": "x", "windows": [{}]}}]'),
    ],
)
def test_every_part_of_a_document_that_cannot_be_read_is_named(fields: list[str], text: str) -> None:
    with pytest.raises(PriceFileRefused) as refused:
        read_json_file(text.encode())
    assert list(refused.value.fields) == fields


def test_a_file_that_is_not_text_is_refused() -> None:
    for read in (read_csv, read_json_file):
        with pytest.raises(PriceFileRefused):
            read(b"meter\n\xff\xfe\n")


def test_more_prices_than_a_version_has_are_refused() -> None:
    with pytest.raises(PriceFileRefused) as refused:
        read_csv(b"meter,unit_price\n" + b"calls,1\n" * 10_001)
    assert refused.value.fields == {"rows": "at most 10000"}


def test_what_is_not_acceptable_is_named_by_the_rows_of_the_file() -> None:
    text = "meter,match.model,model,unit_price,tier.1.up_to,tier.1.unit_price,tier.2.up_to\n"
    text += "calls,,,1,,,\n,,,,,,\ncalls,a,,-1,,,\ncalls,b,volume,,10,1,5\ncalls,,,2,,,\n"
    rows = read_csv(text.encode())
    with pytest.raises(PricesRefused) as refused:
        check_prices([row.terms for row in rows], currency="USD", meters=METERS)
    found = findings_by_row(refused.value, rows)
    assert list(found.fields) == ["rows.4.unit_price", "rows.5.tier.2.unit_price", "rows.5.tier.2.up_to", "rows.6.match"]
    assert "row 2" in found.fields["rows.6.match"]
