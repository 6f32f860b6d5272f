"""Thresholds over HTTP: a customer sets its own, a stranger nobody's."""

from __future__ import annotations

from tests.cast import Api, Company


def test_a_customer_sets_what_its_wallet_is_watched_for(acme: Company, globex: Company, vendor: Api) -> None:
    path = f"/wallets/{acme.wallet.public_id}/thresholds"
    usual = {"percents": None, "account_percents": [50, 20, 5], "amounts": [], "reference": None, "reference_balance": "0.00"}
    assert acme.api.get(path).json() == usual
    asked = {"percents": [10, 40], "amounts": ["5", "12.50"], "reference": "500"}
    answer = acme.api.put(path, asked)
    assert (answer.status_code, answer.json()) == (200, usual | {
        "percents": [40, 10], "amounts": ["12.50", "5.00"], "reference": "500.00", "reference_balance": "500.00",
    })  # fmt: skip
    assert vendor.put("/accounts/acme/thresholds", {"percents": [75]}).json() == {"percents": [75]}
    assert acme.api.put(path, {"percents": None}).json() == usual | {"account_percents": [75]}
    for address in (path, "/accounts/acme/thresholds"):
        assert globex.api.put(address, {"percents": [1]}).status_code == 404
        assert globex.api.get(address).status_code == 404


def test_thresholds_that_make_no_sense_are_refused_by_name(acme: Company) -> None:
    path = f"/wallets/{acme.wallet.public_id}/thresholds"
    for body, field in (
        ({"percents": [0]}, "percents"),
        ({"percents": [100]}, "percents"),
        ({"percents": [5, 5]}, "percents"),
        ({"percents": list(range(1, 12))}, "percents"),
        ({"amounts": ["0"]}, "amounts"),
        ({"amounts": ["1", "1.0"]}, "amounts"),
        ({"reference": "0"}, "reference"),
    ):
        answer = acme.api.put(path, body)
        assert answer.status_code == 422, body
        assert field in str(answer.json()["errors"])
    assert acme.api.get(path).json()["percents"] is None
