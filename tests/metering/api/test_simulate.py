"""POST /pricing/simulate as finance's program asks it."""

from __future__ import annotations

from typing import Any

import pytest

from pricing.books.models import PriceVersion
from tests.cast import OPENED_AT, Api, Company
from tests.factories.shop import Shop, open_shop
from wallets.api_keys.issue import issue_api_key

pytestmark = pytest.mark.django_db
WINDOW = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-24T00:00:00Z"}


@pytest.fixture
def asked(acme: Company, globex: Company) -> dict[str, Any]:
    shop: Shop = open_shop(acme, globex)
    assert shop.acme is acme
    return {"price_version": PriceVersion.objects.get().public_id, "account": "acme"} | WINDOW


def test_the_live_version_is_what_was_charged(asked: dict[str, Any], vendor: Api) -> None:
    answer = vendor.post("/pricing/simulate", asked)
    body = answer.json()
    assert answer.status_code == 200, body
    (total,) = body["totals"]
    assert total["before"] == total["after"]
    assert (total["after"]["revenue"], total["currency"], total["difference"]) == ("0.15", "USD", "0.00")
    assert [row["name"] for row in body["accounts"]] == ["acme"]
    assert body["from"] == WINDOW["from"]
    assert (body["ran_empty"], body["unpriced"], body["waiting"]) == ([], 0, 1)
    assert sum(one["from_hours"] for one in body["sources"]) == 3


def test_only_the_vendor_with_the_scope(asked: dict[str, Any], acme: Company, globex: Company) -> None:
    for api in (acme.api, globex.api, Api(issue_api_key(name="w", scopes=("gate:check",), at=OPENED_AT).secret)):
        assert api.post("/pricing/simulate", asked).status_code in {403, 404}


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"from": "2026-11-01T00:30:00Z"}, 422, "from"),
        ({"from": "yesterday"}, 422, "from"),
        ({"to": "2026-11-01T00:00:00Z"}, 422, "to"),
        ({"to": "2028-11-01T00:00:00Z"}, 422, "to"),
        ({"price_version": 7}, 422, "price_version"),
        ({"version": "x"}, 422, "version"),
        ({"price_version": "prv_x"}, 404, None),
        ({"account": "nobody"}, 404, None),
    ],
)
def test_bad_input_is_named(asked: dict[str, Any], vendor: Api, wrong: dict[str, Any], status: int, field: str | None) -> None:
    answer = vendor.post("/pricing/simulate", asked | wrong)
    assert answer.status_code == status, answer.json()
    if field:
        assert field in str(answer.json()["errors"])
