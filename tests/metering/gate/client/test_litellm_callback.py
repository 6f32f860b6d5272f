"""LiteLLM's hooks as its documentation and its CustomLogger describe them; LiteLLM itself is not needed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from metering.gate.client.gate import Gate
from metering.gate.client.litellm_callback import CallRefused, PrepaidBilling
from tests.metering.gate.client.conftest import recorded
from tests.metering.gate.client.test_gate import publish
from tests.metering.gate.client.test_openai_usage import COMPLETION
from wallets.balances.published import PublishedCap

ENDED = datetime(2026, 11, 23, 10, 0, 1, tzinfo=UTC)
KEY = SimpleNamespace(api_key="hash", team_id="acme", user_id="u_1", alias="prod-1")


def payload(**changes: Any) -> dict[str, Any]:
    """A StandardLoggingPayload, of which this reads a few fields."""
    return {
        "id": "chatcmpl-123",
        "call_type": "acompletion",
        "status": "success",
        "custom_llm_provider": "openai",
        "model": "gpt-5",
        "prompt_tokens": 812,
        "completion_tokens": 96,
        "total_tokens": 908,
        "startTime": ENDED.timestamp() - 1,
        "endTime": ENDED.timestamp(),
        "end_user": "u_77",
        "metadata": {"user_api_key_team_id": "acme", "user_api_key_alias": "prod-1", "user_api_key_user_id": "u_1"},
    } | changes


def before(billing: PrepaidBilling, data: dict[str, Any], key: Any = KEY) -> Any:
    return asyncio.run(billing.async_pre_call_hook(user_api_key_dict=key, cache=None, data=data, call_type="completion"))


def after(billing: PrepaidBilling, response: Any, told: dict[str, Any], **kwargs: Any) -> None:
    naive = (ENDED - timedelta(seconds=1)).replace(tzinfo=None), ENDED.replace(tzinfo=None)
    call = {"litellm_call_id": "call-1", "standard_logging_object": told} | kwargs
    asyncio.run(billing.async_log_success_event(call, response, *naive))


def test_a_call_with_credit_goes_through_and_its_stream_is_asked_for_its_usage(gate: Gate) -> None:
    publish("5")
    billing = PrepaidBilling(gate)
    assert before(billing, {"model": "gpt-5", "messages": []}) == {"model": "gpt-5", "messages": []}
    streamed = before(billing, {"messages": [], "stream": True, "stream_options": {"other": 1}})
    assert streamed["stream_options"] == {"other": 1, "include_usage": True}


def test_a_call_without_credit_is_refused_with_what_the_proxy_answers(gate: Gate) -> None:
    publish("0")
    with pytest.raises(CallRefused) as refused:
        before(PrepaidBilling(gate), {"messages": []})
    error = refused.value
    assert (error.status_code, error.type, error.code, error.param) == (402, "balance_exhausted", "balance_exhausted", None)
    assert error.message.endswith("https://pay.example/acme")
    assert error.headers["X-Billing-Reason"] == "balance_exhausted"


def test_a_key_of_no_account_is_refused_unless_it_shall_not_be(gate: Gate) -> None:
    nobody = SimpleNamespace(team_id=None, user_id=None)
    with pytest.raises(CallRefused):
        before(PrepaidBilling(gate), {}, nobody)
    assert before(PrepaidBilling(gate, refuse_unknown=False), {"a": 1}, nobody) == {"a": 1}


def test_what_a_call_used_is_recorded_with_its_own_id_and_time(gate: Gate) -> None:
    billing = PrepaidBilling(gate)
    after(billing, COMPLETION, payload())
    (event,) = recorded(gate)
    assert (event["id"], event["account"], event["type"]) == ("litellm_call-1", "acme", "llm.request")
    assert datetime.fromisoformat(event["time"]) == ENDED
    assert event["properties"] == {
        "model": "gpt-5", "input_tokens": 812, "output_tokens": 96, "cached_input_tokens": 512, "reasoning_tokens": 64,
        "provider": "openai", "api_key": "prod-1", "user": "u_77",
    }  # fmt: skip


def test_a_model_response_object_is_read_and_without_one_the_proxy_s_own_count(gate: Gate) -> None:
    billing = PrepaidBilling(gate)
    after(billing, SimpleNamespace(model_dump=lambda: COMPLETION), payload())
    after(billing, SimpleNamespace(), payload(completion_tokens=7))
    first, second = [event["properties"] for event in recorded(gate)]
    assert (first["output_tokens"], first["cached_input_tokens"]) == (96, 512)
    assert (second["input_tokens"], second["output_tokens"]) == (812, 7)


def test_told_twice_of_a_call_it_is_the_same_event(gate: Gate) -> None:
    billing = PrepaidBilling(gate)
    after(billing, COMPLETION, payload())
    billing.log_success_event({"litellm_call_id": "call-1", "standard_logging_object": payload()}, COMPLETION, ENDED, ENDED)
    assert {event["id"] for event in recorded(gate)} == {"litellm_call-1"}


def test_the_middle_of_a_stream_and_a_call_of_nobody_are_not_recorded(gate: Gate) -> None:
    billing = PrepaidBilling(gate)
    after(billing, None, payload(), stream=True)
    after(billing, COMPLETION, payload(metadata={}))
    assert recorded(gate) == []
    after(PrepaidBilling(gate, account_of=lambda known: known["end_user"]), COMPLETION, payload())
    assert recorded(gate)[0]["account"] == "u_77"


@pytest.mark.parametrize(
    ("scope", "value", "data"), [("api_key", "prod-1", {}), ("user", "u_77", {"user": "u_77"}), ("user", "u_1", {})]
)
def test_spend_caps_know_the_call_by_the_keys_alias_and_the_end_user(
    gate: Gate, scope: str, value: str, data: dict[str, Any]
) -> None:
    cap = PublishedCap(1, "cap_1", scope, value, "USD", of_meter=False, limit=Decimal(0), starts_us=0, ends_us=0)
    publish("5", caps=[cap])
    with pytest.raises(CallRefused) as refused:
        before(PrepaidBilling(gate), {"messages": [], **data})
    assert refused.value.type == "spend_cap"
    publish("5", caps=[replace(cap, value="another")])
    before(PrepaidBilling(gate), {"messages": [], **data})
