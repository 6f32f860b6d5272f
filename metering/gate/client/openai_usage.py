"""What a call of an OpenAI-compatible API used, from its answer: the `usage` block of a JSON body, or of the last chunk of a
stream that has one. Reads chat completions, completions, embeddings (`prompt_tokens`, `completion_tokens`) and responses
(`input_tokens`, `output_tokens`).

A stream of chat completions tells its usage only when it was asked to: `"stream_options": {"include_usage": true}`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from metering.gate.client.exchange import Event, Exchange, Meter

log = logging.getLogger(__name__)

OK: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call. cached_input_tokens are part of input_tokens, reasoning_tokens of output_tokens.

    response_id, model: as the answer names them; empty when it does not.
    """

    response_id: str
    model: str
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def properties(self) -> dict[str, Any]:
        """As an event carries them."""
        return {
            "model": self.model,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cached_input_tokens": self.cached_input_tokens,
            "reasoning_tokens": self.reasoning_tokens,
        }


def usage_of(document: Mapping[str, Any]) -> Usage | None:
    """The usage an answer (or a chunk of a stream) tells; None when it tells none."""
    inner = document.get("response")
    if isinstance(inner, Mapping):  # a `response.completed` event
        document = inner
    usage = document.get("usage")
    if not isinstance(usage, Mapping):
        return None
    given = _count(usage, "prompt_tokens", "input_tokens")
    made = _count(usage, "completion_tokens", "output_tokens")
    if given is None and made is None:
        return None
    details = {**_part(usage, "prompt_tokens_details"), **_part(usage, "input_tokens_details")}
    details |= {**_part(usage, "completion_tokens_details"), **_part(usage, "output_tokens_details")}
    return Usage(
        response_id=_text(document, "id"),
        model=_text(document, "model"),
        input_tokens=given or 0,
        output_tokens=made or 0,
        cached_input_tokens=_count(details, "cached_tokens") or 0,
        reasoning_tokens=_count(details, "reasoning_tokens") or 0,
    )


def usage_of_body(body: bytes, *, content_type: str) -> Usage | None:
    """The usage in the body of an answer; of a stream its end is enough."""
    if content_type.partition(";")[0].strip().lower() == "text/event-stream":
        return next((found for chunk in _chunks_from_the_end(body) if (found := usage_of(chunk)) is not None), None)
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return usage_of(document) if isinstance(document, dict) else None


def openai_meter(
    *, event_type: str = "llm.request", more: Callable[[Exchange], Mapping[str, Any]] | None = None,
    missing: Callable[[Exchange], Event | None] | None = None,
) -> Meter:  # fmt: skip
    """A meter for the middlewares. more: further properties, such as the user.  missing: what to charge for an answer that went
    well and tells no usage (a stream that was broken off); by default nothing, and it is logged.
    """

    def meter(exchange: Exchange) -> Event | None:
        if exchange.status not in OK:
            return None
        usage = usage_of_body(exchange.body, content_type=exchange.headers.get("content-type", ""))
        if usage is None:
            if missing is not None:
                return missing(exchange)
            log.warning("an answer to %s at %s tells no usage: not charged", exchange.account, exchange.path)
            return None
        properties = {**usage.properties, "endpoint": exchange.path, **(more(exchange) if more else {})}
        return Event(event_type, properties, event_id=usage.response_id or None)

    return meter


def _chunks_from_the_end(body: bytes) -> Iterator[Mapping[str, Any]]:
    """The data of a stream's events, last first; what is no JSON object (`[DONE]`, a cut beginning) is left out."""
    for line in reversed(body.splitlines()):
        if not line.startswith(b"data:") or b'"usage"' not in line:
            continue
        try:
            chunk = json.loads(line[5:])
        except ValueError:
            continue
        if isinstance(chunk, dict):
            yield chunk


def _part(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = usage.get(name)
    return part if isinstance(part, Mapping) else {}


def _count(of: Mapping[str, Any], *names: str) -> int | None:
    return next((value for name in names if isinstance(value := of.get(name), int) and not isinstance(value, bool)), None)


def _text(of: Mapping[str, Any], name: str) -> str:
    value = of.get(name)
    return value if isinstance(value, str) else ""
