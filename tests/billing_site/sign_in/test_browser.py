"""As somebody who was invited, in Chromium: follow the link, sign up, join, turn on an authenticator app, and sign in with its
code; then with a passkey. On a phone, in the dark; no other host is asked, no policy is broken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.cast import Company
from tests.factories.browsers import code_of
from tests.factories.chromium import Browser, chromium_at
from wallets.accounts.invite_member import invitation_link, invite_member
from wallets.clock import now

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]

NEW = "new@acme.example"
PASSWORD = "a quite good one"


def looked_at(browser: Browser, name: str) -> None:
    assert browser.fits(), name
    browser.keep(name)


def joins(browser: Browser, link: str, *, role: str = "Developer") -> None:
    page = browser.page
    page.goto(link)
    looked_at(browser, "invitation")
    page.get_by_role("link", name="Sign up").click()
    assert page.get_by_label("Email").input_value() == NEW
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    looked_at(browser, "sign-up")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("button", name="Join").click()
    page.wait_for_url(f"{browser.site}/?account=acme")
    page.goto(f"{browser.site}/team/acme")
    expect(page.locator("tr", has_text=NEW)).to_contain_text(role)
    looked_at(browser, "team")


def says_who_is_there(page: Page) -> None:
    """If it is asked."""
    if page.get_by_role("button", name="Confirm").count():
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()


def turns_on_an_app(browser: Browser) -> str:
    """The app's secret."""
    page = browser.page
    page.goto(f"{browser.site}/security/?account=acme")
    looked_at(browser, "security")
    page.get_by_role("row", name=re.compile("Authenticator app")).get_by_role("link", name="Turn on").click()
    says_who_is_there(page)
    expect(page.locator("img.qr")).to_be_visible()
    secret = page.get_by_label("Authenticator secret").input_value()
    page.get_by_label("Authenticator code").fill(code_of(secret))
    looked_at(browser, "authenticator")
    page.get_by_role("button", name="Activate").click()
    page.wait_for_url(f"{browser.site}/2fa/recovery-codes/")
    looked_at(browser, "recovery-codes")
    page.get_by_role("button", name="Sign out").click()
    return secret


def comes_back_with_a_code(browser: Browser, secret: str) -> None:
    page = browser.page
    page.wait_for_url(f"{browser.site}/login/")
    looked_at(browser, "sign-in")
    page.get_by_label("E-mail").fill(NEW)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{browser.site}/2fa/authenticate/")
    looked_at(browser, "second-factor")
    page.get_by_label(re.compile("code", re.IGNORECASE)).fill(code_of(secret))
    page.get_by_role("button", name="Sign In").click()
    page.wait_for_url(f"{browser.site}/")
    page.goto(f"{browser.site}/privacy/acme")
    looked_at(browser, "privacy")


def comes_back_with_a_passkey(browser: Browser) -> None:
    page = browser.page
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    simulated = {"isUserVerified": True, "automaticPresenceSimulation": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": device | simulated})
    page.goto(f"{browser.site}/2fa/webauthn/add/")
    says_who_is_there(page)
    page.get_by_label("Passwordless").check()
    looked_at(browser, "passkey")
    page.get_by_role("button", name="Add").click()
    page.wait_for_url(f"{browser.site}/2fa/")
    page.goto(f"{browser.site}/2fa/webauthn/")
    expect(page.locator("tbody tr")).to_contain_text("Passkey")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{browser.site}/")


def test_an_invited_person_signs_up_and_comes_back_with_a_code_and_a_passkey(
    acme: Company, live_server: LiveServer, settings: Settings
) -> None:
    settings.INVITATION_URL = f"{live_server.url}/invitation/{{token}}/"
    link = invitation_link(invite_member(account=acme.account, email=NEW, role="DEVELOPER", by=acme.owner, at=now()))
    with chromium_at(live_server.url, scheme="dark", width=375) as browser:
        joins(browser, link)
        comes_back_with_a_code(browser, turns_on_an_app(browser))
        comes_back_with_a_passkey(browser)
    assert not browser.seen.elsewhere
    assert not browser.seen.complaints
