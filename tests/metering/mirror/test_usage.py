"""Usage is told to Stripe's meters hour by hour, corrections as differences; the command and the admin say what differs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal as D
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from metering.ingest.batch import ingest_batch
from metering.mirror.drift import compare_mirror
from metering.mirror.models import MirroredHour
from metering.mirror.usage import note_hours
from tests.cast import Company
from tests.factories.mirror import GRANTS, METER_EVENT, METERS, meter, mirror_to_stripe, summary
from tests.factories.usage import AT, credit, event, open_prices
from tests.fakes.recorded_stripe import RecordedStripe, error, listed
from wallets import clock
from wallets.accounts.models import User
from wallets.mirror.models import MirrorDrift, MirrorItem
from wallets.mirror.send import send_items

pytestmark = pytest.mark.django_db
HOUR = AT.replace(minute=0, second=0, microsecond=0)
LATER = HOUR + timedelta(hours=1, minutes=11)
NEXT_DAY = HOUR + timedelta(days=1)
CALLS, TOKENS = "GET /v1/billing/meters/mtr_calls/event_summaries", "GET /v1/billing/meters/mtr_tokens/event_summaries"


@pytest.fixture
def stripe(acme: Company, settings: Settings, books_hold: None) -> Iterator[RecordedStripe]:
    open_prices()
    credit(acme.wallet, "10")
    with mirror_to_stripe(settings, since=HOUR - timedelta(days=2)) as recorded:
        recorded.answers(METER_EVENT, {"object": "billing.meter_event"})
        yield recorded


def use(*tokens: int, name: str = "e") -> None:
    ingest_batch(events=[event(f"{name}{number}", one, account="acme") for number, one in enumerate(tokens)], at=AT)


def mirror(at: datetime = LATER) -> int:
    note_hours(at=at)
    return send_items(at=at)


def told(stripe: RecordedStripe) -> list[tuple[str, str]]:
    return [(one.form["event_name"], one.form["payload[value]"]) for one in stripe.of(METER_EVENT)]


def test_an_hour_is_told_once_it_is_over_and_what_comes_late_as_the_difference(stripe: RecordedStripe) -> None:
    use(100, 200)
    assert (mirror(AT), mirror(HOUR + timedelta(hours=1, minutes=9))) == (0, 0)
    assert (mirror(), mirror()) == (2, 0)
    assert sorted(told(stripe)) == [("calls", "2"), ("tokens", "300")]
    sent = stripe.of(METER_EVENT)[0]
    assert sent.form["identifier"] == sent.key
    assert sent.form["payload[stripe_customer_id]"] == "cus_1"
    assert sent.form["timestamp"] == str(int(HOUR.timestamp()))
    use(7, name="late")
    assert mirror() == 2
    assert sorted(told(stripe)[2:]) == [("calls", "1"), ("tokens", "7")]
    assert len({one.key for one in stripe.of(METER_EVENT)}) == 4
    assert sorted(MirroredHour.objects.values_list("quantity", "times")) == [(3, 2), (307, 2)]


def test_a_stranger_meter_is_refused_and_old_usage_is_not_told(stripe: RecordedStripe) -> None:
    use(100)
    stripe.forget(METER_EVENT)
    stripe.answers(METER_EVENT, error("invalid_request_error", code="resource_missing"), status=400)
    note_hours(at=LATER)
    assert send_items(at=LATER) == 0
    assert set(MirrorItem.objects.values_list("state", flat=True)) == {"REFUSED"}
    MirrorItem.objects.update(state="WAITING", next_try_at=LATER)
    assert send_items(at=LATER + timedelta(days=36)) == 0
    assert set(MirrorItem.objects.values_list("problem", flat=True)) == {"Usage older than 35 days is not taken."}
    assert note_hours(at=LATER + timedelta(days=36)) == 0


def test_the_command_finds_usage_that_differs_and_the_admin_shows_it(stripe: RecordedStripe, fiona: User) -> None:
    use(100, 200)
    mirror()
    stripe.answers(GRANTS, listed())
    stripe.answers(METERS, listed(meter("calls", "mtr_calls")))
    stripe.answers(CALLS, listed(summary(2.0, "mtr_calls")))
    stripe.answers(TOKENS, listed(summary(299.0, "mtr_tokens")))
    assert [(one.what, one.subject, one.ours, one.theirs) for one in compare_mirror(at=NEXT_DAY)] == [
        ("no meter there", "tokens", D(300), D(0))
    ]
    stripe.forget(METERS)
    stripe.answers(METERS, listed(meter("calls", "mtr_calls"), meter("tokens", "mtr_tokens")))
    out = StringIO()
    with clock.set_to(NEXT_DAY), pytest.raises(CommandError, match="1 differences"):
        call_command("mirror_drift", stdout=out)
    assert "usage differs" in out.getvalue()
    assert MirrorDrift.objects.count() == 1, "in place of what was found before"
    client = Client()
    client.force_login(fiona)
    for name, says in (("mirrordrift", "usage differs"), ("mirroritem", "300 tokens")):
        page = client.get(f"/admin/wallets/{name}/")
        assert page.status_code == 200
        assert says in page.content.decode()
    stripe.forget(TOKENS)
    stripe.answers(TOKENS, listed(summary(300.0, "mtr_tokens")))
    with clock.set_to(NEXT_DAY):
        call_command("mirror_drift", stdout=out)
    assert "as we have it" in out.getvalue()


def test_without_a_mirror_nothing_is_noted(stripe: RecordedStripe, settings: Settings) -> None:
    use(100)
    settings.STRIPE_MIRROR_SINCE = None
    assert (note_hours(at=LATER), compare_mirror(at=LATER)) == (0, [])
    with pytest.raises(CommandError, match="not set"):
        call_command("mirror_drift")
