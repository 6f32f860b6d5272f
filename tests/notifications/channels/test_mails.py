"""Every mail, compared with its golden file in tests/golden/email, so that a change is seen in review.
`UPDATE_GOLDEN=on pytest tests/notifications/channels/test_mails.py` writes them anew."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from notifications.channels.contract import Message
from notifications.channels.email.render import render_mail
from notifications.channels.topics import MAY_DECLINE, TOPICS
from wallets.brand.read import remember_brand, unbranded

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "email"
AT = datetime(2026, 11, 23, 10, 4, tzinfo=UTC)
MONEY = {"currency": "USD"}
FACTS = {
    "threshold_crossed": {"percent": "20", "balance": "19.874210000000", "reference_balance": "100", **MONEY},
    "balance_recovered": {"balance": "119.87", **MONEY},
    "rule_matched": {
        "rule": "Call the big ones", "percent": "20", "balance": "19.87", "reference_balance": "100", **MONEY,
    },
    "wallet_exhausted": {"balance": "-0.000412", **MONEY},
    "wallet_resumed": {"balance": "49.9996", **MONEY},
    "run_out_forecast": {"days": "3", "balance": "41.20", "per_day": "13.1", "runs_out_at": "2026-11-26T12:00:00Z", **MONEY},
    "burn_rate_doubled": {"balance": "812.5", "per_day": "240.061", "before": "101.9", **MONEY},
    "burn_rate_page": {"balance": "812.5", "per_day": "240.061", "before": "101.9", **MONEY},
    "top_up_succeeded": {"amount": "50", "total": "59.5", "balance": "61.2", "top_up": "top_5kT1bN8xW3qZ7mR2vC9hYf", **MONEY},
    "top_up_failed": {"amount": "50", "total": "59.5", "reason": "Your bank declined the card.", "top_up": "top_5kT1", **MONEY},
    "recharge_needs_authentication": {"total": "50", "top_up": "top_5kT1bN8xW3qZ7mR2vC9hYf", **MONEY},
    "recharge_not_done": {
        "reason": "the monthly cap is reached", "balance": "4.02", "below": "10", "next_at": "2026-12-01T00:00:00Z", **MONEY,
    },
    "recharge_breaker_opened": {"card": "Visa •••• 4242", "declines": "3", "reason": "Your bank declined the card."},
    "card_expiring": {"label": "Visa •••• 4242", "exp_month": "12", "exp_year": "2026"},
    "dispute_opened": {"amount": "50", "reason": "not recognised", "respond_by": "2026-12-07T23:59:00Z", **MONEY},
    "refund_succeeded": {"total": "59.5", "credit": "50", "refund": "ref_5kT1bN8x", "top_up": "top_5kT1bN8x", **MONEY},
    "refund_failed": {"total": "59.5", "credit": "50", "refund": "ref_5kT1bN8x", "top_up": "top_5kT1bN8x", **MONEY},
    "withdrawal_requested": {
        "amount": "30", "withdrawal": "wdr_5kT1bN8x", "confirm_by": "2026-11-24T10:04:00Z",
        "link": "https://billing.example/withdraw/confirm/token/", **MONEY,
    },
    "withdrawal_changed": {
        "amount": "30", "state": "approved", "withdrawal": "wdr_5kT1bN8xW3qZ7mR2vC9hYf", "payable_at": "2026-11-26T10:04:00Z",
        **MONEY,
    },
    "lot_expiring": {"amount": "11.2", "days": "7", "expires_at": "2026-11-30T00:00:00Z", "lot": "lot_5kT1", **MONEY},
    "lot_expired": {"amount": "1250000", "unit": "tokens", "lot": "lot_5kT1bN8xW3qZ7mR2vC9hYf"},
    "subscription_changed": {"plan": "Team", "before": "ACTIVE", "after": "PAST_DUE", "what": "its fee was not paid"},
    "statement_issued": {
        "number": "main-2026-000123", "period_start": "2026-10-01T00:00:00Z", "period_end": "2026-11-01T00:00:00Z",
        "closing_balance": "41.2", **MONEY,
    },
    "spend_cap_reached": {"value": "u_77", "used": "20.004", "limit": "20", "window_start": "2026-11-01T00:00:00Z", **MONEY},
    "api_key_issued": {"name": "prod-2", "prefix": "key_5kT1bN8x", "scopes": "events:write", "actor": "dana@acme.example"},
    "member_invited": {
        "email": "new@acme.example", "role": "billing", "actor": "dana@acme.example", "expires_at": "2026-11-30T10:04:00Z",
        "link": "https://billing.example/invitations/token/",
    },
    "member_added": {"email": "new@acme.example", "role": "billing", "actor": "dana@acme.example"},
    "endpoint_disabled": {
        "url": "https://acme.example/hooks/billing", "since": "2026-11-18T09:00:00Z", "answer": "500 our database is away",
    },
    "proof_failed": {
        "failed": "1", "proofs": "36", "frozen": "wal_5kT1bN8xW3qZ7mR2vC9hYf",
        "findings": "wallet wal_5kT1bN8xW3qZ7mR2vC9hYf has balance 41.2 and overdraft 0, its last entry 77 says 14.2 and 0",
    },
    "digest": {"count": "2", "lines": "Acme: $ 19.87 left\nAcme: $ 11.20 of credit expires in 7 days"},
    "test": {},
}  # fmt: skip


def message(topic: str) -> Message:
    return Message(
        delivery="dlv_5kT1bN8xW3qZ7mR2vC9hYf",
        event="alt_5kT1bN8xW3qZ7mR2vC9hYf",
        topic=topic,
        happened_at=AT,
        address="dana@acme.example",
        account="acme",
        account_name="Acme Inc. & Sons",
        wallet="wal_5kT1bN8xW3qZ7mR2vC9hYf",
        mandatory=TOPICS[topic].mandatory,
        facts=FACTS[topic],
        time_zone="Europe/Berlin",
        unsubscribe="https://billing.example/unsubscribe/token" if topic in MAY_DECLINE else "",
    )


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_a_mail_is_as_its_golden_file(topic: str, settings):
    settings.PORTAL_LINKS = {name: f"https://billing.example/{name}/{{account}}" for name in settings.PORTAL_LINKS}
    settings.SELLER_NAME = "Cloud Compute"
    remember_brand(unbranded())
    mail = render_mail(message(topic))
    found = {f"{topic}.txt": f"Subject: {mail.subject}\n\n{mail.text}", f"{topic}.html": mail.html}
    for name, text in found.items():
        if os.environ.get("UPDATE_GOLDEN"):
            (GOLDEN / name).write_text(text)
        assert text == (GOLDEN / name).read_text(), name


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_a_mail_says_the_same_in_text_and_html_and_nothing_is_left_open(topic: str):
    mail = render_mail(message(topic))
    words = _words(mail.html)
    assert mail.subject
    for text in (mail.subject, mail.text, words):
        assert "  " not in text.strip().replace("\n", "")
        assert not {"None", "{{", "}}", "{%", "&amp;"} & set(text.split())
    for line in mail.text.split("\n"):
        if ": " in line and "http" not in line:
            assert line.partition(": ")[2] in words, line


def test_what_a_customer_wrote_is_text_and_no_markup_and_no_header():
    evil = '<script>alert("1")</script>'
    mail = render_mail(
        replace(message("member_added"), account_name=f"{evil}\r\nBcc: all@globex.example", facts={"email": evil})
    )
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject
    assert "<script>" not in mail.html
    assert evil in mail.text


def test_times_are_the_recipients(settings):
    tokyo = render_mail(replace(message("lot_expiring"), time_zone="Asia/Tokyo"))
    nowhere = render_mail(replace(message("lot_expiring"), time_zone="Mars/Olympus"))
    assert "30 Nov 2026, 09:00 JST" in tokyo.text
    assert "30 Nov 2026, 00:00 UTC" in nowhere.text


def test_a_threshold_that_is_an_amount_is_told_as_one():
    mail = render_mail(replace(message("threshold_crossed"), facts={"threshold": "20", "balance": "19.8", **MONEY}))
    for text in (mail.text, _words(mail.html)):
        assert "has fallen to 20.00 USD or less" in text
        assert "%" not in text


def test_a_language_without_translation_falls_back_to_english():
    assert "expires" in render_mail(replace(message("lot_expiring"), language="pl")).subject


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_a_fact_that_is_missing_or_no_amount_does_not_stop_a_mail(topic: str):
    assert render_mail(replace(message(topic), facts={})).subject
    assert render_mail(replace(message(topic), facts=dict.fromkeys(FACTS[topic], "?"))).subject


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def _words(html: str) -> str:
    reader = _Words()
    reader.feed(html.partition("</head>")[2])
    return " ".join(" ".join(reader.found).split())
