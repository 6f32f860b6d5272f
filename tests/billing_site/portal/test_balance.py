"""The customer's first page."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing_site.portal.balance import compared, runway
from metering.usage.queries import DaySpend
from notifications.alerts.models import Delivery
from notifications.alerts.raise_alert import raise_alert
from notifications.alerts.recipients import RecipientTerms, add_recipient
from tests.cast import PASSWORD
from tests.factories.balances import AT, wallet_of
from tests.factories.events import event_pk, send
from tests.factories.shop import NOW, Shop, browser_of, text_of
from wallets import clock
from wallets.accounts.models import Account, Member, User
from wallets.api_keys.models import ApiKey
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.credit.grant import grant_credit
from wallets.payments.manual import record_payment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

HOME = "portal:balance"


def test_it_says_what_is_available_of_what_and_what_used_it(customer: Client) -> None:
    page = text_of(customer.get(reverse(HOME)))
    assert "Available as of 23 Nov 2026, 12:00 9.90 USD" in page
    assert "Paid 9.90 USD" in page
    assert "Used in November 0.15 USD 0.15 USD of it today Nothing by this day of October" in page
    assert "llm.input_tokens 12,000 units 0.12 80 %" in page
    assert "llm.request · gpt-5 8,000 llm.input_tokens req_2 0.08" in page
    assert "taken back" in page


def test_each_charge_opens_its_explanation(customer: Client) -> None:
    html = customer.get(reverse(HOME)).content.decode()
    address = reverse("portal:charge", args=[event_pk("req_1")])
    assert f'href="{address}"' in html
    page = text_of(customer.get(address))
    assert "4,000 units × 10.00 USD per million = 0.04 USD" in page
    assert "0.01 USD from Welcome credit, promotional credit, expires 3 Dec 2026" in page
    assert "0.03 USD" in page
    assert "Total 0.07 USD" in page


def test_a_customer_never_sees_what_it_costs_us(shop: Shop, customer: Client) -> None:
    html = customer.get(reverse("portal:charge", args=[event_pk("req_1")])).content.decode().lower()
    assert "margin" not in html
    assert "cost to us" not in html
    assert "/admin/" not in html


def test_the_page_takes_as_many_queries_whatever_it_holds(shop: Shop, customer: Client, django_assert_num_queries: Any) -> None:
    raise_alert(topic="lot_expiring", key="1", account_id=shop.acme.account.pk, wallet_id=None, facts={}, at=NOW)
    for number in range(5):
        grant_credit(wallet_id=shop.acme.wallet.pk, amount=Decimal(1), kind="promotional", at=AT, priority=number)
    send(shop.acme.wallet, *[(f"more_{number}", {"input_tokens": number}) for number in range(40)])
    with django_assert_num_queries(19):
        customer.get(reverse(HOME))


def test_an_account_with_nothing_says_what_happens_next(stranger: Client) -> None:
    page = text_of(stranger.get(reverse(HOME)))
    assert "0.00 USD" in page
    assert "No credit. Calls are refused until there is." in page
    assert "Not known yet It starts with your first credit." in page
    assert "This is where your usage shows." in page
    assert "Latest charges" not in page


def test_an_account_that_used_up_its_credit_long_ago_says_what_happens_next(shop: Shop, customer: Client) -> None:
    with clock.set_to(NOW + timedelta(days=60)):
        page = text_of(customer.get(reverse(HOME)))
    assert "Nothing was used in the last 30 days." in page
    assert "No charges in the last 30 days." in page


def test_someone_in_no_account_is_told_whom_to_ask() -> None:
    person = User.objects.create_user("nobody@example.com", PASSWORD)
    page = text_of(browser_of(person).get(reverse(HOME)))
    assert "You are not a member of any account yet." in page
    assert "nobody@example.com" in page


def test_an_account_without_a_wallet_says_so(shop: Shop) -> None:
    account = Account.objects.create(bucket=0, key="empty", name="Empty", created_at=AT)
    person = User.objects.create_user("owner@empty.example", PASSWORD)
    Member.objects.create(account=account, user=person, created_at=AT)
    assert "Empty has no wallet yet." in text_of(browser_of(person).get(reverse(HOME)))


def test_one_chooses_among_accounts_and_wallets(shop: Shop, customer: Client) -> None:
    Member.objects.create(account=shop.globex.account, user=shop.acme.owner, created_at=AT)
    europe = open_wallet(account=shop.acme.account, currency="EUR", at=AT, name="Europe")
    grant_credit(wallet_id=europe.pk, amount=Decimal(7), kind="paid", at=AT)
    html = customer.get(reverse(HOME)).content.decode()
    assert "?account=globex" in html
    assert f"?account=acme&amp;wallet={europe.public_id}" in html
    assert "7.00 EUR" in text_of(customer.get(reverse(HOME), {"account": "acme", "wallet": europe.public_id}))
    assert "No credit." in text_of(customer.get(reverse(HOME), {"account": "globex"}))


def test_an_overdraft_is_told_first(shop: Shop, customer: Client) -> None:
    send(shop.acme.wallet, ("big", {"input_tokens": 2_000_000}))
    page = text_of(customer.get(reverse(HOME)))
    assert "You have used more than your credit. 10.10 USD is owed" in page
    assert "−10.10 USD" in page
    assert "Used up" in page


@pytest.mark.parametrize(("what", "said"), [("suspended", "This account is suspended"), ("frozen", "This wallet is frozen")])
def test_a_stop_is_told_first(what: str, said: str, shop: Shop, customer: Client) -> None:
    if what == "suspended":
        Account.objects.filter(pk=shop.acme.account.pk).update(status=Account.Status.SUSPENDED)
    else:
        Wallet.objects.filter(pk=shop.acme.wallet.pk).update(status=Wallet.Status.FROZEN)
    page = text_of(customer.get(reverse(HOME)))
    assert said in page
    assert "Your credit is safe." in page


def test_times_are_in_the_viewers_zone(shop: Shop, customer: Client) -> None:
    User.objects.filter(pk=shop.acme.owner.pk).update(time_zone="America/New_York")
    page = text_of(customer.get(reverse(HOME)))
    assert "as of 23 Nov 2026, 07:00" in page
    assert "Times in America/New_York." in page


def test_a_zone_nobody_knows_falls_back_to_utc(shop: Shop, customer: Client) -> None:
    User.objects.filter(pk=shop.acme.owner.pk).update(time_zone="Mars/Olympus")
    assert "Times in UTC." in text_of(customer.get(reverse(HOME)))


def test_a_page_in_yen_and_with_a_long_name(shop: Shop) -> None:
    wallet = wallet_of("yen", credit="1234567", currency="JPY")
    Account.objects.filter(pk=wallet.account_id).update(name="Quarterly Reconciliation " * 4)
    person = User.objects.create_user("owner@yen.example", PASSWORD)
    Member.objects.create(account=wallet.account, user=person, created_at=AT)
    assert "1,234,567 JPY" in text_of(browser_of(person).get(reverse(HOME)))


def test_a_page_is_not_kept_by_shared_caches(customer: Client) -> None:
    response = customer.get(reverse(HOME))
    assert response["Cache-Control"] == "private, no-store"


def test_the_policy_allows_nothing_inline_and_no_other_host(customer: Client) -> None:
    for address in (reverse(HOME), reverse("portal:charge", args=[event_pk("req_1")])):
        response = customer.get(address)
        policy = response["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "http" not in policy
        html = response.content.decode()
        assert " style=" not in html
        assert "<style" not in html
        assert "<script" not in html
        assert "://" not in html.replace("http://www.w3.org", "")


class TestOverTime:
    """The balance as a line, and as a table."""

    def test_line_table_and_marks_say_the_same(self, shop: Shop, customer: Client) -> None:
        wallet = Wallet.objects.select_related("account").get(pk=shop.acme.wallet.pk)
        paid_at = NOW - timedelta(minutes=30)
        record_payment(wallet=wallet, amount=Decimal(5), means="wire", reference="1", at=paid_at, actor="fiona")
        send(wallet, ("after", {"input_tokens": 1000}), at=NOW - timedelta(minutes=10))
        # The wallet is 23 days old, and the hour has just begun.
        for span, rows in (("day", 23), ("week", 7), ("month", 23), ("", 23)):
            page = customer.get(reverse(HOME), {"span": span}).context["page"]
            over = page.over_time
            assert len(over.rows) == rows, span
            assert over.rows[0].balance == page.wallet.available == Decimal("14.89")
            assert sum(row.came_in for row in over.rows) == Decimal("15.05")
            assert sum(row.came_in + row.other for row in over.rows) == over.rows[0].balance
            marks = ["Credit 0.05 USD", "Top-up 10.00 USD", "Top-up 5.00 USD"]
            assert sorted(mark.text for mark in over.wide.marks) == marks
        html = customer.get(reverse(HOME)).content.decode()
        assert "<title>Top-up 5.00 USD</title>" in html
        assert "Balance over the last month, USD" in html

    def test_a_day_is_one_of_the_viewers_zone(self, shop: Shop, customer: Client) -> None:
        User.objects.filter(pk=shop.acme.owner.pk).update(time_zone="Pacific/Auckland")
        rows = customer.get(reverse(HOME)).context["page"].over_time.rows
        assert [rows[0].label, rows[1].label, rows[-1].label] == ["Tue 24 Nov", "Mon 23 Nov", "Sun 1 Nov"]


def test_lately_tells_what_happened_and_who_was_told(shop: Shop, customer: Client) -> None:
    add_recipient(account=shop.acme.account, terms=RecipientTerms("dana@acme.example"), at=AT)
    alert = raise_alert(
        topic="lot_expired", key="1", account_id=shop.acme.account.pk, wallet_id=shop.acme.wallet.pk,
        facts={"amount": "3", "currency": "USD"}, at=NOW - timedelta(minutes=5),
    )  # fmt: skip
    assert alert is not None
    Delivery.objects.filter(alert=alert).update(state="SENT", sent_at=NOW, next_at=None)
    html = customer.get(reverse(HOME)).content.decode()
    assert "5 min ago</time> · mail to 1 person" in html
    assert f'<a href="{reverse("portal:credit", args=["acme"])}">' in html


def test_an_account_is_told_the_next_thing_it_can_do(shop: Shop, customer: Client) -> None:
    viewer = User.objects.create_user("viewer@acme.example", PASSWORD)
    Member.objects.create(account=shop.acme.account, user=viewer, role="VIEWER", created_at=AT)
    ApiKey.objects.update(revoked_at=NOW)
    assert "Make an API key: with it your service sends usage" in text_of(customer.get(reverse(HOME)))
    assert "Make an API key" not in text_of(browser_of(viewer).get(reverse(HOME)))


class TestRunway:
    """How long it lasts at this pace."""

    @staticmethod
    def days(*amounts: str) -> list[DaySpend]:
        return [DaySpend(date(2026, 11, 1), Decimal(amount), 1) for amount in amounts]

    def test_it_is_the_day_on_which_the_balance_ends(self) -> None:
        found = runway(Decimal(30), self.days("10", "8", "12"), at=datetime(2026, 11, 23, tzinfo=UTC))
        assert found is not None
        assert (found.words, found.per_day, found.days) == ("Thu 26 Nov", Decimal(10), 3)

    def test_without_usage_or_credit_there_is_none(self) -> None:
        at = datetime(2026, 11, 23, tzinfo=UTC)
        assert runway(Decimal(30), self.days("0", "0"), at=at) is None
        assert runway(Decimal(0), self.days("1"), at=at) is None
        assert runway(Decimal(-1), self.days("1"), at=at) is None

    def test_a_month_is_compared_with_the_same_days_of_the_one_before(self) -> None:
        found = compared(self.days("6", "6"), self.days("5", "5", "90"), month_before="October")
        assert (found.amount, found.before, found.share) == (Decimal(12), Decimal(10), Decimal("0.2"))
        assert compared(self.days("6"), self.days("0"), month_before="October").more is None

    def test_years_are_not_promised_to_the_day(self) -> None:
        found = runway(Decimal(10**15), self.days("0.000000000001"), at=datetime(2026, 11, 23, tzinfo=UTC))
        assert found is not None
        assert found.words == "over two years"


def test_the_page_stands_at_the_turn_of_a_year(shop: Shop, customer: Client) -> None:
    for moment in (
        datetime(2027, 1, 1, tzinfo=UTC),
        datetime(2027, 3, 31, 23, 59, tzinfo=UTC),
        datetime(2028, 2, 29, tzinfo=UTC),
    ):
        with clock.set_to(moment):
            assert customer.get(reverse(HOME)).status_code == 200
