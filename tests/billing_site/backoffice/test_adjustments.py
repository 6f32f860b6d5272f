"""Adjusting a balance in the back office: figures before and after, the file, the approval, and what the record says later."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.factories.adjustments import may_alone, reason
from tests.factories.shop import Shop, browser_of, text_of
from wallets.accounts.models import User
from wallets.adjustments.models import Adjustment, Attachment
from wallets.approvals.models import Approval

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]
FORM = {"kind": "GOODWILL", "amount": "25", "reason": "outage", "note": "Ticket 7", "token": "t"}


@pytest.fixture
def url(shop: Shop, fiona: User) -> str:
    """The form's page for acme's wallet; Fiona may move 100 USD alone."""
    may_alone(fiona, "100")
    reason()
    return reverse("admin:wallets_adjustment_adjust", args=[shop.acme.wallet.pk])


def test_within_the_limit_it_is_posted_with_its_file(url: str, shop: Shop, finance: Client) -> None:
    assert url in finance.get(reverse("admin:wallets_wallet_change", args=[shop.acme.wallet.pk])).content.decode()
    letter = SimpleUploadedFile("letter.pdf", b"%PDF-1.7 <script>", content_type="text/html")
    review = finance.post(url, FORM | {"step": "review", "attachment": letter})
    assert "posted at once" in text_of(review)
    assert "letter.pdf" in text_of(review)
    kept = Attachment.objects.get()
    assert f'value="{kept.public_id}"' in review.content.decode()
    done = finance.post(url, FORM | {"step": "confirm", "attachment": kept.public_id})
    assert done.status_code == 302
    adjustment = Adjustment.objects.get()
    assert (adjustment.state, adjustment.amount, list(adjustment.attachments.all())) == ("POSTED", D(25), [kept])  # type: ignore[attr-defined]
    page = text_of(finance.get(reverse("admin:wallets_adjustment_change", args=[adjustment.pk])))
    for words in (": Ticket 7", "fiona@vendor.example", "within the limit of their role", "letter.pdf"):
        assert words in page, words
    file = finance.get(reverse("admin:wallets_adjustment_file", args=[adjustment.pk, kept.public_id]))
    assert file.content == b"%PDF-1.7 <script>"
    assert file["Content-Type"] == "application/octet-stream"
    assert file["Content-Disposition"] == 'attachment; filename="letter.pdf"'
    assert file["X-Content-Type-Options"] == "nosniff"


def test_above_the_limit_another_person_approves_it(url: str, shop: Shop, finance: Client, apollo: User, fiona: User) -> None:
    large = FORM | {"amount": "5000"}
    assert "after another person" in text_of(finance.post(url, large | {"step": "review"}))
    finance.post(url, large | {"step": "confirm"})
    adjustment, approval = Adjustment.objects.get(), Approval.objects.get()
    assert adjustment.state == "WAITING"
    approve = reverse("admin:wallets_approval_approve", args=[approval.pk])
    assert finance.post(approve, {"step": "confirm", "token": "u"}).status_code == 422
    approver = browser_of(apollo)
    page = text_of(approver.get(reverse("admin:wallets_approval_change", args=[approval.pk])))
    assert "5,000.00" in page
    assert approver.post(approve, {"step": "confirm", "token": "u"}).status_code == 302
    adjustment.refresh_from_db()
    shop.acme.wallet.refresh_from_db()
    assert adjustment.state == "POSTED"
    assert shop.acme.wallet.balance > D(5000)
    page = text_of(finance.get(reverse("admin:wallets_adjustment_change", args=[adjustment.pk])))
    assert "apollo@vendor.example approved" in page


def test_an_approval_that_cannot_be_carried_out_stays_waiting(url: str, shop: Shop, finance: Client, apollo: User) -> None:
    finance.post(url, FORM | {"kind": "DEBIT", "amount": "5000", "step": "confirm"})
    approval = Approval.objects.get()
    refused = browser_of(apollo).post(
        reverse("admin:wallets_approval_approve", args=[approval.pk]), {"step": "confirm", "token": "u"}
    )
    assert refused.status_code == 422
    assert "can be taken" in text_of(refused)
    approval.refresh_from_db()
    assert approval.state == "WAITING"


def test_declining_ends_it(url: str, finance: Client, apollo: User) -> None:
    finance.post(url, FORM | {"amount": "5000", "step": "confirm"})
    decline = reverse("admin:wallets_approval_decline", args=[Approval.objects.get().pk])
    assert browser_of(apollo).post(decline, {"step": "confirm", "token": "u", "reason": "No ticket"}).status_code == 302
    assert Adjustment.objects.get().state == "DECLINED"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amount": "0"}, "above zero"),
        ({"reason": "because"}, "valid choice"),
        ({"note": ""}, "required"),
        ({"kind": "DEBIT", "valid_through": "2027-01-01"}, "Only goodwill credit ends"),
        ({"attachment": "att_another"}, "choose it again"),
    ],
)
def test_the_form_says_what_is_wrong(url: str, finance: Client, change: dict[str, str], says: str) -> None:
    page = finance.post(url, FORM | {"step": "confirm"} | change)
    assert page.status_code == 422
    assert says in text_of(page)
    assert not Adjustment.objects.exists()


def test_a_page_with_a_script_is_no_attachment(url: str, finance: Client) -> None:
    page = SimpleUploadedFile("page.html", b"<script>alert(1)</script>", content_type="application/pdf")
    refused = finance.post(url, FORM | {"step": "review", "attachment": page})
    assert (refused.status_code, Attachment.objects.count()) == (422, 0)


def test_support_and_strangers_move_nothing(url: str, shop: Shop, support: Client, stranger: Client) -> None:
    assert support.post(url, FORM | {"step": "confirm"}).status_code == 403
    assert stranger.post(url, FORM | {"step": "confirm"}).status_code == 302  # to the sign-in page
    assert not Adjustment.objects.exists()
