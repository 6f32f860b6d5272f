"""Billing details: checked by country, copied when documents are issued."""

from __future__ import annotations

import pytest

from tests.cast import OPENED_AT, Company
from wallets.accounts.billing_details import BillingChanges, change_billing_details, shown_details
from wallets.accounts.change import AccountChanges, change_account
from wallets.accounts.models import Account
from wallets.accounts.parties import buyer_text
from wallets.accounts.tax_ids import EUROPEAN, KINDS, read_tax_id, tax_id_expected
from wallets.errors import InvalidInput

FULL = BillingChanges(
    legal_name="Acme GmbH", address=" Am Kai 1 \r\n\r\n20457 Hamburg", country="de", tax_id="de 136 695 976", po_number="PO-77",
    invoice_emails=["books@acme.example", "books@acme.example"],
)  # fmt: skip


def test_every_country_takes_its_example_and_refuses_it_with_a_digit_changed() -> None:
    assert KINDS.keys() >= EUROPEAN
    refused = 0
    for country, kind in KINDS.items():
        read = read_tax_id(tax_id=kind.example, country=country)
        assert read, country
        assert read_tax_id(tax_id=read, country=country) == read, "as it is stored it is read again"
        place = max(number for number, letter in enumerate(kind.example) if letter.isdigit())
        other = kind.example[:place] + str((int(kind.example[place]) + 1) % 10) + kind.example[place + 1 :]
        refused += read_tax_id(tax_id=other, country=country) is None
        assert kind.example in tax_id_expected(country)
    assert refused >= len(KINDS) - 4, "check digits are checked; a few countries have none, or not in the last place"


def test_documents_say_it_from_then_on(acme: Company) -> None:
    assert buyer_text(acme.account).splitlines()[0] == acme.account.name
    change_billing_details(account=acme.account, changes=FULL, at=OPENED_AT)
    account = Account.objects.get(pk=acme.account.pk)
    assert buyer_text(account).splitlines() == [
        "Acme GmbH", "Am Kai 1", "20457 Hamburg", "DE", *filter(None, [account.email]),
        "Tax id: DE136695976", "PO number: PO-77",
    ]  # fmt: skip
    change_billing_details(account=account, changes=BillingChanges(po_number=""), at=OPENED_AT)
    assert shown_details(account) == {
        "legal_name": "Acme GmbH", "address": "Am Kai 1\n20457 Hamburg", "country": "DE", "tax_id": "DE136695976",
        "po_number": "", "invoice_emails": ["books@acme.example"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        (
            BillingChanges(tax_id="DE136695977"),
            "tax_id",
            "tax id of DE (USt-IdNr.) with its check digits, such as DE136695976",
        ),
        (BillingChanges(country="FR"), "tax_id", "a tax id of FR"),
        (BillingChanges(country=""), "country", "checked by its country"),
        (BillingChanges(country="D1"), "country", "two capital letters"),
        (BillingChanges(country="US", tax_id="x" * 41), "tax_id", "EIN"),
        (BillingChanges(country="KE", tax_id="<b>"), "tax_id", "letters, digits"),
        (BillingChanges(address="\n".join("1234567")), "address", "at most 6 lines"),
        (BillingChanges(address="a\x00b"), "address", "lines of text"),
        (BillingChanges(invoice_emails=["nobody"]), "invoice_emails", "e-mail addresses"),
        (BillingChanges(legal_name="x" * 201), "legal_name", "at most 200"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(acme: Company, changes: BillingChanges, field: str, expected: str) -> None:
    change_billing_details(account=acme.account, changes=FULL, at=OPENED_AT)
    before = shown_details(acme.account)
    with pytest.raises(InvalidInput) as refused:
        change_billing_details(account=acme.account, changes=changes, at=OPENED_AT)
    assert expected in refused.value.fields[field]
    assert shown_details(Account.objects.get(pk=acme.account.pk)) == before


def test_an_account_does_not_move_away_from_its_tax_id(acme: Company) -> None:
    change_billing_details(account=acme.account, changes=FULL, at=OPENED_AT)
    with pytest.raises(InvalidInput) as refused:
        change_account(account=acme.account, changes=AccountChanges(country="FR"))
    assert "DE136695976" in refused.value.fields["country"]
    assert change_account(account=acme.account, changes=AccountChanges(name="Acme")).country == "DE"
