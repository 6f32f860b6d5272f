"""The back office as a viewer, an operator, an approver and a controller walk through it, in Chromium: who asks is not who
decides, and the log says who did what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from playwright.sync_api import Page

from billing_site.backoffice.roles import grant_roles
from tests.cast import PASSWORD
from tests.factories.adjustments import reason
from tests.factories.chromium import Browser, chromium_at
from tests.factories.money_in import paid_in
from tests.factories.shop import NOW, Shop, browser_of
from wallets.accounts.models import User
from wallets.audit.models import AuditEvent

if TYPE_CHECKING:
    from http.cookies import Morsel

    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ROLES: Final = ("viewer", "operator", "approver", "controller")


def become(browser: Browser, session: Morsel[str]) -> Page:
    """Another person sits down."""
    browser.page.context.clear_cookies()
    browser.page.context.add_cookies([{"name": session.key, "value": session.value, "url": browser.site}])
    browser.page.goto(f"{browser.site}/admin/")
    return browser.page


def look(browser: Browser, name: str) -> None:
    """In both themes: it fits, and nothing is complained about."""
    for scheme in ("dark", "light"):
        browser.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        browser.page.reload()
        browser.name = scheme
        browser.keep(name)
    assert browser.fits(), name


def viewer_looks(browser: Browser, page: Page, wallet_pk: int) -> None:
    page.goto(f"{browser.site}/admin/customers/")
    page.get_by_label("Name, key, e-mail address").fill("4242")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("heading", name="What happened").wait_for()
    look(browser, "customer-timeline")
    page.get_by_role("link", name="Where the balance comes from").click()
    page.get_by_text("W-1").first.wait_for()
    look(browser, "customer-balance")
    page.get_by_role("link", name="Where it went").click()
    look(browser, "customer-spent")
    page.goto(f"{browser.site}/admin/wallets/wallet/{wallet_pk}/change/")
    assert not page.get_by_role("link", name="Grant credit").count()


def operator_asks(browser: Browser, page: Page, wallet_pk: int) -> None:
    page.goto(f"{browser.site}/admin/wallets/adjustment/wallet/{wallet_pk}/")
    page.get_by_label("Amount").fill("500")
    page.get_by_label("Reason").select_option("outage")
    page.get_by_label("Note").fill("Ticket 4711")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Adjust balance").click()
    page.get_by_text("waits for another person").wait_for()
    page.goto(f"{browser.site}/admin/wallets/approval/")
    page.locator("#result_list a", has_text="Goodwill").first.click()
    page.get_by_text("another person has to decide it").wait_for()
    assert not page.get_by_role("link", name="Approve", exact=True).count()


def approver_approves(browser: Browser, page: Page) -> None:
    page.goto(f"{browser.site}/admin/wallets/approval/")
    look(browser, "approval-queue")
    page.locator("#result_list a", has_text="Goodwill").first.click()
    look(browser, "approval")
    page.locator("a[href$='/approve/']").first.click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("is posted").wait_for()


def controller_reads(browser: Browser, page: Page, wallet_pk: int) -> None:
    page.goto(f"{browser.site}/admin/wallets/auditevent/")
    look(browser, "audit-log")
    page.locator("#result_list a", has_text="Adjust balance").first.click()
    page.get_by_text("Ticket 4711").first.wait_for()
    look(browser, "audit-event")
    refused = page.goto(f"{browser.site}/admin/wallets/wallet/{wallet_pk}/grant-credit/")
    assert refused is not None
    assert refused.status == 403


def test_who_asks_is_not_who_decides_and_the_log_says_who_did_what(shop: Shop, live_server: LiveServer) -> None:
    grant_roles()
    paid_in(shop.acme, at=NOW)
    reason("outage")
    people = {role: User.objects.create_user(f"{role}@vendor.example", PASSWORD, is_staff=True) for role in ROLES}
    for role, person in people.items():
        person.groups.add(Group.objects.get(name=role))
    sessions = {role: browser_of(person).cookies[settings.SESSION_COOKIE_NAME] for role, person in people.items()}
    pk = shop.acme.wallet.pk
    with chromium_at(live_server.url, scheme="light", width=1280) as browser:
        viewer_looks(browser, become(browser, sessions["viewer"]), pk)
        operator_asks(browser, become(browser, sessions["operator"]), pk)
        approver_approves(browser, become(browser, sessions["approver"]))
        controller_reads(browser, become(browser, sessions["controller"]), pk)
        assert not browser.seen.elsewhere
    assert list(AuditEvent.objects.order_by("id").values_list("user__email", "action")) == [
        ("operator@vendor.example", "Adjust balance"), ("approver@vendor.example", "Approve"),
    ]  # fmt: skip
    shop.acme.wallet.refresh_from_db()
    assert shop.acme.wallet.balance > 500
