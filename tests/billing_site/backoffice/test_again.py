"""The door of the back office, and asking again who is there before money moves."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path, reverse

from billing_site import urls as site
from billing_site.backoffice.again import asks_again
from tests.cast import PASSWORD, Company
from tests.factories.adjustments import may_alone
from tests.factories.browsers import code_of, sign_in, with_app
from wallets.accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]

TODAY = "/admin/"


class Page:
    """As an admin class: its views are methods."""

    @asks_again
    def give(self, request: HttpRequest, what: str) -> HttpResponse:
        return HttpResponse(f"{request.method} {what} {request.POST.get('amount')}")


urlpatterns = [*site.urlpatterns, path("give/<str:what>/", lambda request, what: Page().give(request, what))]


def long_ago(browser: Client) -> None:
    """The person signed in an hour ago."""
    session: Any = browser.session
    session["account_authentication_methods"] = [
        {**one, "at": one["at"] - 3600} for one in session["account_authentication_methods"]
    ]
    session.save()


@pytest.mark.urls(__name__)
def test_money_asks_again_and_the_form_goes_on_afterwards(settings, fiona: User) -> None:
    settings.REAUTHENTICATION_MINUTES = 15
    browser, _ = sign_in(fiona)
    assert browser.post("/give/credit/", {"amount": "5"}).content == b"POST credit 5", "who just came in is known"
    long_ago(browser)
    asked = browser.post("/give/credit/", {"amount": "7"})
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert browser.post(asked["Location"], {"password": "wrong"}).status_code == 200
    assert browser.get("/give/credit/").status_code == 302, "still not known"
    asked = browser.post("/give/credit/", {"amount": "7"})
    assert browser.post(asked["Location"], {"password": PASSWORD}).content == b"POST credit 7"
    assert browser.get("/give/credit/").status_code == 200
    settings.REAUTHENTICATION_MINUTES = 0
    long_ago(browser)
    assert browser.get("/give/credit/").status_code == 200, "switched off"


MONEY = (
    "wallets_wallet_grant_credit", "wallets_wallet_void_lot", "wallets_adjustment_adjust", "wallets_refund_make",
    "wallets_refund_sent", "wallets_withdrawal_cancel", "wallets_approval_approve", "wallets_approval_decline",
    "wallets_bankline_import", "wallets_bankline_match", "wallets_apikey_issue", "wallets_apikey_own",
    "pricing_subscription_cancel", "pricing_voucherbatch_issue",
)  # fmt: skip


def test_pages_that_move_money_ask_again_and_the_grant_goes_on(settings, fiona: User, acme: Company) -> None:
    settings.REAUTHENTICATION_MINUTES = 15
    may_alone(fiona, "100")
    browser, _ = sign_in(fiona)
    wallet = acme.wallet.pk
    grant = reverse("admin:wallets_wallet_grant_credit", args=[wallet])
    told = {"amount": "7", "kind": "trial", "priority": "50", "reason": "Sorry", "step": "confirm", "token": "t"}
    long_ago(browser)
    for name in MONEY:
        args = {"_void_lot": [wallet, 1], "_import": [], "y_issue": [], "h_issue": [], "_own": []}
        given = next((value for end, value in args.items() if name.endswith(end)), [wallet])
        answer = browser.get(reverse(f"admin:{name}", args=given))
        assert answer.get("Location", "").startswith(reverse("account_reauthenticate")), name
    assert browser.get(reverse("admin:wallets_wallet_change", args=[wallet])).status_code == 200, "looking asks nobody"
    asked = browser.post(grant, told)
    acme.wallet.refresh_from_db()
    assert acme.wallet.balance == 0
    assert browser.post(asked["Location"], {"password": PASSWORD}).status_code == 302
    acme.wallet.refresh_from_db()
    assert acme.wallet.balance == 7


def test_staff_need_a_second_factor_where_it_is_asked_for(settings, fiona: User) -> None:
    settings.STAFF_TWO_FACTOR = True
    browser, _ = sign_in(fiona)
    assert browser.get(TODAY, follow=True).redirect_chain[-1][0].startswith("/reauthenticate/"), "on the way to set one up"
    assert "/2fa/totp/activate/" in [where.partition("?")[0] for where, _ in browser.get(TODAY, follow=True).redirect_chain]
    secret = with_app(fiona)
    assert browser.get(TODAY, follow=True).redirect_chain[-1][0].startswith("/2fa/reauthenticate/"), (
        "this session has not used it"
    )
    fresh, _ = sign_in(fiona)
    fresh.post("/2fa/authenticate/", {"code": code_of(secret)})
    assert fresh.get(TODAY).status_code == 200


def test_the_door_is_the_portals_and_closed_to_customers(acme: Company, fiona: User) -> None:
    assert Client().get(TODAY, follow=True).redirect_chain[-1][0] == "/login/?next=%2Fadmin%2F"
    assert sign_in(fiona, next=TODAY)[1]["Location"] == TODAY
    assert sign_in(acme.owner)[0].get(TODAY, follow=True).status_code == 403
    evil = sign_in(fiona)[0].get("/admin/login/?next=https://evil.example/")
    assert evil["Location"] == TODAY
