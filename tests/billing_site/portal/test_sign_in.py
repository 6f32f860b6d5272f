"""Signing in and out."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import PASSWORD, Company
from tests.factories.shop import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]

LOGIN = "portal:login"


def test_a_customer_signs_in_and_comes_to_the_balance(acme: Company) -> None:
    browser = Client()
    response = browser.post(reverse(LOGIN), {"login": acme.owner.email, "password": PASSWORD})
    assert response["Location"] == reverse("portal:balance")


def test_one_comes_back_to_where_one_wanted_to_go_but_not_to_another_site(acme: Company) -> None:
    for wanted, reached in (("/charges/1/", "/charges/1/"), ("https://evil.example/", "/"), ("//evil.example", "/")):
        answers = {"login": acme.owner.email, "password": PASSWORD, "next": wanted}
        assert Client().post(reverse(LOGIN), answers)["Location"] == reached


def test_a_wrong_password_is_said_without_saying_which_part(acme: Company) -> None:
    known = text_of(Client().post(reverse(LOGIN), {"login": acme.owner.email, "password": "wrong"}))
    unknown = text_of(Client().post(reverse(LOGIN), {"login": "who@example.com", "password": "wrong"}))
    said = "The email address and/or password you specified are not correct."
    assert said in known
    assert said in unknown


def test_signing_out_takes_a_post(acme: Company) -> None:
    browser = Client()
    browser.force_login(acme.owner)
    assert browser.get(reverse("portal:logout")).status_code == 405
    assert browser.post(reverse("portal:logout"))["Location"] == reverse(LOGIN)
    assert browser.get(reverse("portal:balance")).status_code == 302


def test_the_form_cannot_be_sent_from_elsewhere(acme: Company) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(reverse(LOGIN), {"login": acme.owner.email, "password": PASSWORD}).status_code == 403
