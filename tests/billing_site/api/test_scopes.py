"""A view says which scope it needs; one that says nothing is closed."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from billing_site.api.scopes import required_scope
from tests.cast import OPENED_AT, Api, Company
from wallets.api_keys.issue import issue_api_key


class Undeclared(APIView):
    def get(self, request: Any) -> Response:
        return Response({})


class PerMethod(APIView):
    required_scope: ClassVar = {"GET": "accounts:read"}

    def get(self, request: Any) -> Response:
        return Response({})

    def post(self, request: Any) -> Response:
        return Response({})


def status(view: type[APIView], method: str, secret: str) -> int:
    request = getattr(APIRequestFactory(), method)("/", headers={"authorization": f"Bearer {secret}"})
    return view.as_view()(request).status_code


def test_a_view_that_declares_no_scope_is_closed_to_every_key(vendor: Api) -> None:
    assert status(Undeclared, "get", vendor.secret) == 403


def test_a_method_that_declares_no_scope_is_closed(vendor: Api) -> None:
    assert status(PerMethod, "get", vendor.secret) == 200
    assert status(PerMethod, "head", vendor.secret) == 200
    assert status(PerMethod, "post", vendor.secret) == 403
    assert status(PerMethod, "delete", vendor.secret) == 405


def test_a_head_needs_what_a_get_needs() -> None:
    assert required_scope(PerMethod, "HEAD") == "accounts:read"


@pytest.mark.parametrize("scope", ["events:write", "gate:check", "accounts:write", "wallets:write", "reports:read"])
def test_a_key_without_the_scope_is_refused_and_told_which(db: None, scope: str) -> None:
    answer = Api(issue_api_key(name="narrow", scopes=[scope], at=OPENED_AT).secret).get("/accounts")
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert "accounts:read" in answer.json()["detail"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dTpw", "bearer key_x", "Bearer a b", "Bearer schl\xfcssel"])
def test_without_a_valid_key_there_is_401_and_how_to_send_one(db: None, header: str) -> None:
    answer = Api("").send("GET", "/accounts", authorization=header)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_confined_key_cannot_use_what_all_customers_share(acme: Company) -> None:
    for path in ("/meters", "/price-books"):
        answer = acme.api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "key_confined")


def test_a_confined_key_lists_its_own_account_only(acme: Company, globex: Company) -> None:
    assert [account["account"] for account in acme.api.get("/accounts").json()["data"]] == ["acme"]


def test_a_confined_key_cannot_choose_what_it_pays(acme: Company) -> None:
    assert acme.api.patch("/accounts/acme", {"name": "Acme Ltd"}).status_code == 200
    assert acme.api.patch("/accounts/acme", {"price_book": "pbk_cheap"}).status_code == 403
