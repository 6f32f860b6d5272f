"""What people see when something is not there, not allowed or broken."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.views import defaults

from tests.factories.shop import text_of

pytestmark = pytest.mark.django_db


def test_an_address_of_nothing_says_where_to_go() -> None:
    response = Client().get("/nothing-here/")
    assert response.status_code == 404
    assert "There is nothing here." in text_of(response)
    assert "unsafe" not in response["Content-Security-Policy"]


def test_a_broken_page_says_what_is_safe() -> None:
    response = defaults.server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "Your balance is safe" in text_of(response)


def test_what_one_may_not_do_is_said_calmly() -> None:
    response = defaults.permission_denied(RequestFactory().get("/"), PermissionError())
    assert response.status_code == 403
    assert "Nothing was changed." in text_of(response)


def test_a_form_without_its_token_says_what_to_do() -> None:
    response = Client(enforce_csrf_checks=True).post("/login/", {})
    assert response.status_code == 403
    assert "send the form once more" in text_of(response)
