"""The gate in a vendor's own service: may this call go ahead, and what did it use. Needs Redis and the API, and no Django.

    gate = Gate(redis_url="redis://…", api_url="https://billing.example", api_key="key_…", spool="/var/spool/usage",
                top_up_url="https://billing.example/top-up/{account}")
    answer = gate.decide("acme", amount=Decimal("0.05"))
    if answer.allowed: … ; gate.record(account="acme", event_type="llm.request", properties={"output_tokens": 96})

A decision is one round trip to Redis. Where Redis has not everything, or is away, the API is asked; where that is away too,
the account's own policy decides (`outage.py`). Usage is written to this machine's disk first and sent from there (`spool.py`).
"""

from __future__ import annotations

import atexit
import json
import logging
import threading
import time
import uuid
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote

from metering.gate.client.api import AccountUnknown, Api, ApiAway
from metering.gate.client.outage import Outage
from metering.gate.client.redis_decision import DECIDE, decide_in_redis
from metering.gate.client.sender import Sender
from metering.gate.client.spool import FILE_BYTES, MAX_BYTES, Fsync, Spool
from metering.gate.decide import UNKNOWN_CALL, Call, Decision
from wallets.balances.published import ACCOUNT_PREFIX
from wallets.money import to_scale
from wallets.redis_link import RedisAway, RedisLink, Script, command

log = logging.getLogger(__name__)

# A published policy is read again when it is older than this.
POLICY_SECONDS: Final = 30.0
# After a failure the API is not asked for decisions again for this long.
API_AWAY_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 5.0

Source = Literal["redis", "api", "outage", "spool"]
_STATUS: Final = {"allow": 200, "refuse": 402, "throttle": 429}
_SCRIPT: Final = Script(DECIDE)
NOBODY: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """May the call go ahead. status: what to answer if not (402, 403, 429, 503).  available: None when nobody could say.

    source: redis and api are exact; outage: the account's policy for when neither answers; spool: no room for its usage.
    """

    allowed: bool
    status: int
    reason: str | None
    source: Source
    available: Decimal | None = None
    currency: str = ""
    version: int = 0
    retry_after_seconds: int | None = None


class Gate:
    """One for each process of a service, or one made before it forks; thread-safe."""

    def __init__(  # noqa: PLR0913 - what differs from service to service, by name
        self,
        *,
        redis_url: str,
        api_url: str,
        api_key: str,
        spool: str | Path,
        top_up_url: str = "",
        fsync: Fsync = "second",
        spool_file_bytes: int = FILE_BYTES,
        spool_max_bytes: int = MAX_BYTES,
        call_counts_for: Decimal | None = None,
        policy_seconds: float = POLICY_SECONDS,
    ) -> None:
        """api_key: with the scopes events:write and gate:check.  top_up_url: where a refused customer goes, `{account}` is
        its key.  call_counts_for: what a call of unknown cost takes of an offline allowance; None: it is refused then.
        """
        self.top_up_url = top_up_url
        self.spool = Spool(spool, fsync=fsync, file_bytes=spool_file_bytes, max_bytes=spool_max_bytes)
        self.outage = Outage(call_counts_for=call_counts_for)
        self._api = Api(api_url, api_key)
        self.sender = Sender(self.spool, self._api)
        self._link = RedisLink(redis_url)
        self._policy_seconds = policy_seconds
        self._api_again_at = 0.0
        self._closing = threading.Lock()
        self._closed = False
        gate = weakref.ref(self)
        atexit.register(lambda: _close(gate()))
        self.sender.wake()

    # --- before the call -----------------------------------------------------------------------------------------------

    def decide(
        self,
        account: str,
        *,
        amount: Decimal | None = None,
        currency: str | None = None,
        meter: str | None = None,
        who: Mapping[str, str] = NOBODY,
    ) -> Answer:
        """Whether a call of this account may go ahead. Reserves nothing; takes a token of the slow lane where that decides.

        amount: what the call will cost, zero or more; None when it is not known.  currency: None for the main one.
        meter: what it will be charged for, if it may be covered by units of an allowance; None when that is not known.
        who: who makes it, for spend caps: `user`, `team`, `api_key`, `cost_centre`, those that are known.
        """
        if self.spool.is_full:
            return Answer(False, 503, "usage_spool_full", "spool", retry_after_seconds=5)
        amount = None if amount is None else to_scale(amount)
        try:
            call = Call(who, meters=(meter,) if meter else ()) if meter or who else UNKNOWN_CALL
            now_us = time.time_ns() // 1000
            decision = decide_in_redis(
                self._run, account_key=account, currency=currency, amount=amount, at_us=now_us, call=call
            )
        except RedisAway:
            decision = None
        if decision is None:
            return self._ask_api(account, amount, currency, {**who, **({"meter": meter} if meter else {})})
        self._heard_of(account)
        return _answer(decision, "redis")

    def _run(self, args: list[str]) -> Any:
        return self._link.run(_SCRIPT, args)

    def _ask_api(self, account: str, amount: Decimal | None, currency: str | None, more: Mapping[str, str]) -> Answer:
        """What the API says, which also publishes what Redis did not know; else the account's policy."""
        if time.monotonic() >= self._api_again_at:
            try:
                decision = self._api.check(account, amount=amount, currency=currency, more=more)
            except AccountUnknown:
                return Answer(False, 403, "unknown_account", "api")
            except ApiAway as away:
                self._api_again_at = time.monotonic() + API_AWAY_SECONDS
                log.warning("the API could not be asked for a decision: %s", away)
            else:
                self._heard_of(account)
                return _answer(decision, "api")
        if self.outage.lets_through(account, amount):
            return Answer(True, 200, None, "outage")
        return Answer(False, 503, "gate_unreachable", "outage", retry_after_seconds=1)

    def _heard_of(self, account: str) -> None:
        """A decision has come through; see to it that the account's policy is known for when none will."""
        self.outage.over(account)
        if self.outage.age_seconds(account) <= self._policy_seconds:
            return
        try:
            found = self._link.ask(command("HMGET", ACCOUNT_PREFIX + account, "on_outage", "offline_allowance"))
        except RedisAway:
            return
        if found[0] is not None and found[1] is not None:
            self.outage.remember(account, on_outage=found[0].decode(), allowance=Decimal(found[1].decode()))
        else:
            self.outage.remember(account, on_outage="closed", allowance=Decimal(0))

    def top_up(self, account: str) -> str:
        """Where this account tops up; empty when no address was given."""
        return self.top_up_url.replace("{account}", quote(account, safe=""))

    # --- after the call ------------------------------------------------------------------------------------------------

    def record(
        self,
        *,
        account: str,
        event_type: str,
        properties: Mapping[str, Any],
        event_id: str | None = None,
        at: datetime | None = None,
        authorization: str | None = None,
    ) -> str:
        """Write down what a call used; it is sent from a thread. Returns the event's id.

        event_id: what makes it this event and no other (the call's own id, if it has one); made up if left out.
        at: aware; now if left out.  properties: numbers as int or Decimal, for a float is not exact.
        Raises SpoolBroken when the disk did not take it (then it stands in the log).
        """
        event_id = event_id or f"evt_{uuid.uuid4().hex}"
        event: dict[str, Any] = {
            "id": event_id,
            "type": event_type,
            "account": account,
            "time": (at or datetime.fromtimestamp(time.time(), UTC)).isoformat(),
            "properties": properties,
        }
        if authorization:
            event["authorization"] = authorization
        self.spool.append(json.dumps(event, default=_exact, separators=(",", ":")).encode())
        self.sender.wake()
        return event_id

    def close(self) -> None:
        """Send what can be sent in a few seconds; the rest stays on the disk for whoever starts next."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self.sender.close(within_seconds=CLOSE_SECONDS)
                self.spool.close()
                self._api.close()
                self._link.close()


def _answer(decision: Decision, source: Source) -> Answer:
    return Answer(
        allowed=decision.verdict == "allow",
        status=_STATUS[decision.verdict],
        reason=decision.reason,
        source=source,
        available=decision.available,
        currency=decision.currency,
        version=decision.version,
        retry_after_seconds=decision.retry_after_seconds,
    )


def _exact(value: Any) -> Any:
    """Decimals go as text, exactly."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"a property cannot be a {type(value).__name__}")


def _close(gate: Gate | None) -> None:
    if gate is not None:
        gate.close()
