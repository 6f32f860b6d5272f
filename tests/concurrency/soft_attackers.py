"""Clients that attack a wallet through soft checks, over HTTP: each authorises a call with an estimate, and if it may, makes it
and sends its event, with what it really cost and the authorization, before it asks for the next.

Run as a program (`python -m tests.concurrency.soft_attackers`): reads its orders from standard input (JSON, `SoftOrders`),
writes what it did, call by call, to standard output.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any, Final

PATIENCE_SECONDS: Final = 60.0
BUSY: Final = 503


@dataclass(frozen=True)
class SoftOrders:
    """What a process of attackers does. address: host:port; cents: calls cost 1 to so many; above: whether they may cost more
    than their estimate."""

    address: str
    api_key: str
    account: str
    seed: int
    clients: int
    calls: int
    cents: int
    above: bool


@dataclass
class SoftCall:
    """One call: whether it was allowed, what it was estimated at and cost, in cents, and its event."""

    allowed: bool
    estimate: int
    cost: int
    event: str


class SoftClient:
    """A caller with a connection of its own and one call in flight."""

    def __init__(self, orders: SoftOrders, number: int) -> None:
        self._orders = orders
        self._chance = random.Random(f"{orders.seed}/{number}")
        self._name = f"{orders.account}-{orders.seed}-{number}"
        self.calls: list[SoftCall] = []
        self._link = http.client.HTTPConnection(orders.address, timeout=PATIENCE_SECONDS)

    def run(self) -> None:
        """Make the calls, one after the other."""
        for turn in range(self._orders.calls):
            self._call(f"{self._name}-{turn}")
        self._link.close()

    def _call(self, name: str) -> None:
        estimate = self._chance.randint(1, self._orders.cents)
        cost = self._chance.randint(1, self._orders.cents if self._orders.above else estimate)
        account = self._orders.account
        asked = {"account": account, "type": "work", "properties": {"cents": estimate}}
        answer = self._post("/authorize", asked)
        call = SoftCall(answer["decision"] == "allow", estimate, cost, name)
        self.calls.append(call)
        if call.allowed:
            event = {"id": name, "type": "work", "account": account, "properties": {"cents": cost}}
            told = self._post("/events", event | {"authorization": answer["authorization"]})
            assert told["accepted"] + told["duplicates"] == 1, told

    def _post(self, path: str, body: Any) -> dict[str, Any]:
        """POST; again when the wallet was busy."""
        headers = {"Authorization": f"Bearer {self._orders.api_key}", "Content-Type": "application/json"}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._link.request("POST", f"/api/v1{path}", json.dumps(body), headers)
            response = self._link.getresponse()
            answer: dict[str, Any] = json.loads(response.read() or b"{}")
            if response.status != BUSY or time.monotonic() > deadline:
                assert response.status == http.client.OK, (response.status, answer)
                return answer


def attack(orders: SoftOrders) -> list[SoftCall]:
    """What all clients of this process did."""
    clients = [SoftClient(orders, number) for number in range(orders.clients)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [call for client in clients for call in client.calls]


if __name__ == "__main__":
    json.dump([asdict(call) for call in attack(SoftOrders(**json.load(sys.stdin)))], sys.stdout)
