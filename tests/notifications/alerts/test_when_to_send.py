"""Quiet hours, digests and the flood guard: when a mail goes, decided in tables and kept by what sends."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.alerts.models import Alert, Delivery, Recipient
from notifications.alerts.raise_alert import raise_alert
from notifications.alerts.recipients import RecipientTerms, add_recipient, remove_recipient
from notifications.alerts.send import send_due
from notifications.alerts.when_to_send import MOST_IN_WINDOW, WINDOW, Manner, decide_when, next_digest, quiet_end
from notifications.channels.email.kept import KeptMail
from tests.cast import Company

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Apia"])
CLOCKS = st.times(timezones=st.none())
MOMENTS = st.integers(0, 2 * 365 * 24 * 3600).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
State = Delivery.State


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "at", "until"),
    [
        ("22:00-07:00", "2026-11-23 20:59", None),
        ("22:00-07:00", "2026-11-23 21:00", "2026-11-24 06:00"),
        ("22:00-07:00", "2026-11-24 05:59", "2026-11-24 06:00"),
        ("22:00-07:00", "2026-11-24 06:00", None),
        ("12:00-14:00", "2026-11-23 11:30", "2026-11-23 13:00"),
        ("12:00-12:00", "2026-11-23 11:30", None),
        ("22:00-02:30", "2027-03-28 00:59", "2027-03-28 01:30"),  # clocks go from 2 to 3: 2:30 is not there
        ("22:00-02:30", "2026-10-25 00:10", "2026-10-25 00:30"),  # clocks go from 3 to 2: the first 2:10
        ("22:00-02:30", "2026-10-25 01:10", "2026-10-25 01:30"),  # the second
    ],
)
def test_when_quiet_hours_end(quiet: str, at: str, until: str | None) -> None:
    start, end = (time.fromisoformat(one) for one in quiet.split("-"))
    found = quiet_end(Manner(BERLIN, start, end), utc(at))
    assert found == (utc(until) if until else None)


@pytest.mark.parametrize(
    ("words", "at", "until", "gather"),
    [
        ("mandatory digest quiet flood", "2026-11-23 23:00", None, False),
        ("", "2026-11-23 12:00", None, False),
        ("quiet", "2026-11-23 23:00", "2026-11-24 06:00", False),
        ("digest", "2026-11-23 05:00", "2026-11-23 07:00", True),
        ("digest", "2026-11-23 07:00", "2026-11-24 07:00", True),
        ("digest quiet", "2026-11-23 23:00", "2026-11-24 07:00", True),
        ("flood", "2026-11-23 12:00", "2026-11-23 13:00", True),
        ("flood gathered", "2026-11-23 12:00", None, False),
        ("digest gathered", "2026-11-23 12:00", None, False),
        ("gathered quiet", "2026-11-23 23:00", "2026-11-24 06:00", False),
    ],
)
def test_what_goes_when(words: str, at: str, until: str | None, *, gather: bool) -> None:
    quiet = (time(22), time(7)) if "quiet" in words else (None, None)
    verdict = decide_when(
        Manner(BERLIN, *quiet, digest="digest" in words),
        mandatory="mandatory" in words,
        gathered="gathered" in words,
        sent_lately=MOST_IN_WINDOW if "flood" in words else MOST_IN_WINDOW - 1,
        at=utc(at),
    )
    assert (verdict.until, verdict.gather) == (utc(until) if until else None, gather)


@given(zone=ZONES, start=CLOCKS, end=CLOCKS, at=MOMENTS)
def test_whatever_waits_waits_for_a_later_time_that_is_not_quiet(zone: str, start: time, end: time, at: datetime) -> None:
    manner = Manner(ZoneInfo(zone), start, end)
    until = quiet_end(manner, at)
    assert until is None or at < until <= at + timedelta(hours=49)
    digest = next_digest(manner, at)
    assert at < digest <= at + timedelta(hours=75)
    assert quiet_end(manner, digest) is None or digest.astimezone(manner.zone).time() == end


def tell(company: Company, number: int, at: datetime, topic: str = "lot_expired") -> Alert:
    facts = {"amount": str(number), "currency": "USD"}
    raised = raise_alert(
        topic=topic, key=f"{topic}:{number}", account_id=company.account.pk, wallet_id=None, facts=facts, at=at
    )
    assert raised is not None
    return raised


@pytest.fixture
def kept(settings) -> None:
    settings.EMAIL_BACKEND = "notifications.channels.email.kept.KeepingBackend"


def recipient(company: Company, **more: object) -> Recipient:
    terms = RecipientTerms(email="dana@acme.example", time_zone="Europe/Berlin", **more)  # type: ignore[arg-type]
    return add_recipient(account=company.account, terms=terms, at=utc("2026-11-01 00:00"))


@pytest.mark.usefixtures("kept")
def test_quiet_hours_hold_what_can_wait_and_nothing_else(transactional_db: None, acme: Company) -> None:
    recipient(acme, quiet_from=time(22), quiet_until=time(7))
    night = utc("2026-11-23 23:00")
    tell(acme, 1, night)
    tell(acme, 2, night, topic="wallet_exhausted")
    send_due(at=night)
    assert dict(Delivery.objects.values_list("alert__topic", "state")) == {
        "lot_expired": State.WAITING, "wallet_exhausted": State.SENT,
    }  # fmt: skip
    send_due(at=utc("2026-11-24 05:59"))
    assert KeptMail.objects.count() == 1
    send_due(at=utc("2026-11-24 06:00"))
    assert set(Delivery.objects.values_list("state", "attempts")) == {(State.SENT, 1)}


@pytest.mark.usefixtures("kept")
def test_a_flood_is_gathered_into_one_mail_and_what_is_mandatory_goes_through(transactional_db: None, acme: Company) -> None:
    recipient(acme)
    at = utc("2026-11-23 12:00")
    for number in range(MOST_IN_WINDOW + 10):
        tell(acme, number, at)
    send_due(at=at)
    sent = KeptMail.objects.count()
    assert MOST_IN_WINDOW <= sent <= MOST_IN_WINDOW + 2  # as many as are under way at once
    tell(acme, 1, at, topic="top_up_failed")
    send_due(at=at + timedelta(minutes=1))
    assert KeptMail.objects.count() == sent + 1
    send_due(at=at + WINDOW + timedelta(seconds=59))
    digest = KeptMail.objects.order_by("-id")[0]
    held = MOST_IN_WINDOW + 10 - sent
    assert f"{held} messages" in digest.subject
    assert digest.text.count("\n- ") + digest.text.startswith("- ") == held
    assert digest.text.count("29.00") == 1
    gathered = Delivery.objects.filter(state=State.GATHERED)
    assert (gathered.count(), {one.gathered_in.state for one in gathered}) == (held, {State.SENT})
    assert not Delivery.objects.exclude(state__in=[State.SENT, State.GATHERED]).exists()


@pytest.mark.usefixtures("kept")
def test_a_day_comes_in_one_mail_and_nothing_to_who_was_removed(transactional_db: None, acme: Company) -> None:
    told = recipient(acme, digest=True)
    for number in range(3):
        tell(acme, number, utc(f"2026-11-23 1{number}:00"))
        send_due(at=utc(f"2026-11-23 1{number}:00"))
    assert KeptMail.objects.count() == 0
    send_due(at=utc("2026-11-24 07:00"))
    assert "3 messages" in KeptMail.objects.get().subject
    send_due(at=utc("2026-11-24 07:01"))
    assert KeptMail.objects.count() == 1
    tell(acme, 9, utc("2026-11-24 12:00"))
    send_due(at=utc("2026-11-24 12:00"))
    remove_recipient(recipient=told)
    send_due(at=utc("2026-11-25 12:00"))
    assert KeptMail.objects.count() == 1
    assert Delivery.objects.get(alert__key="lot_expired:9").state == State.SUPPRESSED
