"""Recharges by outcome, and the cash that came in for all top-ups."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

from tests.cast import Company
from tests.factories.payments import AT, topped_up
from tests.factories.recharge import recharging, set_rule
from tests.fakes.faulty_provider import FaultyProvider
from wallets.payments.models import PaymentMethod
from wallets.reports.recharges import read_recharges
from wallets.reports.report import Report


def report() -> Report:
    return read_recharges(start=AT - timedelta(days=1), end=AT + timedelta(days=1), currency="USD")


def test_what_went_through_is_told_from_what_did_not_and_the_cash_ties(
    acme: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    topped_up(acme.wallet, "50", at=AT)
    set_rule(acme.wallet, threshold=D(100), amount=D(25), monthly_cap=D(30))
    recharging(at=AT)
    said = report()
    assert [(row[0], row[2], row[4]) for row in said.rows if row[0] == "Credited"] == [("Credited", 1, D(25))]
    assert (said.total.value, said.totals[2]) == (100, sum(row[2] for row in said.rows))
    tie = said.ties[0]
    assert tie.journal == tie.report == 75
    assert tie.difference == 0
