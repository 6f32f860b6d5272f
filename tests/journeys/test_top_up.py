"""As a customer, in Chromium, with the sandbox: sign in, save a card, top up, see balance and receipt; a card that asks for
3-D Secure asks and pays; a declined card says why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.cast import OPENED_AT, PASSWORD, Company
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

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET: Final = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@contextmanager
def signed_in(site: str, email: str) -> Iterator[tuple[Page, list[str]]]:
    """A page on which somebody has signed in, and what the browser complains about."""
    complaints: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = chromium.new_page(viewport={"width": 1000, "height": 900})
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"{site}/login/")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{site}/")
        yield page, complaints
        chromium.close()


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


def shop_with_cards(page: Page, site: str) -> None:
    """Save cards of every kind, and pay with each."""
    save_card(page, site, "4000000000000002")
    problem = page.get_by_role("alert")
    problem.wait_for()
    assert "declined" in problem.inner_text()

    save_card(page, site, "4242424242424242")
    saved(page, "4242")
    pay(page, site, "4242")
    assert page.locator(".figure").inner_text() == "60.00 USD"
    assert "Your balance is 50.00 USD" in page.locator(".sheet").inner_text()
    assert page.get_by_role("heading", name="Receipt MAIN-").last.is_visible()
    assert page.get_by_role("cell", name="VAT 20 %").is_visible()

    save_card(page, site, "4000002500003155")
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


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")
def test_a_customer_saves_cards_and_tops_up(acme: Company, settings: Settings, live_server: LiveServer) -> None:
    acme.account.country = "DE"
    acme.account.save()
    TaxRate.objects.create(country="DE", name="VAT", percent=20, effective_at=OPENED_AT)
    RefundPolicy.objects.create(version=1, sentence="Unused credit comes back within 30 days.", effective_at=OPENED_AT)
    with stripe_sandbox(settings, webhook_url=f"{live_server.url}/webhooks/stripe"):
        with signed_in(live_server.url, acme.owner.email) as (page, complaints):
            shop_with_cards(page, live_server.url)
        assert [text for text in complaints if "402" not in text] == []

        # The webhooks come a second later, and find everything done.
        stored = ProviderEvent.objects.filter(kind__startswith="payment_intent.")
        assert eventually(lambda: stored.count() == 3, within_seconds=20)
        handle_events(at=stored.latest("received_at").received_at)
        assert {event.state for event in stored} == {"DONE"}
    assert sorted(TopUp.objects.values_list("state", flat=True)) == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
    acme.wallet.refresh_from_db()
    assert acme.wallet.balance == 100
    assert_everything_is_proved()
