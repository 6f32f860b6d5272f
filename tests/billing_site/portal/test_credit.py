"""The credit page: what is there and until when, where it came from, what it went to; vouchers."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Sum
from django.test import Client
from django.urls import reverse

from metering.usage.models import Charge
from pricing.credit_products.issue import VoucherTerms, issue_vouchers
from pricing.credit_products.models import VoucherAttempt
from pricing.plans.subscribe import subscribe
from tests.factories.balances import AT
from tests.factories.events import send
from tests.factories.plans import plan_of, use_units
from tests.factories.shop import NOW, Shop, browser_of, text_of
from wallets import clock
from wallets.accounts.models import Member, User
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.credit.expire import expire_lots
from wallets.credit.grant import grant_credit
from wallets.credit.transfer import transfer_credit
from wallets.ledger.lot_draws import draws_by_day, draws_in_all
from wallets.payments.manual import record_payment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

CREDIT = reverse("portal:credit", args=["acme"])


def shown(client: Client, **asked: str) -> Any:
    response = client.get(CREDIT, asked)
    assert response.status_code == 200
    return response.context["page"]


def lot_page(client: Client, reason: str, **asked: str) -> Any:
    lot = Wallet.objects.get(account__key="acme", is_default=True).lots.get(reason=reason)
    return client.get(reverse("portal:lot", args=[lot.public_id]), asked)


def test_it_says_what_is_there_from_where_and_for_what(shop: Shop, customer: Client) -> None:
    paid = record_payment(
        wallet=Wallet.objects.select_related("account").get(pk=shop.acme.wallet.pk), amount=D(5), means="wire",
        reference="1", at=AT, actor="fiona",
    )  # fmt: skip
    grant_credit(
        wallet_id=shop.acme.wallet.pk, amount=D(3), kind="trial", at=AT, expires_at=NOW + timedelta(days=3, hours=1),
        reason="Trial", meters=["llm.input_tokens"], priority=1, source="sign-up",
    )  # fmt: skip
    subscribe(account=shop.acme.account, plan=plan_of("pro", calls="1000", at=NOW, fee="0"), at=NOW)
    page = shown(customer)
    by_reason = {one.lot.reason: one for one in page.lots}
    assert by_reason["Trial"].origin.words == "Welcome credit"
    assert [one for one in by_reason.values() if one.origin.address == reverse("portal:receipt", args=[paid.public_id])]
    assert by_reason["Wire transfer"].used_for == ["llm.input_tokens", "llm.output_tokens"]
    assert any(one.origin.words == "Plan Pro" and one.lot.unit_meter for one in page.lots)
    assert (page.total, page.soon.amount, page.soon.lots) == (D("17.90"), D(3), 1)
    text = text_of(customer.get(CREDIT))
    assert "Trial Trial, only for llm.input_tokens expires in 3 days" in text
    assert "Ends within two weeks 3.00 USD the first of it in 3 days" in text


def test_a_lot_went_to_what_was_charged_to_it_in_all_and_by_day(shop: Shop, customer: Client) -> None:
    send(shop.acme.wallet, ("next_day", {"input_tokens": 1000}), at=AT + timedelta(days=1))
    with clock.set_to(NOW + timedelta(days=1)):
        page = lot_page(customer, "Wire transfer").context["page"]
        welcome = lot_page(customer, "Welcome credit").context["page"]
    charged = Charge.objects.filter(wallet=shop.acme.wallet).aggregate(total=Sum("amount"))["total"]
    assert page.gone + welcome.gone == charged
    assert sum(one.amount for one in page.days) == page.gone == sum(one.amount for one in page.parts)
    assert page.shown.lot.amount - page.shown.lot.remaining == page.gone
    assert [one.day for one in page.days] == [date(2026, 11, 24), date(2026, 11, 23), date(2026, 11, 23)]
    with clock.set_to(NOW + timedelta(days=1)):
        events = customer.get(page.days[0].address).context["page"].events
    assert [event.event_id for event in events] == ["next_day"]


def test_days_are_the_viewers(shop: Shop, customer: Client) -> None:
    User.objects.filter(pk=shop.acme.owner.pk).update(time_zone="Pacific/Auckland")
    with clock.set_to(AT + timedelta(hours=4)):
        send(shop.acme.wallet, ("late", {"input_tokens": 1000}), at=AT + timedelta(hours=3))
        assert {one.day for one in lot_page(customer, "Wire transfer").context["page"].days} == {
            date(2026, 11, 24),
            date(2026, 11, 23),
        }


def test_a_lot_drawn_very_often_is_read_in_parts_that_lose_nothing(shop: Shop) -> None:
    for number in range(6):
        send(shop.acme.wallet, (f"e{number}", {"input_tokens": 1000, "output_tokens": 10}))
    lot = shop.acme.wallet.lots.get(reason="Wire transfer")
    whole, end = draws_by_day(bucket=lot.bucket, lot_id=lot.pk, zone=ZoneInfo("UTC"))
    assert end is None
    parts: list[Any] = []
    older: int | None = 2**63 - 1
    pages = 0
    while older is not None:
        page, older = draws_by_day(bucket=lot.bucket, lot_id=lot.pk, zone=ZoneInfo("UTC"), before=older, most=5)
        parts += page
        pages += 1
    assert pages > 2
    assert sum(one.amount for one in parts) == sum(one.amount for one in whole)
    assert [draws_in_all(bucket=lot.bucket, lot_id=lot.pk, most=most)[1] for most in (5, 500)] == [False, True]


def test_what_is_used_up_or_ended_stands_behind_a_filter_with_what_was_lost(shop: Shop, customer: Client) -> None:
    grant_credit(wallet_id=shop.acme.wallet.pk, amount=D(2), kind="promotional", at=AT, expires_at=NOW, reason="Short")
    expire_lots(at=NOW)
    assert {one.lot.reason for one in shown(customer).lots} == {"Wire transfer"}
    finished = {one.lot.reason: one for one in shown(customer, show="finished").lots}
    assert {reason: (str(one.state), one.lost) for reason, one in finished.items()} == {
        "Short": ("expired", D(2)),
        "Welcome credit": ("used up", D(0)),
    }
    assert "Ended unused 2.00" in text_of(lot_page(customer, "Short"))


def test_credit_that_moved_says_from_where_to_where(shop: Shop, customer: Client) -> None:
    other = open_wallet(account=shop.acme.account, currency="USD", at=AT, name="Research", is_default=False)
    transfer_credit(from_wallet_id=shop.acme.wallet.pk, to_wallet_id=other.pk, amount=D(4), at=NOW)
    assert "Moved to another wallet 4.00" in text_of(lot_page(customer, "Wire transfer"))
    (moved,) = shown(customer, wallet=other.public_id).lots
    assert moved.origin.words == "Another wallet of yours"
    response = customer.get(reverse("portal:lot", args=[moved.lot.public_id]))
    assert (response.context["page"].gone, response.context["page"].parts) == (D(0), [])
    assert customer.get(moved.origin.address).status_code == 200


def test_an_allowance_is_told_in_units(shop: Shop, customer: Client) -> None:
    subscribe(account=shop.acme.account, plan=plan_of("pro", calls="1000", at=NOW, fee="0"), at=NOW)
    use_units(shop.acme.wallet, "250", at=NOW)
    (units,) = [one for one in shown(customer).lots if one.lot.unit_meter]
    assert (units.lot.remaining, units.used_for, units.scope) == (D(750), ["calls"], ["calls"])
    page = customer.get(reverse("portal:lot", args=[units.lot.public_id])).context["page"]
    assert [(one.what, one.amount) for one in page.parts] == [("calls", D(250))]


def test_very_many_lots_come_in_pages_and_take_no_more_queries(
    shop: Shop, customer: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        grant_credit(wallet_id=shop.acme.wallet.pk, amount=D(1), kind="paid", at=AT, reason=f"Number {number}")
    with django_assert_max_num_queries(17):
        first = shown(customer)
    second = shown(customer, page="2")
    assert (len(first.lots), len(second.lots), second.older) == (50, 11, False)
    assert not {one.lot.pk for one in first.lots} & {one.lot.pk for one in second.lots}
    with django_assert_max_num_queries(15):
        lot_page(customer, "Wire transfer")


def test_a_voucher_is_redeemed_once_and_the_attempts_stay(shop: Shop, customer: Client) -> None:
    code = issue_vouchers(terms=VoucherTerms(name="Spring", currency="USD", amount=D(25)), at=NOW).codes[0]
    before = Wallet.objects.get(pk=shop.acme.wallet.pk).balance
    answers = {"code": code.lower(), "wallet": shop.acme.wallet.public_id}
    done = customer.post(CREDIT, answers)
    assert done.status_code == 302
    page = text_of(customer.get(done["Location"]))
    assert "25.00 USD of credit is yours" in page
    assert "Voucher Spring" in page
    again = customer.post(CREDIT, answers)
    assert (again.status_code, "has redeemed as many" in text_of(again)) == (422, True)
    assert Wallet.objects.get(pk=shop.acme.wallet.pk).balance == before + 25
    outcomes = VoucherAttempt.objects.order_by("id").values_list("outcome", "actor")
    assert list(outcomes) == [("redeemed", "owner@acme.example"), ("voucher_limit_reached", "owner@acme.example")]


def test_who_may_not_pay_redeems_nothing(shop: Shop, stranger: Client) -> None:
    answers = {"code": "GUESSED", "wallet": shop.acme.wallet.public_id}
    assert stranger.post(CREDIT, answers).status_code == 404
    assert stranger.post(reverse("portal:credit", args=["globex"]), answers).status_code == 404
    lot = shop.acme.wallet.lots.first()
    assert lot is not None
    assert "is yours" not in text_of(stranger.get(reverse("portal:credit", args=["globex"]), {"redeemed": lot.public_id}))
    viewer = User.objects.create_user("viewer@acme.example")
    Member.objects.create(account=shop.acme.account, user=viewer, role=Member.Role.VIEWER, created_at=AT)
    assert browser_of(viewer).post(CREDIT, answers).status_code == 403
    assert "Redeem a voucher" not in text_of(browser_of(viewer).get(CREDIT))
    assert not VoucherAttempt.objects.exists()
