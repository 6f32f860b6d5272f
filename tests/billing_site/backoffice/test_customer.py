"""Customer 360: found by whatever is at hand; what happened, where the balance comes from, where it went, notes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import InternalError, ProgrammingError, transaction
from django.test import Client
from django.urls import reverse

from billing_site.backoffice.lookup import matches
from billing_site.backoffice.roles import grant_roles
from metering.caps.set_cap import CapTerms, set_cap
from metering.usage.close_periods import close_periods
from tests.cast import PASSWORD
from tests.factories.adjustments import adjusted, may_alone
from tests.factories.events import send
from tests.factories.holds import hold_on
from tests.factories.money_in import paid_in
from tests.factories.plans import sold_to
from tests.factories.refunds import withdrawal_of
from tests.factories.reviews import reviewed
from tests.factories.shop import NOW, Shop, browser_of, text_of
from wallets.accounts.models import User
from wallets.accounts.note_models import AccountNote
from wallets.audit.models import AuditEvent
from wallets.credit.models import CreditLot
from wallets.payments.models import Receipt, TopUp
from wallets.statements.models import Statement

pytestmark = pytest.mark.django_db
FIND = reverse("admin:customer_find")


@pytest.fixture
def full(shop: Shop, fiona: User) -> Shop:
    """acme with one of everything."""
    sold_to(shop.acme, at=NOW)
    hold_on(shop.acme.wallet, "0.01", at=NOW)
    set_cap(account=shop.acme.account, terms=CapTerms("user", "day", D(5), currency="USD"), at=NOW)
    reviewed(shop.acme.wallet, at=NOW)
    paid_in(shop.acme, at=NOW)
    adjusted(shop.acme.wallet, "5", by=may_alone(fiona, "100"), at=NOW)
    adjusted(shop.acme.wallet, "5000", by=fiona, at=NOW)
    withdrawal_of(shop.acme, "1", at=NOW)
    close_periods(at=NOW + timedelta(days=15))
    return shop


def page(shop: Shop, tab: str = "") -> str:
    return reverse("admin:customer", args=[shop.acme.account.pk]) + (f"?tab={tab}" if tab else "")


def test_a_customer_is_found_by_whatever_is_at_hand(full: Shop, finance: Client, django_assert_max_num_queries: Any) -> None:
    top_up, lot = TopUp.objects.latest("id"), CreditLot.objects.filter(wallet=full.acme.wallet).latest("id")
    receipt, statement = Receipt.objects.latest("id"), Statement.objects.filter(wallet=full.acme.wallet).latest("id")
    terms = (
        "acme", "acm", "ACME", "billing@acme.example", "owner@acme.example", full.acme.wallet.public_id,
        full.acme.wallet.public_id[:14], lot.public_id, top_up.public_id, top_up.public_id[:16], str(top_up.payment_id),
        receipt.public_number, receipt.public_number.lower(), statement.public_number, statement.public_id, "4242", "•••• 4242",
        "req_2", full.acme.wallet.holds.get().public_id, "cme",
    )  # fmt: skip
    for term in terms:
        with django_assert_max_num_queries(9):
            assert {one.account_id for one in matches(term)} == {full.acme.account.pk}, term
        answer = finance.get(FIND, {"q": term})
        assert answer["Location"].startswith(page(full)), term
    assert matches("nobody at all") == matches("") == matches("lot_") == matches("a\x00b") == []
    found = text_of(finance.get(FIND, {"q": "nobody at all"}))
    assert "Nothing is called “nobody at all”" in found


def test_two_customers_are_both_shown(full: Shop, finance: Client) -> None:
    send(full.globex.wallet, ("req_2", {"input_tokens": 1}))
    html = finance.get(FIND, {"q": "req_2"}).content.decode()
    for company in (full.acme, full.globex):
        assert reverse("admin:customer", args=[company.account.pk]) in html


def test_the_timeline_mixes_everything_newest_first(full: Shop, finance: Client, django_assert_num_queries: Any) -> None:
    finance.get(page(full))
    with django_assert_num_queries(25):
        answer = finance.get(page(full))
    told = text_of(answer)
    for words in ("Top-up", "Credit", "Hold", "Statement", "Withdrawal", "Adjustment", "Review", "Plan", "Approvals 1"):
        assert words in told, words
    lines = answer.context["lines"]
    assert [line.at for line in lines] == sorted((line.at for line in lines), reverse=True)
    assert "globex" not in told.lower()


def test_the_timeline_goes_on_page_by_page(shop: Shop, finance: Client, fiona: User) -> None:
    AccountNote.objects.bulk_create(
        AccountNote(account=shop.acme.account, by=fiona, text=f"note {number}", at=NOW - timedelta(minutes=number))
        for number in range(70)
    )
    first = finance.get(page(shop), {"kind": "Notes"})
    second = finance.get(f"{page(shop)}?{first.context['older']}")
    told = [line.text for answer in (first, second) for line in answer.context["lines"]]
    assert told == [f"note {number} (fiona@vendor.example)" for number in range(70)]
    assert not second.context["older"]


def test_the_balance_is_explained_backwards_to_the_payment(full: Shop, finance: Client, django_assert_num_queries: Any) -> None:
    finance.get(page(full, "balance"))
    with django_assert_num_queries(12):
        answer = finance.get(page(full, "balance"))
    for source in answer.context["sources"]:
        wallet = source.wallet
        shown = sum((one.lot.remaining for one in source.lots if not one.lot.unit_meter and one.lot.state == "OPEN"), D(0))
        assert shown + source.rest - wallet.overdraft == wallet.balance
        assert source.rest == 0
    told = text_of(answer)
    for words in ("W-1", "MAIN-", "nobody paid for it", "25.00"):
        assert words in told, words


def test_payments_are_explained_forwards_to_what_they_went_to(
    full: Shop, finance: Client, django_assert_num_queries: Any
) -> None:
    send(full.acme.wallet, ("req_9", {"output_tokens": 250_000}), at=NOW)
    finance.get(page(full, "spent"))
    with django_assert_num_queries(15):
        answer = finance.get(page(full, "spent"))
    ((top_up, parts),) = answer.context["paid"]
    lot = top_up.lot
    assert sum(part.amount for part in parts) == lot.amount - lot.remaining > 0
    assert ("used", "llm.output_tokens") in {(part.what, part.of) for part in parts}
    told = text_of(answer)
    assert "req_9" in told
    assert reverse("admin:metering_usageevent_changelist") in answer.content.decode()


def test_notes_are_kept_as_written_and_recorded(shop: Shop, finance: Client, fiona: User) -> None:
    assert finance.post(page(shop, "notes"), {"text": "Call <b>Ann</b>\r\nfirst"}).status_code == 302
    assert finance.post(page(shop, "notes"), {"text": "  "}).status_code == 422
    note = AccountNote.objects.get()
    assert (note.by, note.text, note.at) == (fiona, "Call <b>Ann</b>\nfirst", NOW)
    html = finance.get(page(shop, "notes")).content.decode()
    assert "Call &lt;b&gt;Ann&lt;/b&gt;<br>first" in html
    assert AuditEvent.objects.get().action == "Write note"
    with pytest.raises((ProgrammingError, InternalError)), transaction.atomic():
        AccountNote.objects.update(text="Another")


def test_each_sees_what_their_role_may(full: Shop, support: Client, customer: Client) -> None:
    grant_roles()
    assert support.post(page(full, "notes"), {"text": "x"}).status_code == 403
    assert customer.get(page(full)).status_code == 302
    newcomer = browser_of(User.objects.create_user("new@vendor.example", PASSWORD, is_staff=True))
    assert newcomer.get(page(full)).status_code == newcomer.get(FIND, {"q": "acme"}).status_code == 403
    assert not AccountNote.objects.exists()
