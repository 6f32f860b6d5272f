"""Wires in the back office: expected, taken in after a dry run, and what is left matched or ignored by hand."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.factories.adjustments import may_alone
from tests.factories.bank_lines import bank_line
from tests.factories.shop import NOW, Shop, text_of
from wallets.accounts.models import User
from wallets.payments.bank_models import BankLine
from wallets.payments.models import TopUp
from wallets.payments.wire import reference_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]
IMPORT = reverse("admin:wallets_bankline_import")
HEAD = "date,amount,currency,bank_id,payer,text\n"


def test_a_wire_is_expected_and_taken_in_after_a_dry_run(shop: Shop, finance: Client, fiona: User) -> None:
    may_alone(fiona, "100")
    expect = reverse("admin:wallets_bankline_expect", args=[shop.acme.wallet.pk])
    assert expect in finance.get(reverse("admin:wallets_wallet_change", args=[shop.acme.wallet.pk])).content.decode()
    assert finance.post(expect, {"step": "confirm", "token": "t", "amount": "50"}).status_code == 302
    top_up = TopUp.objects.get()
    lines = f"{HEAD}2026-11-23,50.00,USD,b_1,Acme GmbH,{reference_of(top_up)}\n2026-11-23,9,USD,b_2,Initech,hello"
    file = SimpleUploadedFile("november.csv", lines.encode(), content_type="text/csv")
    review = finance.post(IMPORT, {"step": "review", "token": "u", "file": file})
    for words in ("2 new", f"{reference_of(top_up)}: credited", "unmatched: There is no reference of ours in the text."):
        assert words in text_of(review), words
    assert not BankLine.objects.exists()
    done = finance.post(IMPORT, {"step": "confirm", "token": "u", "lines": lines}, follow=True)
    assert "2 taken in: 1 credited, 0 wait for approval, 1 unmatched." in text_of(done)
    assert "Initech" in text_of(done)
    assert "Acme GmbH" not in text_of(done)
    assert "Bank lines 1" in text_of(done)


def test_what_is_wrong_with_the_lines_is_said(shop: Shop, finance: Client) -> None:
    refused = finance.post(IMPORT, {"step": "review", "token": "u", "lines": HEAD + "soon,9,USD,b_2,Initech,hello"})
    assert refused.status_code == 422
    assert "Line 2: the date must be like 2026-11-23." in text_of(refused)


def test_by_hand_a_line_is_matched_or_ignored_with_a_reason(shop: Shop, finance: Client, fiona: User) -> None:
    may_alone(fiona, "100")
    line = bank_line(by=fiona, at=NOW)
    match, ignore = (reverse(f"admin:wallets_bankline_{verb}", args=[line.pk]) for verb in ("match", "ignore"))
    answers = {"step": "confirm", "token": "t", "reason": "Their mail of today"}
    assert finance.post(match, answers | {"top_up": "top_unknown"}).status_code == 422
    assert finance.post(ignore, answers | {"token": "u"}).status_code == 302
    page = text_of(finance.get(reverse("admin:wallets_bankline_change", args=[line.pk])))
    assert "Ignored: Their mail of today" in page
    assert finance.post(ignore, answers | {"token": "v"}).status_code == 422


def test_support_and_strangers_take_nothing_in(shop: Shop, support: Client, stranger: Client, fiona: User) -> None:
    line = bank_line(by=fiona, at=NOW)
    urls = [
        IMPORT,
        reverse("admin:wallets_bankline_expect", args=[shop.acme.wallet.pk]),
        reverse("admin:wallets_bankline_match", args=[line.pk]),
        reverse("admin:wallets_bankline_ignore", args=[line.pk]),
    ]
    for url in urls:
        assert support.post(url, {"step": "confirm"}).status_code == 403
        assert stranger.post(url, {"step": "confirm"}).status_code == 302  # to the sign-in page
    assert support.get(reverse("admin:wallets_bankline_changelist")).status_code == 200
