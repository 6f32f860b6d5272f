"""Errors are problem documents; the table of codes is the one in docs/errors.md."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError, OperationalError
from django.test import Client, RequestFactory
from rest_framework.exceptions import Throttled, ValidationError

import billing_site.api
import metering
import notifications
import pricing
import wallets
from billing_site.api import problems
from billing_site.api.problems import documented, flat_errors, problem_of, problem_response, server_error
from tests.cast import Api, Company
from wallets.balances.lock import LockBusy
from wallets.errors import Conflict, InvalidInput, NotFound, Refusal

DOCS = Path(__file__).parents[3] / "docs" / "errors.md"


def load_every_refusal() -> None:
    for app in (wallets, pricing, metering, notifications, billing_site.api):
        for module in pkgutil.walk_packages(app.__path__, f"{app.__name__}."):
            if ".migrations" not in module.name and ".admin" not in module.name:
                importlib.import_module(module.name)


def test_every_code_is_documented_with_its_status() -> None:
    load_every_refusal()
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| \S", DOCS.read_text(), re.MULTILINE)
    listed = [(code, int(status)) for code, status in rows]
    assert set(documented()) - set(listed) == set(), "add a line to docs/errors.md"
    assert set(listed) - set(documented()) == set(), "no longer in the source"
    assert listed == sorted(listed)


def test_one_code_has_one_status() -> None:
    load_every_refusal()
    by_code: dict[str, set[int]] = {}
    waiting: list[type[Refusal]] = [Refusal]
    while waiting:
        refusal = waiting.pop()
        waiting.extend(refusal.__subclasses__())
        problem = problem_of(refusal("…"))
        assert problem is not None
        by_code.setdefault(refusal.code, set()).add(problem.status)
    for known in problems.OTHERS.values():
        by_code.setdefault(known.code, set()).add(known.status)
    assert {code: statuses for code, statuses in by_code.items() if len(statuses) > 1} == {}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidInput("…"), 422, "invalid"),
        (NotFound("…"), 404, "not_found"),
        (Conflict("…"), 409, "conflict"),
        (LockBusy("…"), 503, "lock_busy"),
        (Throttled(wait=7.2), 429, "rate_limited"),
        (DataError("numeric field overflow"), 422, "invalid"),
        (OperationalError("server closed the connection"), 503, "unavailable"),
    ],
)
def test_errors_have_their_status_and_code(error: Exception, status: int, code: str) -> None:
    response = problem_response(error, {})
    assert response is not None
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    document = json.loads(response.content)
    assert (document["status"], document["code"]) == (status, code)
    assert document["type"] == f"/api/problems/#{code}"
    assert ("Retry-After" in response) == (status in {429, 503})


def test_what_the_database_says_is_not_told() -> None:
    response = problem_response(DataError("secret statement"), {})
    assert response is not None
    assert b"secret" not in response.content


def test_an_accident_is_handed_on() -> None:
    assert problem_response(ZeroDivisionError(), {}) is None


def test_further_members_stand_beside_the_problem_but_never_replace_it() -> None:
    refusal = Conflict("Not enough.", fields={"amount": "at most 5"}, extra={"available": "5.00", "status": 200})
    response = problem_response(refusal, {})
    assert response is not None
    document = json.loads(response.content)
    assert (document["available"], document["status"], document["errors"]) == ("5.00", 409, {"amount": ["at most 5"]})


def test_fields_are_named_in_full() -> None:
    detail: Any = ValidationError(
        {"prices": [{}, {"unit_price": ["a"]}], "policy": {"on_empty": ["b"]}, "tags": {0: ["c"]}}
    ).detail
    assert flat_errors(detail) == {"prices.1.unit_price": ["a"], "policy.on_empty": ["b"], "tags.0": ["c"]}


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/nothing", "/gate/nothing"])
def test_an_address_that_does_not_exist_is_a_problem_document_below_api(path: str) -> None:
    response = Client().get(path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_an_accident_below_api_is_told_nothing_about() -> None:
    response = server_error(RequestFactory().get("/api/v1/accounts"))
    assert (response.status_code, json.loads(response.content)["code"]) == (500, "internal_error")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("DELETE", "/accounts", 405, "method_not_allowed"),
        ("OPTIONS", "/accounts", 405, "method_not_allowed"),
        ("GET", "/accounts/nobody", 404, "not_found"),
        ("GET", "/accounts/a%00b", 400, "malformed"),
        ("GET", "/accounts?cursor=%00", 400, "malformed"),
        ("GET", "/wallets/wal_nothing", 404, "not_found"),
        ("GET", "/wallets/%F0%9F%98%80", 404, "not_found"),
        ("GET", "/wallets/%ED%A0%80", 404, "not_found"),
        ("GET", f"/accounts/{'a' * 5_000}", 404, "not_found"),
    ],
)
def test_what_is_not_there_is_told_apart_from_what_is_malformed(
    vendor: Api, method: str, path: str, status: int, code: str
) -> None:
    response = vendor.send(method, path)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_body_of_another_type_is_415(vendor: Api) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        response = vendor.post("/meters", raw=b"code=1", content_type=content_type)
        assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_a_body_of_seventeen_mebibytes_is_413(vendor: Api) -> None:
    response = vendor.post("/meters", raw=b" " * (17 * 1024 * 1024))
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


def test_a_claimed_length_beyond_the_limit_is_413_unread(vendor: Api) -> None:
    response = Client().generic("POST", "/api/v1/meters", b"{}", content_type="application/json", CONTENT_LENGTH="9" * 30)
    assert response.status_code == 413


def chunked(secret: str, body: bytes, *, terminated: bool = True) -> Any:
    environ = {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_LENGTH": "",
        "wsgi.input_terminated": terminated,
        "wsgi.input": BytesIO(body),
    }
    headers = {"authorization": f"Bearer {secret}"}
    return Client().generic("POST", "/api/v1/meters", body, "application/json", headers=headers, **environ)  # type: ignore[arg-type]


def test_a_body_sent_in_chunks_is_read_up_to_the_limit(vendor: Api) -> None:
    body = b'{"code": "calls", "event_type": "call", "aggregation": "count"}'
    assert chunked(vendor.secret, body).status_code == 201
    assert chunked(vendor.secret, b" " * (17 * 1024 * 1024)).json()["code"] == "body_too_large"
    assert chunked(vendor.secret, body, terminated=False).json()["code"] == "length_required"


def test_whatever_accept_says_the_answer_is_json(vendor: Api) -> None:
    for accept in ("text/html", "image/png", "application/json;q=0", "nonsense"):
        assert vendor.get("/accounts", accept=accept).json() == {"data": [], "next_cursor": None}


def test_every_wrong_field_of_a_body_is_named(vendor: Api) -> None:
    answer = vendor.post("/accounts", {"account": 7, "name": None, "e-mail": "x", "currency": ["USD"]})
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == {"account", "name", "currency"}
    answer = vendor.post("/accounts", {"account": "initech", "name": "Initech", "e-mail": "x"})
    assert answer.json()["errors"] == {"e-mail": ["There is no such field."]}


@pytest.mark.parametrize("body", [[], "text", 7, None, True])
def test_a_body_that_is_no_object_is_refused(vendor: Api, body: object) -> None:
    response = vendor.send("POST", "/accounts", raw=json.dumps(body).encode())
    assert response.status_code == 422


def test_a_refused_request_leaves_no_row(vendor: Api, acme: Company) -> None:
    before = vendor.get("/accounts").json()
    assert vendor.post("/accounts", {"account": "initech", "name": "Initech", "price_book": "pbk_none"}).status_code == 422
    assert vendor.get("/accounts").json() == before
