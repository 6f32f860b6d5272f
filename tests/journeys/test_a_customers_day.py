"""The whole of the portal in one go, in Chromium: somebody who was invited joins and signs in with an authenticator app,
reads why the balance fell, tops up and has it recharged, caps and rotates a key, adds a webhook and has it sent again,
takes statement and usage along, asks for a withdrawal and thinks better of it, and leaves."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import Page, expect

from metering.usage.close_periods import close_periods
from notifications.alerts.models import Delivery
from tests.billing_site.sign_in.test_browser import comes_back_with_a_code, joins, turns_on_an_app
from tests.cast import OPENED_AT, Company
from tests.factories.browsers import code_of
from tests.factories.chromium import Browser, chromium_at
from tests.factories.events import send
from tests.factories.prices import llm_prices
from tests.factories.proofs import assert_everything_is_proved
from tests.journeys.test_top_up import save_card, saved
from tests.stripe_sandbox import stripe_sandbox
from tests.threads import elsewhere
from wallets.accounts.invite_member import invitation_link, invite_member
from wallets.accounts.models import Member
from wallets.api_keys.issue import issue_api_key
from wallets.clock import now
from wallets.credit.grant import grant_credit
from wallets.payments.offer_models import RefundPolicy
from wallets.refunds.models import Withdrawal

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]

NEW: Final = "new@acme.example"
PASSWORD: Final = "a quite good one"


def is_delivered() -> None:
    Delivery.objects.filter(channel="webhook").update(state="SENT", next_at=None, sent_at=now())


def reads_why_the_balance_fell(page: Page, site: str) -> None:
    page.goto(f"{site}/usage/acme")
    page.get_by_role("link", name="output", exact=False).first.click()
    page.locator("table.feed a").first.click()
    expect(page.locator("main")).to_contain_text("0.03")
    expect(page.locator("main")).to_contain_text("300")


def tops_up_and_has_it_recharged(page: Page, site: str) -> None:
    save_card(page, site, "4242424242424242")
    saved(page, "4242")
    page.goto(f"{site}/top-up/acme?amount=50")
    page.get_by_role("checkbox", name="Unused credit").check()
    page.get_by_role("button", name="Pay 50.00 USD").click()
    page.get_by_text("Your balance is").wait_for()
    page.goto(f"{site}/auto-recharge/acme")
    page.get_by_label("Balance, USD").fill("10")
    page.get_by_label("Amount, USD").fill("25")
    page.get_by_label("Most a month, USD").fill("100")
    page.get_by_role("button", name=re.compile("^(Turn on|Save)$")).first.click()
    expect(page.locator("h1 .chip")).to_have_text("on")


def caps_and_rotates_a_key(page: Page, site: str, prefix: str) -> None:
    page.goto(f"{site}/caps/acme")
    page.get_by_label("Who").select_option("api_key")
    page.get_by_label("Which one").fill(prefix)
    page.get_by_label("Limit", exact=True).fill("5")
    page.get_by_role("button", name="Set cap").click()
    expect(page.locator("main")).to_contain_text(prefix)
    page.goto(f"{site}/developers/acme")
    page.get_by_role("button", name="Rotate backend").click()
    expect(page.locator("main")).to_contain_text(re.compile(r"key_\w+_\w+"))


def adds_a_webhook_and_has_it_sent_again(page: Page, site: str) -> None:
    page.goto(f"{site}/webhook-endpoints/acme")
    page.get_by_label("Address").fill("https://hooks.acme.example/billing")
    page.get_by_role("button", name="Add endpoint").click()
    page.get_by_role("button", name="Send a test").click()
    elsewhere(is_delivered)
    page.reload()
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    page.get_by_role("button", name="Send again", exact=True).first.click()
    page.wait_for_load_state()
    expect(page.locator("ul.log li").first).not_to_contain_text("delivered")


def takes_it_along(page: Page, site: str) -> None:
    page.goto(f"{site}/statements/acme")
    with page.expect_download() as pdf:
        page.get_by_role("link", name="PDF").first.click()
    assert Path(pdf.value.path()).read_bytes().startswith(b"%PDF-")
    page.goto(f"{site}/usage/acme")
    with page.expect_download() as table:
        page.get_by_role("link", name="Every charge as CSV").click()
    assert "req_1" in Path(table.value.path()).read_text()


def asks_for_money_back_and_thinks_better_of_it(page: Page, site: str, secret: str) -> None:
    page.goto(f"{site}/withdraw/acme")
    page.get_by_label("Amount in USD").fill("20")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Code of your second factor").fill(code_of(secret, later=1))
    page.get_by_role("button", name="Ask for withdrawal").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("main")).to_contain_text(re.compile("cancelled", re.IGNORECASE))


def leaves(page: Page, site: str) -> None:
    page.goto(f"{site}/team/acme")
    page.locator("tr", has_text=NEW).get_by_role("button", name="Leave").click()
    page.wait_for_url(lambda url: "/team/" not in url)
    assert page.goto(f"{site}/usage/acme").status == 404  # type: ignore[union-attr]  # of a navigation


def a_day_of_business(acme: Company, at: datetime) -> str:
    """Prices, credit, usage; returns how the key that is used begins."""
    llm_prices(input_tokens="0.00001", output_tokens="0.0001")
    grant_credit(wallet_id=acme.wallet.pk, amount=D(10), kind="promotional", at=at - timedelta(hours=3), reason="Welcome")
    send(acme.wallet, ("req_1", {"input_tokens": 4000, "output_tokens": 300}), at=at - timedelta(hours=2))
    RefundPolicy.objects.create(version=1, sentence="Unused credit comes back within 30 days.", effective_at=OPENED_AT)
    key = issue_api_key(name="backend", scopes=["events:write"], account=acme.account, at=OPENED_AT)
    return key.secret[:16]


def test_somebody_who_was_invited_does_all_there_is_to_do(acme: Company, settings: Settings, live_server: LiveServer) -> None:
    at, site = now(), live_server.url
    prefix = a_day_of_business(acme, at)
    settings.INVITATION_URL = f"{site}/invitation/{{token}}/"
    link = invitation_link(invite_member(account=acme.account, email=NEW, role="ADMIN", by=acme.owner, at=at))
    with stripe_sandbox(settings, webhook_url=f"{site}/webhooks/stripe") as sandbox:
        with chromium_at(site, scheme="light", width=1000) as browser:
            page = browser.page
            page.goto(link)
            secret = signs_up_and_in(browser, link)
            reads_why_the_balance_fell(page, site)
            tops_up_and_has_it_recharged(page, site)
            caps_and_rotates_a_key(page, site, prefix)
            adds_a_webhook_and_has_it_sent_again(page, site)
            elsewhere(lambda: close_periods(at=at + timedelta(days=40)))
            takes_it_along(page, site)
            asks_for_money_back_and_thinks_better_of_it(page, site, secret)
            leaves(page, site)
        assert {url for url in browser.seen.elsewhere if not url.startswith((sandbox, "data:"))} == set()
    assert Withdrawal.objects.get().state == "CANCELLED"
    assert not Member.objects.filter(user__email=NEW).exists()
    assert_everything_is_proved()


def signs_up_and_in(browser: Browser, link: str) -> str:
    """The secret of their authenticator app."""
    joins(browser, link, role="Admin")
    secret = turns_on_an_app(browser)
    comes_back_with_a_code(browser, secret)
    return secret
