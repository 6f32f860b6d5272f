"""As a customer, in Chromium, with the sandbox: sign in, save a card, top up, see balance and receipt, turn on auto-recharge; a
card that asks for 3-D Secure asks and pays; a declined card says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import Page, expect

from tests.cast import OPENED_AT, PASSWORD, Company
from tests.factories.chromium import Browser, chromium_at
from tests.factories.proofs import assert_everything_is_proved
from tests.processes import eventually
from tests.stripe_sandbox import stripe_sandbox
from wallets.payments.event_models import ProviderEvent
from wallets.payments.handle_event import handle_events
from wallets.payments.models import TopUp
from wallets.payments.offer_models import RefundPolicy, TaxRate

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE: Final = {"width": 375, "height": 812}


def sign_in(page: Page, site: str, email: str) -> None:
    page.goto(f"{site}/login/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site}/")


def save_card(page: Page, site: str, number: str) -> None:
    page.goto(f"{site}/cards/acme")
    for place, text in (("number", number), ("exp_month", "12"), ("exp_year", "31"), ("cvc", "123"), ("postal_code", "10115")):
        page.get_by_placeholder(place).fill(text)
    page.get_by_role("button", name="Save card").click()


def pay(page: Page, site: str, card: str) -> None:
    page.goto(f"{site}/top-up/acme?amount=50")
    page.get_by_role("radio", name=card).check()
    page.get_by_role("checkbox", name="Unused credit").check()
    page.get_by_role("button", name="Pay 60.00 USD").click()
    page.wait_for_url(f"{site}/top-ups/*/")


def saved(page: Page, last_four: str) -> None:
    page.locator("td.wide", has_text=last_four).wait_for()


def turn_on_auto_recharge(page: Page, site: str) -> None:
    """As it is offered beside the card that was saved."""
    page.goto(f"{site}/cards/acme")
    page.get_by_role("button", name="Turn on auto-recharge").click()
    page.wait_for_url(f"{site}/auto-recharge/acme*")
    assert page.locator("h1 .chip").inner_text() == "on"
    page.get_by_label("Balance, USD").fill("20")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Balance, USD")).to_have_value("20.00")
    assert "Visa •••• 4242" in page.locator("p.rule").first.inner_text()


def shop_with_cards(page: Page, site: str) -> None:
    """Save cards of every kind, and pay with each."""
    save_card(page, site, "4000000000000002")
    problem = page.get_by_role("alert")
    problem.wait_for()
    assert problem.inner_text() == "Your bank declined the card. Use another card, or ask your bank."

    save_card(page, site, "4242424242424242")
    saved(page, "4242")
    pay(page, site, "4242")
    assert page.locator(".figure").inner_text() == "60.00 USD"
    assert "Your balance is 50.00 USD" in page.locator(".sheet").inner_text()
    assert page.get_by_role("heading", name="Receipt MAIN-").last.is_visible()
    assert page.get_by_role("cell", name="VAT 20 %").is_visible()

    turn_on_auto_recharge(page, site)

    save_card(page, site, "4000002500003155")
    page.get_by_role("button", name="Fail authentication").click()
    problem.wait_for()
    page.get_by_role("button", name="Save card").click()
    page.get_by_role("button", name="Complete authentication").click()
    saved(page, "3155")
    pay(page, site, "3155")
    page.get_by_role("button", name="Confirm with your bank").click()
    page.get_by_role("button", name="Complete authentication").click()
    page.get_by_text("Your balance is").wait_for()
    assert "Your balance is 100.00 USD" in page.locator(".sheet").inner_text()

    save_card(page, site, "4000000000000341")
    saved(page, "0341")
    pay(page, site, "0341")
    assert "Nothing was charged. Your bank declined the card." in page.get_by_role("alert").inner_text()

    page.goto(f"{site}/")
    assert page.locator(".figure").first.inner_text().replace("\n", "") == "100.00 USD"
    page.get_by_role("link", name="Payments").first.click()
    assert page.locator("td .chip").all_inner_texts() == ["not paid", "paid", "paid"]
    page.get_by_role("link", name="MAIN-2026-").last.click()
    assert "version 1, accepted" in page.locator("dl.facts").inner_text()


def look_at_every_page_on_a_phone(browser: Browser, site: str) -> None:
    """Nothing is cut off; PICTURES keeps what it looks like."""
    browser.page.goto(f"{site}/payments/acme")
    links = browser.page.locator("a[href^='/top-ups/']").all()
    pages = {"cards": "/cards/acme", "top-up": "/top-up/acme?amount=50", "payments": "/payments/acme"}
    pages["auto-recharge"] = "/auto-recharge/acme"
    pages |= {f"paid-{number}": str(link.get_attribute("href")) for number, link in enumerate(links)}
    for size in (browser.page.viewport_size, PHONE):
        assert size is not None
        browser.page.set_viewport_size(size)  # type: ignore[arg-type] # a table
        for name, address in pages.items():
            browser.page.goto(f"{site}{address}")
            assert browser.fits(), (name, size)
            browser.keep(f"{name}-{size['width']}")


def test_a_customer_saves_cards_and_tops_up(acme: Company, settings: Settings, live_server: LiveServer) -> None:
    acme.account.country = "DE"
    acme.account.save()
    TaxRate.objects.create(country="DE", name="VAT", percent=20, effective_at=OPENED_AT)
    RefundPolicy.objects.create(version=1, sentence="Unused credit comes back within 30 days.", effective_at=OPENED_AT)
    site = live_server.url
    with stripe_sandbox(settings, webhook_url=f"{site}/webhooks/stripe") as sandbox:
        with chromium_at(site, scheme="light", width=1000) as browser:
            sign_in(browser.page, site, acme.owner.email)
            shop_with_cards(browser.page, site)
            look_at_every_page_on_a_phone(browser, site)
        assert [text for text in browser.seen.complaints if "402" not in text] == []
        assert {url for url in browser.seen.elsewhere if not url.startswith((sandbox, "data:"))} == set()

        # The webhooks come a second later, and find everything done.
        stored = ProviderEvent.objects.filter(kind__startswith="payment_intent.")
        assert eventually(lambda: stored.count() == 3, within_seconds=20)
        handle_events(at=stored.latest("received_at").received_at)
        assert {event.state for event in stored} == {"DONE"}
    assert sorted(TopUp.objects.values_list("state", flat=True)) == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
    acme.wallet.refresh_from_db()
    assert acme.wallet.balance == 100
    assert_everything_is_proved()
