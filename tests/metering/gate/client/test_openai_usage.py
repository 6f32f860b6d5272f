"""Usage as the OpenAI API and those compatible with it document it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from metering.gate.client.exchange import Event, Exchange
from metering.gate.client.gate import Answer
from metering.gate.client.openai_usage import Usage, openai_meter, usage_of_body

COMPLETION = {
    "id": "chatcmpl-123",
    "object": "chat.completion",
    "model": "gpt-5",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": 'He said "usage"'}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 812,
        "completion_tokens": 96,
        "total_tokens": 908,
        "prompt_tokens_details": {"cached_tokens": 512, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 64, "accepted_prediction_tokens": 0},
    },
}
EMBEDDING = {"object": "list", "model": "text-embedding-3-small", "data": [], "usage": {"prompt_tokens": 8, "total_tokens": 8}}
RESPONSE = {
    "id": "resp_67",
    "object": "response",
    "model": "gpt-5",
    "output": [],
    "usage": {
        "input_tokens": 36,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 87,
        "output_tokens_details": {"reasoning_tokens": 9},
        "total_tokens": 123,
    },
}
JSON = "application/json; charset=utf-8"
STREAM = "text/event-stream"


def stream(*chunks: Any, end: str = "data: [DONE]\n\n") -> bytes:
    return ("".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + end).encode()


def chunk(content: str, usage: Any = None) -> dict[str, Any]:
    choices = [{"index": 0, "delta": {"content": content}}] if content else []
    return {"id": "chatcmpl-9", "object": "chat.completion.chunk", "model": "gpt-5", "choices": choices, "usage": usage}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (COMPLETION, Usage("chatcmpl-123", "gpt-5", 812, 96, 512, 64)),
        (EMBEDDING, Usage("", "text-embedding-3-small", 8, 0)),
        (RESPONSE, Usage("resp_67", "gpt-5", 36, 87, 4, 9)),
        ({"usage": {"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": None}}, Usage("", "", 1, 2)),
        ({"error": {"message": "no"}}, None),
        ({"usage": None}, None),
        ({"usage": {"prompt_tokens": True}}, None),
        ({"usage": {"prompt_tokens": "8"}}, None),
        ([], None),
    ],
)
def test_an_answer_tells_its_usage(document: Any, expected: Usage | None) -> None:
    assert usage_of_body(json.dumps(document).encode(), content_type=JSON) == expected


def test_a_stream_tells_it_in_its_last_chunk() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
    body = stream(chunk("Hel"), chunk('"usage": {"prompt_tokens": 9}'), chunk("", usage))
    assert usage_of_body(body, content_type=STREAM) == Usage("chatcmpl-9", "gpt-5", 5, 3)
    running = stream(chunk("a", usage | {"completion_tokens": 1}), chunk("b", usage), end="")
    assert usage_of_body(running, content_type=STREAM) == Usage("chatcmpl-9", "gpt-5", 5, 3), "of some, in every chunk"
    assert usage_of_body(body.replace(b"\n", b"\r\n"), content_type=STREAM + "; charset=utf-8") is not None


def test_a_stream_of_the_responses_api_tells_it_when_completed() -> None:
    body = b"event: response.created\n" + stream({"type": "response.created", "response": RESPONSE | {"usage": None}}, end="")
    body += b"event: response.completed\n" + stream({"type": "response.completed", "response": RESPONSE}, end="")
    assert usage_of_body(body, content_type=STREAM) == Usage("resp_67", "gpt-5", 36, 87, 4, 9)


def test_the_end_of_a_stream_is_enough_and_a_broken_one_tells_nothing() -> None:
    body = stream(chunk("Hello"), chunk("", {"prompt_tokens": 5, "completion_tokens": 3}))
    assert usage_of_body(body[30:], content_type=STREAM) == Usage("chatcmpl-9", "gpt-5", 5, 3)
    assert usage_of_body(stream(chunk("Hel"), chunk("lo"), end=""), content_type=STREAM) is None
    assert usage_of_body(b"\xff\xfe", content_type=JSON) is None


def exchange(body: bytes, *, status: int = 200, content_type: str = JSON) -> Exchange:
    made = Exchange(
        "acme", Answer(True, 200, None, "redis"), {}, "/v1/chat/completions", status, {"content-type": content_type}
    )
    made.saw(body)
    return made


def test_the_meter_makes_it_an_event_with_the_answer_s_own_id() -> None:
    meter = openai_meter(more=lambda exchange: {"user": "u_77"})
    event = meter(exchange(json.dumps(COMPLETION).encode()))
    assert event == Event(
        "llm.request",
        {
            "model": "gpt-5", "input_tokens": 812, "output_tokens": 96, "cached_input_tokens": 512, "reasoning_tokens": 64,
            "endpoint": "/v1/chat/completions", "user": "u_77",
        },
        event_id="chatcmpl-123",
    )  # fmt: skip


def test_what_failed_is_not_charged_and_what_tells_no_usage_is_told(caplog: Any) -> None:
    meter = openai_meter()
    assert meter(exchange(json.dumps(COMPLETION).encode(), status=500)) is None
    assert caplog.text == ""
    assert meter(exchange(b"{}")) is None
    assert "tells no usage" in caplog.text
    assert openai_meter(missing=lambda exchange: Event("llm.request", {"lost": 1}))(exchange(b"{}")) is not None
