"""How the demo's customers use the API: seeded generators of usage, pure. The same seed, account and day give the same
events, whatever was asked for before.

A habit says how much on which days and hours; a mix says of what. Token counts are log-normal, as those of real requests
are; hours are of the customer's own working day, in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import log
from random import Random
from typing import Any, Final

OFFICE: Final = (1, 1, 1, 1, 2, 4, 10, 22, 40, 52, 55, 50, 44, 48, 55, 54, 50, 42, 30, 18, 10, 6, 3, 2)
EVENING: Final = (20, 12, 6, 3, 2, 2, 3, 5, 8, 10, 12, 14, 16, 16, 17, 20, 26, 34, 44, 54, 58, 54, 44, 32)
AROUND_THE_CLOCK: Final = (30, 28, 27, 27, 28, 30, 32, 34, 36, 38, 38, 38, 38, 38, 38, 38, 37, 36, 36, 35, 34, 33, 32, 31)
AT_NIGHT: Final = (40, 90, 100, 80, 30, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 6, 14)


@dataclass(frozen=True, slots=True)
class Mix:
    """What a customer asks for. models: name -> weight.  input_tokens, output_tokens: medians of a request.
    cached_percent: of the input, read from a cache.  images, audio: requests of these kinds in a thousand."""

    models: Mapping[str, int]
    input_tokens: int
    output_tokens: int
    cached_percent: int = 0
    images: int = 0
    audio: int = 0


@dataclass(frozen=True, slots=True)
class Habit:
    """How much, when. daily: requests on an ordinary day at scale 1.  weekend_percent: of that on Saturdays and Sundays.
    growth_percent: by which the last day exceeds the first.  spike_percent: of days are spikes, `spike_times` as busy."""

    name: str
    daily: int
    hours: tuple[int, ...] = OFFICE
    weekend_percent: int = 25
    growth_percent: int = 0
    spike_percent: int = 0
    spike_times: int = 1


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """A request a customer made."""

    id: str
    type: str
    time: datetime
    properties: dict[str, Any]


CHAT: Final = Mix({"gpt-5-mini": 5, "gpt-4o-mini": 3, "claude-haiku-4-5": 2}, 24_000, 2_400, cached_percent=30, images=6)
AGENT: Final = Mix({"claude-sonnet-5": 5, "gpt-5": 4, "claude-haiku-4-5": 1}, 70_000, 4_500, cached_percent=60)
SEARCH: Final = Mix({"text-embedding-3-small": 7, "gpt-4.1-mini": 3}, 90_000, 1_200, cached_percent=10)
CREATIVE: Final = Mix({"gpt-5-mini": 4, "mistral-small-2603": 3, "gpt-5": 1}, 9_000, 3_500, images=160, audio=40)
CALLS: Final = Mix({"gpt-4o-mini": 3, "mistral-small-2603": 2}, 9_000, 1_200, audio=350)

STEADY: Final = Habit("steady", 70)
SMALL: Final = Habit("small", 14)
LARGE: Final = Habit("large", 190, hours=AROUND_THE_CLOCK, weekend_percent=70)
GROWING: Final = Habit("growing", 30, growth_percent=400)
SPIKY: Final = Habit("spiky", 22, spike_percent=9, spike_times=12)
NIGHTLY: Final = Habit("nightly", 90, hours=AT_NIGHT, weekend_percent=100)
CONSUMER: Final = Habit("consumer", 60, hours=EVENING, weekend_percent=190)
TRYING_OUT: Final = Habit("trying out", 9, hours=EVENING, weekend_percent=80)

EMBEDDING: Final = "text-embedding-3-small"
IMAGE_SIZES: Final = ("1024x1024", "1024x1024", "1536x1024", "2048x2048")
SPREAD: Final = 0.75  # sigma of the token counts' logarithm
USERS: Final = 40
KEYS: Final = ("prod-1", "prod-1", "prod-1", "prod-2", "staging")


def usual_events(habit: Habit, *, days: int) -> int:
    """About how many events a habit makes in so many days, at scale 1."""
    daily = habit.daily * (500 + 2 * habit.weekend_percent) / 700
    daily *= 1 + habit.growth_percent / 200
    daily *= 1 + habit.spike_percent / 100 * (habit.spike_times - 1)
    return int(daily * days)


def events_of_day(
    habit: Habit, mix: Mix, *, account: str, day: date, seed: int, scale: float, progress: float
) -> list[DemoEvent]:
    """A customer's requests of one day (UTC), by time. scale: of `daily`.  progress: 0 on the first day, 1 on the last."""
    rng = Random(f"{seed} {account} {day.isoformat()}")  # noqa: S311 - a demonstration
    mean = habit.daily * scale * (1 + habit.growth_percent / 100 * progress)
    if day.weekday() >= 5:  # noqa: PLR2004 - Saturday
        mean *= habit.weekend_percent / 100
    if rng.random() < habit.spike_percent / 100:
        mean *= habit.spike_times
    whole, rest = divmod(mean * rng.uniform(0.8, 1.2), 1)
    count = int(whole) + (rng.random() < rest)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    hours = rng.choices(range(24), weights=habit.hours, k=count)
    times = sorted(midnight + timedelta(hours=hour, microseconds=rng.randrange(3_600_000_000)) for hour in hours)
    return [request(mix, time=time, rng=rng) for time in times]


def request(mix: Mix, *, time: datetime, rng: Random) -> DemoEvent:
    """One request of a mix at `time`."""
    event_id = f"req_{rng.getrandbits(80):020x}"
    caller = {"api_key": rng.choice(KEYS), "user": f"u_{rng.randrange(USERS):02d}"}
    kind = rng.randrange(1000)
    if kind < mix.images:
        images = {"model": "image-1", "size": rng.choice(IMAGE_SIZES), "images": rng.choice((1, 1, 1, 2, 4))}
        return DemoEvent(event_id, "image.generation", time, images | caller)
    if kind < mix.images + mix.audio:
        audio = {"model": "whisper-1", "seconds": _around(rng, 240)}
        return DemoEvent(event_id, "audio.transcription", time, audio | caller)
    return DemoEvent(event_id, "llm.request", time, dict(_tokens(mix, rng)) | caller)


def _tokens(mix: Mix, rng: Random) -> Iterator[tuple[str, Any]]:
    model = rng.choices(list(mix.models), weights=list(mix.models.values()))[0]
    tokens = _around(rng, mix.input_tokens)
    yield "model", model
    if model == EMBEDDING:
        yield "endpoint", "/v1/embeddings"
        yield "input_tokens", tokens
        return
    yield "endpoint", "/v1/messages" if model.startswith("claude") else "/v1/chat/completions"
    cached = tokens * rng.randrange(2 * mix.cached_percent + 1) // 100 if mix.cached_percent else 0
    cached = min(cached, tokens)
    yield "input_tokens", tokens - cached
    if cached:
        yield "cached_input_tokens", cached
    yield "output_tokens", _around(rng, mix.output_tokens)


def _around(rng: Random, median: int) -> int:
    """A whole number, log-normal about a median, at least 1."""
    return max(1, int(rng.lognormvariate(log(median), SPREAD)))
