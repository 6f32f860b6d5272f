"""The ways to sign in beside a password: a mailed link, a second factor, a forgotten password; and how often one may try."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core import mail
from django.test import Client

from billing_site.cache import ForgetfulCache
from billing_site.sign_in.purge import purge_sessions
from billing_site.sign_in.second_factor import check_code
from tests.cast import PASSWORD, Company
from tests.factories.browsers import code_of, mailed_link, sign_in, stored_secret, with_app
from tests.factories.shop import text_of
from wallets.clock import now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]

HOME = "/"


def is_signed_in(browser: Client) -> bool:
    return browser.get(HOME).status_code == 200


def test_a_mailed_link_signs_in_after_a_click_in_the_browser_that_asked(acme: Company) -> None:
    browser = Client()
    browser.post("/login/code/", {"email": acme.owner.email})
    link = mailed_link()
    html = mail.outbox[-1].alternatives[0][0]
    assert link.partition("?")[0] in html
    assert Client().get(link).status_code == 302, "another browser is sent to the page of signing in"
    page = browser.get(link).content.decode()
    assert not is_signed_in(browser), "a look signs nobody in"
    code = re.search(r'name="code" value="([^"]+)"', page)
    assert code
    assert browser.post("/login/code/confirm/", {"code": code[1]})["Location"] == HOME
    assert is_signed_in(browser)


def test_who_is_unknown_hears_the_same_as_who_is_known(acme: Company) -> None:
    known, unknown = Client(), Client()
    answers = [
        known.post("/login/code/", {"email": acme.owner.email}),
        unknown.post("/login/code/", {"email": "no@one.example"}),
    ]
    assert answers[0].status_code == answers[1].status_code == 302
    assert answers[0]["Location"] == answers[1]["Location"]


def test_an_authenticator_app_is_set_up_and_asked_for_from_then_on(acme: Company) -> None:
    browser, _ = sign_in(acme.owner)
    asked = browser.get("/2fa/totp/activate/")
    assert asked["Location"].startswith("/reauthenticate/"), "a session alone cannot add a way in"
    browser.post(asked["Location"], {"password": PASSWORD})
    browser.get("/2fa/totp/activate/")
    secret = browser.session["mfa.totp.secret"]
    assert browser.post("/2fa/totp/activate/", {"code": code_of(secret)})["Location"] == "/2fa/recovery-codes/"
    assert "recovery" in text_of(browser.get("/2fa/recovery-codes/")).lower()

    stored, plain = stored_secret(acme.owner)
    assert plain == secret
    assert secret not in stored, "the database alone makes no codes"

    again, answer = sign_in(acme.owner)
    assert answer["Location"] == "/2fa/authenticate/"
    assert not is_signed_in(again), "the password alone is not enough"
    assert again.post("/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert again.post("/2fa/authenticate/", {"code": code_of(secret)})["Location"] == HOME
    assert is_signed_in(again)


def test_a_code_works_once_and_a_recovery_code_once_too(acme: Company) -> None:
    secret = with_app(acme.owner)
    assert check_code(acme.owner, code_of(secret)) is True
    assert check_code(acme.owner, code_of(secret)) is False, "it was used"
    assert check_code(acme.owner, "") is False
    browser, _ = sign_in(acme.owner)
    browser.post("/2fa/authenticate/", {"code": code_of(secret, later=1)})
    browser.post("/reauthenticate/", {"password": PASSWORD})
    browser.post("/2fa/recovery-codes/generate/")
    codes = Authenticator.objects.get(user=acme.owner, type="recovery_codes").wrap().get_unused_codes()
    assert check_code(acme.owner, codes[0]) is True
    assert check_code(acme.owner, codes[0]) is False


def test_codes_cannot_be_tried_one_after_the_other(acme: Company) -> None:
    secret = with_app(acme.owner)
    for _ in range(5):
        assert check_code(acme.owner, "123") is False
    assert check_code(acme.owner, code_of(secret)) is False, "too many; also the right one waits"


def test_passwords_cannot_be_tried_one_after_the_other(acme: Company, globex: Company) -> None:
    for _ in range(5):
        sign_in(acme.owner, password="wrong")
    browser, answer = sign_in(acme.owner)
    assert "Too many failed login attempts" in text_of(answer)
    assert not is_signed_in(browser)
    assert is_signed_in(sign_in(globex.owner)[0]), "others are not kept out"


def test_without_redis_people_still_sign_in(acme: Company, caplog: pytest.LogCaptureFixture) -> None:
    away = ForgetfulCache("redis://127.0.0.1:1/0", {})
    assert away.add("one", True)
    assert away.get("one", "nothing") == "nothing"
    away.set("one", 1)
    assert not away.delete("one")
    assert "rate limit is open" in caplog.text


def test_a_forgotten_password_is_set_anew_by_a_mailed_link(acme: Company) -> None:
    browser = Client()
    browser.post("/password/reset/", {"email": acme.owner.email})
    form = browser.get(mailed_link(), follow=True)
    address = form.request["PATH_INFO"]
    browser.post(address, {"password1": "a quite different one", "password2": "a quite different one"})
    assert is_signed_in(sign_in(acme.owner, password="a quite different one")[0])
    assert not is_signed_in(sign_in(acme.owner)[0])


@pytest.mark.parametrize(("switch", "opens"), [("open", True), ("invitation", False), ("closed", False)])
def test_who_may_sign_up_is_a_switch(settings, switch, opens) -> None:
    settings.SIGN_UP = switch
    page = Client().get("/signup/")
    assert ("password1" in page.content.decode()) == opens
    assert ("/signup/" in Client().get("/login/").content.decode()) == opens
    form = {"email": "new@person.example", "password1": "a quite good one", "password2": "a quite good one"}
    Client().post("/signup/", form)
    assert (len(mail.outbox) == 1) == opens


def test_a_new_person_proves_the_address_first(settings) -> None:
    settings.SIGN_UP = "open"
    browser = Client()
    form = {"email": "New@Person.example", "password1": "a quite good one", "password2": "a quite good one"}
    assert browser.post("/signup/", form)["Location"] == "/confirm-email/"
    assert browser.get(HOME).status_code == 302
    link = mailed_link()
    assert "mail.example" not in link
    browser.get(link)
    assert browser.get(HOME).status_code == 302, "a look proves nothing: mail programs open links"
    browser.post(link)
    assert is_signed_in(browser)


def test_pages_of_signing_in_run_no_inline_script_or_style(acme: Company) -> None:
    browser, _ = sign_in(acme.owner)
    browser.post("/reauthenticate/", {"password": PASSWORD})
    pages = [Client().get(path) for path in ("/login/", "/login/code/", "/password/reset/", "/signup/")]
    own = ("/2fa/totp/activate/", "/2fa/webauthn/add/", "/2fa/", "/sessions/", "/email/", "/password/change/", "/security/")
    for page in [*pages, *(browser.get(path) for path in own)]:
        html = page.content.decode()
        assert page.status_code == 200, page.request["PATH_INFO"]
        scripts = re.findall(r"<script\b([^>]*)>", html)
        assert all("src=" in tag or "application/json" in tag for tag in scripts), page.request["PATH_INFO"]
        assert " style=" not in html
        assert "http://" not in html.replace("http://www.w3.org", "")


def test_sessions_are_listed_and_others_signed_out(acme: Company) -> None:
    here, there = sign_in(acme.owner)[0], sign_in(acme.owner)[0]
    assert text_of(here.get("/sessions/")).count("127.0.0.1") == 2
    here.post("/sessions/")
    assert is_signed_in(here)
    assert not is_signed_in(there)


def test_sessions_that_ended_are_forgotten(acme: Company) -> None:
    sign_in(acme.owner)
    ended, _ = sign_in(acme.owner)
    ended.post("/logout/")
    assert purge_sessions(at=now()) == 1
    assert UserSession.objects.count() == 1
    assert purge_sessions(at=now() + timedelta(days=15)) == 1


def test_an_address_that_staff_changed_signs_in(acme: Company) -> None:
    sign_in(acme.owner)
    acme.owner.email = "other@acme.example"
    acme.owner.save(update_fields=["email"])
    assert is_signed_in(sign_in(acme.owner)[0])


def test_cookies_are_for_this_site_and_its_server_only(acme: Company) -> None:
    browser, _ = sign_in(acme.owner)
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
