"""A call that went through the middleware, as whoever meters it sees it; and the answer to one that did not go through."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from metering.gate.client.gate import Answer, Gate
from metering.gate.client.spool import SpoolBroken
from metering.gate.decide import SENTENCES
from wallets.money import plain

log = logging.getLogger(__name__)

KEEP_BODY_BYTES: Final = 1024 * 1024

DETAIL: Final[dict[str, str]] = {str(reason): sentence for reason, sentence in SENTENCES.items()} | {
    "unknown_account": "There is no such account.",
    "gate_unreachable": "The balance cannot be read at the moment, and this account's calls wait until it can.",
    "usage_spool_full": "Usage cannot be written down at the moment. Try again later.",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Usage to be recorded, as `Gate.record` takes it."""

    event_type: str
    properties: Mapping[str, Any]
    event_id: str | None = None
    at: datetime | None = None
    authorization: str | None = None


@dataclass(slots=True)
class Exchange:
    """A call and its answer. request: the WSGI environ or the ASGI scope.  headers: of the answer, names in lower case.

    body: of the answer, as it left the application; of one larger than is kept only the end, and then `whole` is false.
    """

    account: str
    answer: Answer
    request: Mapping[str, Any]
    path: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    keep_body_bytes: int = KEEP_BODY_BYTES
    _kept: bytearray = field(default_factory=bytearray)
    _seen: int = 0

    @property
    def body(self) -> bytes:
        """What was kept of the answer's body."""
        return bytes(self._kept[-self.keep_body_bytes :]) if self.keep_body_bytes else b""

    @property
    def whole(self) -> bool:
        """Whether `body` is all of it."""
        return self._seen <= self.keep_body_bytes

    def saw(self, part: bytes) -> None:
        """A part of the answer's body goes to the client."""
        self._seen += len(part)
        if self.keep_body_bytes:
            self._kept += part
            if len(self._kept) > 2 * self.keep_body_bytes:
                del self._kept[: -self.keep_body_bytes]


Meter = Callable[[Exchange], Event | Iterable[Event] | None]
"""What a call used, from its answer; None: nothing to charge."""


def meter_exchange(gate: Gate, meter: Meter | None, exchange: Exchange) -> None:
    """Record what the meter finds. Never raises: the customer has the answer; a meter that fails is logged."""
    if meter is None:
        return
    try:
        found = meter(exchange)
        for event in [found] if isinstance(found, Event) else found or ():
            gate.record(
                account=exchange.account,
                event_type=event.event_type,
                properties=event.properties,
                event_id=event.event_id,
                at=event.at,
                authorization=event.authorization,
            )
    except SpoolBroken:
        pass  # the event stands in the log
    except Exception:
        log.exception("a call of %s to %s could not be metered", exchange.account, exchange.path)


def balance_headers(answer: Answer) -> list[tuple[str, str]]:
    """What every answer about an account carries."""
    headers = [("X-Billing-Decision", "allow" if answer.allowed else "throttle" if answer.status == 429 else "refuse")]  # noqa: PLR2004 - the status of the wire
    if answer.reason is not None:
        headers.append(("X-Billing-Reason", answer.reason))
    if answer.available is not None:
        headers += [("X-Balance-Available", plain(answer.available)), ("X-Balance-Version", str(answer.version))]
    if answer.retry_after_seconds is not None:
        headers.append(("Retry-After", str(answer.retry_after_seconds)))
    return headers


def refusal(gate: Gate, account: str, answer: Answer) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body (RFC 9457) of the answer to a call that may not go ahead."""
    reason = answer.reason or "refused"
    problem: dict[str, Any] = {
        "type": f"urn:prepaid:{reason}",
        "title": reason.replace("_", " ").capitalize(),
        "status": answer.status,
        "detail": DETAIL.get(reason, "The call may not go ahead."),
        "code": reason,
        "reason": reason,
    }
    if answer.available is not None:
        problem |= {"available": plain(answer.available), "currency": answer.currency}
    if answer.status in {402, 429} and gate.top_up_url:
        problem["top_up_url"] = gate.top_up(account)
    body = json.dumps(problem).encode()
    fixed = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    return fixed + balance_headers(answer), body
