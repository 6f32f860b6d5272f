"""Credit is told to Stripe Billing once, in Stripe's documented shapes, and what differs there is found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from tests.cast import OPENED_AT, Company
from tests.factories.mirror import GRANT, GRANTS, credit_grant, mirror_to_stripe
from tests.factories.payments import AT
from tests.fakes.recorded_stripe import HANGS_UP, RecordedStripe, error, listed
from wallets.balances.open import open_wallet
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.credit.void import void_lot
from wallets.mirror.drift import credit_drift
from wallets.mirror.lots import note_ends, note_lots
from wallets.mirror.models import MirrorItem
from wallets.mirror.send import NotRefused, send_again, send_items

pytestmark = pytest.mark.django_db
VOID, EXPIRE = "POST /v1/billing/credit_grants/credgr_1/void", "POST /v1/billing/credit_grants/credgr_1/expire"


@pytest.fixture
def stripe(settings: Settings, books_hold: None) -> Iterator[RecordedStripe]:
    with mirror_to_stripe(settings, since=OPENED_AT) as recorded:
        yield recorded


def grant(company: Company, amount: str = "50", kind: str = "paid", **more: Any) -> CreditLot:
    return grant_credit(wallet_id=company.wallet.pk, amount=D(amount), kind=kind, at=AT, reason="Top-up", **more)


def mirror(minutes: float = 0) -> int:
    at = AT + timedelta(minutes=minutes)
    note_lots(at=at)
    note_ends(at=at)
    return send_items(at=at)


def states() -> list[tuple[str, str]]:
    return list(MirrorItem.objects.order_by("id").values_list("kind", "state"))


def drift() -> list[tuple[str, D, D]]:
    return [(one.what, one.ours, one.theirs) for one in credit_drift()]


def test_a_lot_becomes_a_credit_grant_once(acme: Company, stripe: RecordedStripe) -> None:
    ends = AT + timedelta(days=30)
    lot = grant(acme, "50", expires_at=ends, priority=20)
    stripe.answers(GRANT, credit_grant(lot.public_id))
    assert (mirror(), mirror(10), mirror(600)) == (1, 0, 0)
    (asked,) = stripe.of(GRANT)
    assert asked.key == f"grant:{lot.public_id}"
    assert asked.form == {
        "customer": "cus_1",
        "category": "paid",
        "amount[type]": "monetary",
        "amount[monetary][currency]": "usd",
        "amount[monetary][value]": "5000",
        "applicability_config[scope][price_type]": "metered",
        "priority": "20",
        "name": "Top-up",
        "metadata[lot]": lot.public_id,
        "expires_at": str(int(ends.timestamp())),
    }
    assert MirrorItem.objects.get().provider_id == "credgr_1"


def test_given_credit_is_promotional_and_fractions_of_a_cent_stay_here(acme: Company, stripe: RecordedStripe) -> None:
    stripe.answers(GRANT, credit_grant(""))
    for amount, kind in (("1.005", "promotional"), ("2", "compensation"), ("0.001", "trial")):
        grant(acme, amount, kind)
    assert mirror() == 2
    assert [(one.form["category"], one.form["amount[monetary][value]"]) for one in stripe.of(GRANT)] == [
        ("promotional", "100"), ("promotional", "200"),
    ]  # fmt: skip
    assert states()[-1] == ("grant", "REFUSED")


def test_what_is_no_money_or_was_before_is_not_mirrored(acme: Company, stripe: RecordedStripe, settings: Settings) -> None:
    units = open_wallet(account=acme.account, currency="CREDITS", at=OPENED_AT)
    grant_credit(wallet_id=units.pk, amount=D(5), kind="promotional", at=AT)
    grant(acme)
    settings.STRIPE_MIRROR_SINCE = AT + timedelta(seconds=1)
    assert mirror() == 0
    settings.STRIPE_MIRROR_SINCE = None
    assert (note_lots(at=AT), note_ends(at=AT), states()) == (0, 0, [])


@pytest.mark.parametrize("status", [500, 429, HANGS_UP], ids=["500", "rate limit", "no answer"])
def test_what_may_have_been_taken_is_told_again_under_the_same_key(acme: Company, stripe: RecordedStripe, status: int) -> None:
    lot = grant(acme)
    stripe.answers(GRANT, error("api_error"), status=status)
    assert (mirror(), mirror(0.5)) == (0, 0)
    stripe.forget(GRANT)
    stripe.answers(GRANT, credit_grant(lot.public_id))
    assert mirror(60) == 1
    assert {one.key for one in stripe.of(GRANT)} == {f"grant:{lot.public_id}"}
    assert states() == [("grant", "SENT")]


def test_what_is_refused_waits_for_a_person(acme: Company, stripe: RecordedStripe) -> None:
    lot = grant(acme)
    stripe.answers(GRANT, error("invalid_request_error", code="parameter_invalid_integer"), status=400)
    stripe.answers(GRANT, credit_grant(lot.public_id))
    assert (mirror(), mirror(600)) == (0, 0)
    item = MirrorItem.objects.get()
    assert (item.state, item.problem) == ("REFUSED", "The payment provider did not take this (parameter_invalid_integer).")
    stripe.answers(GRANTS, listed())
    assert drift() == [("refused there", D(50), D(0))]
    send_again(pk=item.pk, at=AT)
    assert mirror() == 1
    with pytest.raises(NotRefused):
        send_again(pk=item.pk, at=AT)


def test_a_voided_lot_is_ended_there_after_its_credit(acme: Company, stripe: RecordedStripe) -> None:
    lot = grant(acme)
    stripe.answers(GRANT, error("api_error"), status=503)
    stripe.answers(GRANT, credit_grant(lot.public_id))
    note_lots(at=AT)
    void_lot(lot_public_id=lot.public_id, at=AT, reason="A mistake.", actor="fiona@vendor.example")
    assert (mirror(), states()) == (0, [("grant", "WAITING"), ("end", "WAITING")])
    # An invoice has used some of it, so that it cannot be voided any more.
    stripe.answers(VOID, error("invalid_request_error"), status=400)
    stripe.answers("GET /v1/billing/credit_grants/credgr_1", credit_grant(lot.public_id))
    stripe.answers(EXPIRE, credit_grant(lot.public_id, expires_at=1793000100, updated=1793000100))
    mirror(60)
    mirror(180)
    assert states() == [("grant", "SENT"), ("end", "SENT")]
    assert [one.key for one in stripe.of(EXPIRE)] == [f"end:{lot.public_id}:expire"]


def test_differences_in_credit_are_found(acme: Company, stripe: RecordedStripe) -> None:
    lots = [grant(acme) for _ in range(5)]
    names = [lot.public_id for lot in lots]
    for number, name in enumerate(names):
        stripe.answers(GRANT, credit_grant(name, id=f"credgr_{number}"))
    assert mirror() == 5
    of = {"monetary": {"currency": "usd", "value": 4999}, "type": "monetary"}
    stripe.answers(
        GRANTS,
        listed(
            credit_grant(names[0], id="credgr_0"),
            credit_grant(names[1], id="credgr_1", amount=of),
            credit_grant(names[2], id="credgr_2", voided_at=1793000100),
            credit_grant(names[3], id="credgr_3"),
            credit_grant(names[3], id="credgr_again"),
            credit_grant("", id="credgr_by_hand", metadata={}),
        ),
    )
    assert sorted(drift()) == [
        ("amount differs", D(50), D("49.99")),
        ("missing there", D(50), D(0)),
        ("not ours", D(0), D(50)),
        ("not ours", D(0), D(50)),
        ("open here, ended there", D(50), D(50)),
    ]


def test_a_mirror_that_agrees_has_no_differences(acme: Company, globex: Company, stripe: RecordedStripe) -> None:
    lot = grant(acme)
    stripe.answers(GRANT, credit_grant(lot.public_id))
    mirror()
    stripe.answers(GRANTS, listed(credit_grant(lot.public_id)))
    assert drift() == []
    assert [one.form["customer"] for one in stripe.of(GRANTS)] == ["cus_1"]
