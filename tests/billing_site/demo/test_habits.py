"""Habits are what they say, and the same seed makes the same events."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

from billing_site.demo.habits import (
    AGENT,
    AT_NIGHT,
    CHAT,
    CONSUMER,
    CREATIVE,
    GROWING,
    NIGHTLY,
    SPIKY,
    STEADY,
    DemoEvent,
    Habit,
    Mix,
    events_of_day,
    usual_events,
)

MONDAY = date(2026, 9, 7)


def events(habit: Habit, *, day: date = MONDAY, mix: Mix = CHAT, **options: Any) -> list[DemoEvent]:
    """A day of a habit."""
    chosen = {"account": "acme", "seed": 7, "scale": 1.0, "progress": 0.0} | options
    return events_of_day(habit, mix, day=day, **chosen)


def test_the_same_seed_account_and_day_give_the_same_events() -> None:
    assert events(STEADY) == events(STEADY)
    for other in ({"seed": 8}, {"account": "globex"}, {"day": MONDAY + timedelta(days=1)}):
        assert {one.id for one in events(STEADY)}.isdisjoint(one.id for one in events(STEADY, **other))


def test_events_lie_within_their_day_in_order_with_ids_of_their_own() -> None:
    made = events(STEADY, scale=10)
    midnight = datetime(2026, 9, 7, tzinfo=UTC)
    assert all(midnight <= one.time < midnight + timedelta(days=1) for one in made)
    assert [one.time for one in made] == sorted(one.time for one in made)
    assert len({one.id for one in made}) == len(made)


def test_weekends_are_quiet_in_offices_and_busy_among_consumers() -> None:
    saturday = MONDAY + timedelta(days=5)
    assert len(events(STEADY, day=saturday)) < len(events(STEADY)) / 2
    assert len(events(CONSUMER, day=saturday)) > len(events(CONSUMER)) * 1.3


def test_a_growing_customer_ends_several_times_as_busy() -> None:
    assert len(events(GROWING, progress=1.0)) > 3 * len(events(GROWING))


def test_a_spiky_customer_has_a_few_days_many_times_as_busy() -> None:
    counts = [len(events(SPIKY, day=MONDAY + timedelta(days=n))) for n in range(60)]
    weekdays = sorted(counts)
    assert max(counts) > 6 * weekdays[len(weekdays) // 2]
    assert sum(count > 5 * weekdays[len(weekdays) // 2] for count in counts) < 15


def test_a_nightly_customer_works_at_night() -> None:
    made = events(NIGHTLY, scale=10)
    night = sum(one.time.hour < 5 for one in made)
    assert night > 0.85 * len(made)
    assert sum(AT_NIGHT[:5]) > sum(AT_NIGHT[5:])


def test_usual_events_tell_about_how_many_there_will_be() -> None:
    for habit in (STEADY, CONSUMER, GROWING, NIGHTLY):
        made = sum(len(events(habit, day=MONDAY + timedelta(days=n), progress=n / 60)) for n in range(60))
        assert abs(made - usual_events(habit, days=60)) < 0.1 * made


def test_requests_carry_what_their_meters_measure() -> None:
    kinds = Counter(one.type for one in events(STEADY, mix=CREATIVE, scale=20))
    assert set(kinds) == {"llm.request", "image.generation", "audio.transcription"}
    measured = {"image.generation": "images", "audio.transcription": "seconds", "llm.request": "input_tokens"}
    for one in events(STEADY, mix=CREATIVE, scale=20) + events(STEADY, mix=AGENT, scale=5):
        assert one.properties[measured[one.type]] >= 0
        assert all(isinstance(value, str | int) for value in one.properties.values())
    cached = [one.properties.get("cached_input_tokens", 0) for one in events(STEADY, mix=AGENT, scale=5)]
    assert sum(cached) > 0
