"""What every channel is given and answers: one message of one delivery in, what became of it out.

A channel knows no rows of the alerts above it: everything it needs stands in the message. It is called outside any
transaction, in a thread of its own, and may take up to `SLOWEST` seconds; it raises nothing that the other side can cause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

SLOWEST: Final = 15.0
"""Seconds a channel may take for one message."""


class Outcome(StrEnum):
    """What became of one attempt.

    TAKEN: the other side has it.  AGAIN: it has not, and may have it later.  NEVER: it will not have it (no such mailbox, an
    address we do not send to).  UNCERTAIN: it may or may not have it, and asking again could give it twice.
    """

    TAKEN = "TAKEN"
    AGAIN = "AGAIN"
    NEVER = "NEVER"
    UNCERTAIN = "UNCERTAIN"


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt. status: the other side's own (an HTTP status, an SMTP reply code), none if it said nothing.
    answer: its first words, or why there are none. milliseconds: how long it took."""

    outcome: Outcome
    status: int | None = None
    answer: str = ""
    milliseconds: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one recipient.

    delivery: id of its delivery (`dlv_…`), the same at every attempt. event: id of what it tells of (`alt_…`), the same for
    every recipient. account, account_name: whom it is about, empty when about nobody. address: a mailbox or URL.
    secrets: what a webhook is signed with. facts: of the topic, as text.
    """

    delivery: str
    event: str
    topic: str
    happened_at: datetime
    address: str = ""
    account: str = ""
    account_name: str = ""
    wallet: str = ""
    severity: str = "info"
    mandatory: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"
    time_zone: str = "UTC"
    secrets: tuple[str, ...] = ()
    unsubscribe: str = ""


class Channel(Protocol):
    """One way to reach somebody.

    Tries once. `handing_over` is called right before the point after which the other side may have the message and nobody can
    know (the body of a mail); it raises LostClaim when another worker has the message by now. Before that point a killed
    worker's attempt is safely made again.
    """

    def __call__(self, message: Message, *, at: datetime, handing_over: Callable[[], None]) -> Sent:
        """What became of it."""
        ...


class LostClaim(Exception):
    """Another worker has the message by now; this one must not send it."""
