"""Live traffic of the demo company: what its gateway does all day, over HTTP with an API key. Ask the gate, let the customer's
request through, send the event; a customer who recharges does so when their balance is low.

Whatever fails (the site restarts, a key was revoked) is waited out and counted; nothing here touches the database.
"""

from __future__ import annotations

import json
import random
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from http.client import HTTPException
from threading import Event
from typing import Any, Final

from billing_site.demo.customers import CUSTOMERS, CustomerPlan
from billing_site.demo.habits import request
from wallets.money import ZERO

SCOPES: Final = ("events:write", "gate:check", "wallets:write")
ANSWER_SECONDS: Final = 30.0
LONGEST_PAUSE_SECONDS: Final = 30.0
OK: Final = 200
NO_CONTENT: Final = 204
UNAUTHORIZED: Final = 401
STOPPED: Final = frozenset({402, 429})  # the gate's answers that keep a request out
STOPPED_WEIGHT: Final = 5  # how often those who should be stopped still try, against the daily requests of others


class SiteAway(Exception):
    """The site did not answer, or not as it should; the text says how."""


class KeyEnded(Exception):
    """The site does not know the key (any more)."""


@dataclass
class Traffic:
    """A gateway. site_url: without a slash at the end.  per_second: requests of all customers together, on average.

    now: the clock.  counts: what became of the requests so far.
    """

    site_url: str
    secret: str
    per_second: float
    now: Callable[[], datetime]
    counts: Counter[str] = field(default_factory=Counter)
    rng: random.Random = field(default_factory=random.Random)

    def run(self, stop: Event, *, on_problem: Callable[[str], None]) -> None:
        """Send until `stop` is set. on_problem is told once when the site goes away. Raises KeyEnded."""
        failures = 0
        while not stop.wait(self._pause(failures)):
            try:
                self.send_one()
            except SiteAway as away:
                failures += 1
                self.counts["failed"] += 1
                if failures == 1:
                    on_problem(str(away))
            else:
                failures = 0

    def send_one(self) -> None:
        """One customer's request: gate, event, and a top-up if it is due. Raises SiteAway, KeyEnded."""
        plans = [plan for plan in CUSTOMERS if plan.habit is not None]
        plan = self.rng.choices(plans, weights=[_weight(plan) for plan in plans])[0]
        status, _ = self._call("GET", f"/gate/check?account={urllib.parse.quote(plan.key)}")
        if status in STOPPED:
            self.counts["stopped"] += 1
            return
        if status != NO_CONTENT:
            raise SiteAway(f"the gate answered {status}")
        made = request(plan.mix, time=self.now(), rng=self.rng)
        event = {
            "id": made.id,
            "type": made.type,
            "account": plan.key,
            "time": made.time.isoformat(),
            "properties": made.properties,
        }
        status, answer = self._call("POST", "/api/v1/events", event)
        if status != OK:
            raise SiteAway(f"events were answered {status}")
        self.counts["events" if answer["accepted"] else "refused"] += 1
        for balance in answer["balances"]:
            if plan.paying.amount and plan.paying.until_day is None and Decimal(balance["available"]) < plan.paying.below:
                self._top_up(plan, balance)

    def _top_up(self, plan: CustomerPlan, balance: dict[str, Any]) -> None:
        owed = max(-Decimal(balance["balance"]), ZERO)
        amount = plan.paying.amount * (1 + int(owed / plan.paying.amount))
        credit = {"amount": f"{amount:f}", "kind": "paid", "reason": "Top-up"}
        status, _ = self._call("POST", f"/api/v1/wallets/{balance['wallet']}/credits", credit)
        self.counts["top-ups" if status < 300 else "failed"] += 1  # noqa: PLR2004 - 2xx

    def _call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """(status, answer) of a request, also of one that is refused. Raises SiteAway, KeyEnded."""
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"}
        if method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.site_url + path, data=data, method=method, headers=headers)  # noqa: S310 - our site
        try:
            with urllib.request.urlopen(asked, timeout=ANSWER_SECONDS) as response:  # noqa: S310 - our site
                text = response.read()
                return response.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                if error.code == UNAUTHORIZED:
                    raise KeyEnded("the site refuses the key") from error
                return error.code, None
        except (OSError, HTTPException, ValueError) as error:
            raise SiteAway(f"{method} {path.partition('?')[0]}: {error}") from error

    def _pause(self, failures: int) -> float:
        """Seconds until the next request: random, longer after failures."""
        if failures:
            return min(2.0 ** min(failures, 10) / 2, LONGEST_PAUSE_SECONDS)
        return min(self.rng.expovariate(self.per_second), LONGEST_PAUSE_SECONDS)


def _weight(plan: CustomerPlan) -> int:
    """How often a customer asks. Those who stopped, or should be stopped, try now and then."""
    assert plan.habit is not None
    return STOPPED_WEIGHT if plan.ends or plan.paying.leave_at is not None else plan.habit.daily
