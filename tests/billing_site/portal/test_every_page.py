"""Every page of the portal and of signing in, found by walking the URL configuration: it is asked for once, in few queries, and
looked at in Chromium, light and dark, on a phone and on a screen: no barrier that axe-core calls serious, no scrolling
sideways, no other host but the card element's, no policy broken."""

from __future__ import annotations

import os
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal

import pytest
from django.contrib.staticfiles import finders
from django.shortcuts import render
from django.test import RequestFactory
from django.views import defaults
from django.views.csrf import csrf_failure
from playwright.sync_api import Page, Route

from billing_site.csp import card_element_script
from tests.factories.chromium import started
from tests.factories.every_page import Seen, pages
from tests.factories.payments import provider_in_memory
from tests.factories.shop import Shop

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]

SITE: Final = "http://testserver"
MOST_QUERIES: Final = 19
# Posted to, or fetched as a file: they show nobody a page. Whoever adds a page need not come here.
NO_PAGE: Final = {
    "enter", "leave",
    "look", "begin_card", "keep_card", "change_card", "close", "delete_me", "dismiss", "end_support", "logout",
    "account_logout", "usage_csv", "download", "support",
    "statement_pdf", "statement_csv", "statement_events", "credit_note_pdf", "credit_note_csv",
    "mfa_download_recovery_codes", "account_set_password", "mfa_login_webauthn", "mfa_reauthenticate_webauthn",
}  # fmt: skip
Theme = Literal["light", "dark"]
WAYS: Final[tuple[tuple[Theme, int], ...]] = (("light", 1440), ("dark", 375), ("dark", 1440), ("light", 375))
AXE: Final = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RUN: Final = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"], performanceTimer: false});
  return found.violations.filter(one => ["serious", "critical"].includes(one.impact)).flatMap(
    one => one.nodes.map(node => `${one.id}: ${node.target} ${(node.any[0] || node.all[0] || node.none[0]).message}`));
}"""


@pytest.fixture
def every_page(shop: Shop, settings: Settings) -> list[Seen]:
    """The pages; what is no page is listed above, so that a new one is not left out unseen."""
    settings.SIGN_UP = "open"
    with provider_in_memory(settings):
        found, others = pages(shop)
    assert others == NO_PAGE
    return [*found, *_error_pages(found[0])]


@pytest.mark.browser
def test_every_page_is_cheap_strict_and_open_to_everybody(every_page: list[Seen]) -> None:
    _are_cheap_and_strict(every_page)
    _are_open_to_everybody(every_page)


def _are_cheap_and_strict(every_page: list[Seen]) -> None:
    assert len(every_page) > 50
    assert {page.name: page.queries for page in every_page if page.queries > MOST_QUERIES} == {}
    for page in every_page:
        policy = {part.split()[0]: part.split()[1:] for part in page.headers["Content-Security-Policy"].split(";")}
        assert policy["default-src"] == ["'none'"], page.name
        assert not {"'unsafe-inline'", "'unsafe-eval'", "*"} & {*policy["script-src"], *policy["style-src"]}, page.name
        hosts = {one for values in policy.values() for one in values if "://" in one}
        assert not hosts or page.name in {"cards", "top_up"}, page.name


def _are_open_to_everybody(every_page: list[Seen]) -> None:
    problems: list[str] = []
    elsewhere: set[str] = set()
    kept = {page.address: page for page in every_page}

    def answer(route: Route) -> None:
        address = route.request.url.removeprefix(SITE)
        if route.request.url == card_element_script():
            route.fulfill(body="", content_type="text/javascript")
        elif address in kept:
            headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _policy(kept[address])}
            route.fulfill(body=kept[address].html, headers=headers)
        elif address.startswith("/static/") and (path := finders.find(address.removeprefix("/static/").partition("?")[0])):
            route.fulfill(path=str(path))
        else:
            elsewhere.add(route.request.url)
            route.abort()

    with started() as chromium:
        page = chromium.new_page(reduced_motion="reduce")
        page.route("**/*", answer)
        page.on("console", lambda said: problems.append(f"{page.url}: {said.text}") if said.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        for number, address in enumerate(sorted(kept)):
            page.goto(f"{SITE}{address}", wait_until="load")
            # One of the four ways to look at a page in each run, the next page in the next; all of them by make look.
            ways = WAYS if os.environ.get("LOOK") == "all" else [WAYS[number % len(WAYS)]]
            problems += [
                f"{address} {theme} {width}: {what}" for theme, width in ways for what in _barriers(page, theme, width)
            ]
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
    assert elsewhere == set()


def _barriers(page: Page, theme: Theme, width: int) -> list[str]:
    """What keeps somebody out of the page shown so: what axe-core calls serious or critical, and scrolling sideways."""
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 900})
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    return [*page.evaluate(RUN), *([f"scrolls sideways by {wide} px"] if wide > 0 else [])]


def _policy(page: Seen) -> str:
    return page.headers["Content-Security-Policy"]


def _error_pages(like: Seen) -> list[Seen]:
    """As they are answered by the handlers: what is not there, not allowed, too often, broken, or without its token."""
    request = RequestFactory().get("/")
    answers = {
        "400": defaults.bad_request(request, ValueError()),
        "403": defaults.permission_denied(request, PermissionError()),
        "403_csrf": csrf_failure(request),
        "404": defaults.page_not_found(request, ValueError()),
        "429": render(request, "429.html"),
        "500": defaults.server_error(request),
    }
    return [Seen(name, f"/{name}/", like.headers, answer.content.decode(), 0) for name, answer in answers.items()]
