"""A finance person raises a price, in Chromium: a new version, tiers added, the example follows, compared, published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page

from tests.cast import PASSWORD
from tests.factories.chromium import Browser, chromium_at
from tests.factories.shop import Shop
from wallets.accounts.models import User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=[("light", 1280), ("dark", 375)], ids=["wide, light", "phone, dark"])
def browser(request: pytest.FixtureRequest, shop: Shop, fiona: User, live_server: LiveServer) -> Iterator[Browser]:
    """Chromium at the live site; everything the database needs is there before it starts."""
    scheme, width = request.param
    with chromium_at(live_server.url, scheme=scheme, width=width) as browser:
        yield browser


def sign_in(page: Page, site: str) -> None:
    page.goto(f"{site}/login/")
    page.get_by_label("E-mail").fill("fiona@vendor.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def open_action(page: Page, name: str) -> None:
    """A button of the page's head; on a phone they are behind one."""
    more = page.get_by_text("more_horiz")
    if more.is_visible():
        more.click()
    page.get_by_role("link", name=name).first.click()


def test_a_price_is_raised_in_tiers_and_published(shop: Shop, browser: Browser) -> None:
    page, site = browser.page, browser.site
    sign_in(page, site)
    page.goto(f"{site}/admin/pricing/pricebook/")
    page.locator("#result_list a", has_text="List").first.click()
    browser.keep("book")
    open_action(page, "New version")
    page.get_by_label("Note").fill("Tiers for input")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Draft version").click()
    page.wait_for_url("**/edit/")
    browser.keep("editor")

    card = page.locator(".price-card").first
    assert card.locator(".condition input").nth(1).input_value() == "gpt-5"
    assert card.locator("[data-example]").inner_text() == "1,234,567 units cost 12.35 USD"
    card.get_by_label("Price each").fill("0.00002")
    page.get_by_text("1,234,567 units cost 24.69 USD").wait_for()

    card.get_by_label("Model").select_option("graduated")  # its own fields, at once
    page.wait_for_url("**/edit/#p0")
    card = page.locator(".price-card").first
    card.get_by_label("Up to, tier 1").fill("1000000")
    card.get_by_label("Price each, tier 1").fill("0.00002")
    card.get_by_role("button", name="Add a tier").click()
    card.get_by_label("Price each, tier 2").fill("0.00001")
    page.get_by_text("1,234,567 units cost 22.35 USD =").wait_for()
    browser.keep("tiers")
    assert browser.fits()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("The prices of llm.input_tokens are saved.").wait_for()

    page.get_by_role("link", name="Compare").click()
    page.get_by_text("1 changed").wait_for()
    browser.keep("compare")
    assert browser.fits()
    open_action(page, "Publish")
    page.get_by_label("Reason").fill("Costs rose")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("llm.input_tokens model = gpt-5").wait_for()
    browser.keep("publish")
    page.get_by_role("button", name="Publish version").click()
    page.get_by_text("is published").wait_for()
    browser.keep("version")

    page.get_by_text("in force").first.wait_for()
    page.get_by_text("up to 1,000,000: 20.00 USD per million").wait_for()
    assert browser.seen.elsewhere == []
    assert browser.seen.complaints == []
