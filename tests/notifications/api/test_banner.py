"""The banner: what is told and still so, for a browser with a token of one account, and on the customer's pages."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from notifications.alerts.banner import TOKEN_SECONDS
from notifications.alerts.models import Alert
from notifications.alerts.raise_alert import raise_alert
from notifications.alerts.resolve import resolve_alerts
from tests.cast import Company
from tests.factories.shop import browser_of, text_of
from wallets import clock

pytestmark = pytest.mark.django_db
APP = "https://app.vendor.example"


def tell(company: Company, topic: str, number: int = 1, severity: str = "warning", **facts: str) -> Alert:
    told = raise_alert(
        topic=topic, key=f"{topic}:{company.account.pk}:{number}", account_id=company.account.pk, wallet_id=company.wallet.pk,
        facts={"balance": "4.2", "percent": "5", "currency": "USD"} | facts, at=clock.now(), severity=severity,
    )  # fmt: skip
    assert told is not None
    return told


def token_of(company: Company) -> dict[str, str]:
    made: dict[str, str] = company.api.post(f"/accounts/{company.account.key}/banner-tokens").json()
    return made


def read(token: str, origin: str = APP, **more: Any) -> Any:
    return Client().get("/banner/alerts", headers={"authorization": f"Bearer {token}", "origin": origin, **more})


def test_a_page_of_the_vendors_app_shows_and_puts_away_what_is_still_so(acme: Company, globex: Company, settings) -> None:
    settings.BANNER_ORIGINS = [APP]
    tell(acme, "threshold_crossed", 1, percent="20")
    low = tell(acme, "threshold_crossed", 2)
    tell(acme, "wallet_exhausted", severity="critical")
    tell(acme, "statement_issued", severity="info")
    theirs = tell(globex, "card_expiring")
    made = token_of(acme)
    answer = read(made["token"])
    assert answer["Access-Control-Allow-Origin"] == APP
    assert [one["severity"] for one in answer.json()["data"]] == ["critical"], "used up stands for low"
    resolve_alerts(wallet_id=acme.wallet.pk, topics=["wallet_exhausted"], at=clock.now())
    (line,) = read(made["token"]).json()["data"]
    assert (line["alert"], line["severity"], line["text"]) == (low.public_id, "warning", "Acme: 4.20 USD left")
    assert line["link"].endswith("/top-up/acme")
    assert "Access-Control-Allow-Origin" not in read(made["token"], origin="https://evil.example")
    bearer = {"authorization": f"Bearer {made['token']}"}
    assert Client().post("/banner/alerts", {"alert": theirs.public_id}, headers=bearer).status_code == 404
    assert Client().post("/banner/alerts", {"alert": low.public_id}, headers=bearer).json() == {"data": []}
    assert Alert.objects.filter(dismissed_at__isnull=False).count() == 2  # and the one it overtook
    preflight = Client().options("/banner/alerts", headers={"origin": APP, "access-control-request-method": "GET"})
    assert (preflight.status_code, preflight["Access-Control-Allow-Headers"]) == (204, "authorization, content-type")


def test_a_token_is_of_one_account_for_an_hour_and_for_nothing_else(acme: Company, globex: Company, monkeypatch) -> None:
    token = token_of(acme)["token"]
    assert acme.api.post("/accounts/globex/banner-tokens").status_code == 404
    for wrong in ("", token[:-1], token + "x", acme.api.secret):
        assert read(wrong).status_code == 401
    assert acme.api.send("GET", "/accounts/acme", authorization=f"Bearer {token}").status_code == 401
    now = clock.now() + timedelta(seconds=TOKEN_SECONDS + 5)
    monkeypatch.setattr("django.core.signing.time.time", now.timestamp)
    assert read(token).json()["code"] == "banner_token_refused"


def test_the_script_is_the_version_that_is_out(acme: Company) -> None:
    """A page that names its integrity would not run another: changes go into a file with the next number."""
    made = token_of(acme)
    assert made["integrity"] in (Path(__file__).parents[3] / "docs" / "banner.md").read_text()
    served = Client().get(re.sub(r"^https?://[^/]+", "", made["script"]))
    served.close()
    assert (served.status_code, served["Access-Control-Allow-Origin"]) == (200, "*")


def test_the_customers_pages_have_it_too(acme: Company, globex: Company) -> None:
    low = tell(acme, "threshold_crossed")
    browser = browser_of(acme.owner)
    assert "Acme: 4.20 USD left Look Dismiss" in text_of(browser.get("/alerts/acme"))
    body = {"alert": low.public_id, "next": "/cards/acme"}
    assert browser_of(globex.owner).post("/dismiss/acme", body).status_code == 404
    assert browser_of(globex.owner).post("/dismiss/globex", body).status_code == 404
    assert browser.post("/dismiss/acme", body)["Location"] == "/cards/acme"
    assert "4.20 USD left" not in text_of(browser.get("/caps/acme"))
    low.dismissed_at = None
    low.save()
    assert browser.post("/dismiss/acme", body | {"next": "https://evil.example/"})["Location"] == "/alerts/acme"
