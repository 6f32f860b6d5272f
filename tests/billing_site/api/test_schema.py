"""The OpenAPI document and its page: complete, and from this host alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document(db: None) -> dict[str, Any]:
    response = Client().get("/api/schema/")
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


def served() -> set[tuple[str, str]]:
    """(path, method) of everything below /api/v1/."""
    found: set[tuple[str, str]] = set()

    def walk(resolver: URLResolver, prefix: str) -> None:
        for pattern in resolver.url_patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern, path)
            elif isinstance(pattern, URLPattern) and path.startswith("api/v1/"):
                view = pattern.callback.cls  # type: ignore[attr-defined]
                plain = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)
                found.update((plain, method) for method in METHODS if hasattr(view, method))

    walk(get_resolver(), "")
    return found


def test_the_whole_surface_is_in_the_document(document: dict[str, Any]) -> None:
    described = {(path, method) for path, operations in document["paths"].items() for method in operations}
    assert described == served()


def test_the_document_is_openapi_3_1_with_bearer_keys(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    assert "Problem" in document["components"]["schemas"]


def test_every_operation_has_a_name_a_sentence_and_its_scope(document: dict[str, Any]) -> None:
    operations = [operation for operations in document["paths"].values() for operation in operations.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert [one["operationId"] for one in operations if "Needs the scope" not in one["description"]] == []
    assert [one["operationId"] for one in operations if not {"401", "403"} <= set(one["responses"])] == []


def test_every_post_that_makes_or_moves_something_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    without = {
        operations["post"]["operationId"]
        for operations in document["paths"].values()
        if "post" in operations and "Idempotency-Key" not in {one["name"] for one in operations["post"].get("parameters", ())}
    }
    # Events carry their own ids; the gate decides and previews compute, and keep nothing; a wrong voucher code leaves its
    # attempt behind; a card's bank is asked outside every transaction; the tokens of
    # banner and widget are signed and kept nowhere; of a link into the portal the hash alone is kept.
    assert without <= {
        "send_events", "authorize", "replay_dead_letters", "preview_price", "preview_credits", "simulate_prices",
        "redeem_voucher", "subscribe", "change_subscription_plan", "resume_subscription",
        "keep_payment_method", "set_up_payment_method", "make_banner_token", "make_widget_token", "make_portal_session",
    }  # fmt: skip


def test_lists_are_pages(document: dict[str, Any]) -> None:
    page = document["components"]["schemas"]["PaginatedWalletOutList"]
    assert set(page["properties"]) == {"data", "next_cursor"}


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in re.findall(r"'\$ref': '#/([^']+)'", str(document)):
        found: Any = document
        for part in reference.split("/"):
            found = found[part]


@pytest.mark.parametrize("path", ["/api/docs/", "/api/docs/?script=", "/api/problems/"])
def test_the_pages_name_no_outside_host(db: None, path: str) -> None:
    response = Client().get(path)
    assert response.status_code == 200
    outside = [url for url in re.findall(rb"https?://[^\"'\s<]+", response.content) if not url.startswith(b"http://testserver")]
    assert outside == []


def test_the_page_explains_every_code_a_problem_may_point_to(db: None) -> None:
    assert b'id="missing_scope"' in Client().get("/api/problems/").content
