"""As a customer, in Chromium: sign in, see the balance, open a charge. No other host is asked, no policy is broken."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.cast import PASSWORD
from tests.factories.shop import Shop

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET: Final = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass
class Seen:
    """What the browser asked for and complained about."""

    elsewhere: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@dataclass
class Browser:
    """A page at the site, and what was seen."""

    site: str
    page: Page
    seen: Seen


@pytest.fixture(params=[("light", 1280), ("dark", 375)], ids=["wide, light", "phone, dark"])
def browser(request: pytest.FixtureRequest, shop: Shop, live_server: LiveServer) -> Iterator[Browser]:
    """Chromium at the live site; everything the database needs is there before it starts."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    scheme, width = request.param
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        seen = Seen()
        page.on("request", lambda sent: None if sent.url.startswith(live_server.url) else seen.elsewhere.append(sent.url))
        page.on("console", lambda said: seen.complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        yield Browser(live_server.url, page, seen)
        chromium.close()


def _does_not_scroll_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_a_customer_finds_out_why_the_balance_fell(shop: Shop, browser: Browser) -> None:
    page = browser.page
    page.goto(f"{browser.site}/")
    assert page.url.startswith(f"{browser.site}/login/")
    page.get_by_label("E-mail").fill(shop.acme.owner.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{browser.site}/")

    assert page.locator(".figure").first.inner_text().replace("\n", "") == "9.90 USD"
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("svg[aria-label^='Balance over the last month'] path.line").count() == 2  # a phone has its own
    page.get_by_text("Show as a table").click()
    assert page.get_by_role("cell", name="Mon 23 Nov", exact=True).is_visible()
    assert _does_not_scroll_sideways(page)

    page.get_by_role("link", name="llm.request · gpt-5").last.click()
    page.wait_for_url(f"{browser.site}/charges/*/")
    assert page.locator(".trail").get_by_text("Welcome credit").first.is_visible()
    assert page.locator(".result").first.inner_text() == "0.04 USD"
    assert _does_not_scroll_sideways(page)

    page.get_by_role("link", name="Balance", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{browser.site}/login/")
    assert browser.seen.elsewhere == []
    assert browser.seen.complaints == []


def test_the_keyboard_reaches_the_content_first(browser: Browser) -> None:
    page = browser.page
    page.goto(f"{browser.site}/login/")
    skip = page.get_by_role("link", name="Skip to content")
    skip.focus()
    page.wait_for_function("document.querySelector('.skip').getBoundingClientRect().top >= 0")
    skip.press("Enter")
    page.wait_for_function("document.activeElement.id === 'content'")
