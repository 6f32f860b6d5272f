"""The gate in the LiteLLM proxy: a custom callback. In the folder of its `config.yaml`, a file `billing_callback.py`:

    from metering.gate.client.gate import Gate
    from metering.gate.client.litellm_callback import PrepaidBilling
    billing = PrepaidBilling(Gate(redis_url="redis://…", api_url="https://…", api_key="key_…", spool="/var/spool/usage"))

and in the configuration `litellm_settings: {callbacks: billing_callback.billing}`. The account of a call is the team of the
virtual key it came with, or its user, or what `account_of` says; spend caps
know the call by the key's alias and the end user. Written against LiteLLM's documented hooks
(`async_pre_call_hook`, `log_success_event`, `async_log_success_event`) and its StandardLoggingPayload; LiteLLM itself is only
imported where it is installed, because its proxy calls nobody but its own subclasses.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from metering.gate.client.exchange import DETAIL, balance_headers
from metering.gate.client.gate import Gate
from metering.gate.client.openai_usage import Usage, usage_of
from metering.gate.client.spool import SpoolBroken

try:
    from litellm.integrations.custom_logger import CustomLogger
except ImportError:  # not in the proxy: the same class, for tests and for reading

    class CustomLogger:  # type: ignore[no-redef]
        """Stands in for LiteLLM's."""

        def __init__(self, **_: Any) -> None:
            pass


log = logging.getLogger(__name__)

AccountOf = Callable[[Mapping[str, Any]], str | None]
"""From what LiteLLM knows of a key (`user_api_key_team_id`, `user_api_key_user_id`, ...) to the account, or None."""


class CallRefused(Exception):
    """The proxy answers with these attributes."""

    def __init__(self, sentence: str, *, status: int, reason: str, headers: dict[str, str]) -> None:
        super().__init__(sentence)
        self.message, self.type, self.param = sentence, reason, None
        self.status_code, self.code = status, reason
        self.headers = headers


def team_or_user(known: Mapping[str, Any]) -> str | None:
    """The team of the key, else its user."""
    return known.get("user_api_key_team_id") or known.get("user_api_key_user_id") or None


class PrepaidBilling(CustomLogger):
    """Asks the gate before a call of the proxy and records what it used after it."""

    def __init__(
        self, gate: Gate, *, account_of: AccountOf = team_or_user, event_type: str = "llm.request", refuse_unknown: bool = True
    ) -> None:
        """refuse_unknown: refuse a call for which `account_of` finds no account; else it is neither asked for nor charged."""
        super().__init__()
        self._gate, self._account_of, self._event_type, self._refuse_unknown = gate, account_of, event_type, refuse_unknown

    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,
        cache: Any,  # noqa: ARG002 - LiteLLM's signature
        data: dict[str, Any],
        call_type: str,  # noqa: ARG002 - LiteLLM's signature
    ) -> dict[str, Any]:
        """Let the call through, its stream asked to tell its usage, or raise CallRefused."""
        known = {f"user_api_key_{name}": getattr(user_api_key_dict, name, None) for name in ("team_id", "user_id", "alias")}
        account = self._account_of(known | {"end_user": data.get("user")})
        if account is None:
            if self._refuse_unknown:
                raise CallRefused("This key belongs to no account.", status=403, reason="unknown_account", headers={})
            return data
        who = {"api_key": known["user_api_key_alias"], "user": data.get("user") or known["user_api_key_user_id"]}
        named = {scope: str(name) for scope, name in who.items() if name}
        answer = await asyncio.to_thread(self._gate.decide, account, who=named)
        if not answer.allowed:
            reason = answer.reason or "refused"
            sentence = DETAIL.get(reason, "The call may not go ahead.")
            if answer.status in {402, 429} and self._gate.top_up_url:
                sentence = f"{sentence} {self._gate.top_up(account)}"
            raise CallRefused(sentence, status=answer.status, reason=reason, headers=dict(balance_headers(answer)))
        if data.get("stream") and "messages" in data:
            data["stream_options"] = {**(data.get("stream_options") or {}), "include_usage": True}
        return data

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A call of the proxy is done, its stream is at its end."""
        self.log_success_event(kwargs, response_obj, start_time, end_time)

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:  # noqa: ARG002 - LiteLLM's signature
        """Record what the call used. Told twice of one call, it charges once: the event has the call's id."""
        payload = kwargs.get("standard_logging_object") or {}
        metadata = payload.get("metadata") or {}
        account = self._account_of(metadata | {"end_user": payload.get("end_user")})
        if account is None or (kwargs.get("stream") and response_obj is None):
            return
        usage = _usage(payload, response_obj)
        if usage is None:
            log.warning("a call of %s tells no usage: not charged", account)
            return
        properties = usage.properties | {
            "model": payload.get("model") or usage.model,
            "provider": payload.get("custom_llm_provider") or "",
            "api_key": metadata.get("user_api_key_alias") or "",
            "user": payload.get("end_user") or metadata.get("user_api_key_user_id") or "",
        }
        call_id = kwargs.get("litellm_call_id") or payload.get("id") or usage.response_id
        try:
            self._gate.record(
                account=account,
                event_type=self._event_type,
                properties=properties,
                event_id=f"litellm_{call_id}" if call_id else None,
                at=end_time if isinstance(end_time, datetime) and end_time.tzinfo else _moment(payload.get("endTime")),
            )
        except SpoolBroken:
            return  # the event stands in the log


def _usage(payload: Mapping[str, Any], response: Any) -> Usage | None:
    """What the answer tells; else what LiteLLM counted itself."""
    document = response if isinstance(response, Mapping) else None
    if document is None and hasattr(response, "model_dump"):
        document = response.model_dump()
    found = usage_of(document) if isinstance(document, Mapping) else None
    if found is None and "prompt_tokens" in payload:
        found = usage_of({"id": payload.get("id"), "model": payload.get("model"), "usage": payload})
    return found


def _moment(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None
