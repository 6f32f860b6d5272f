"""Clients that attack a wallet through holds, over HTTP: each places holds for calls whose cost it does not know yet, makes
them, and captures what they really cost; some it releases, forgets, or captures twice at the same moment.

Run as a program (`python -m tests.concurrency.attackers`): reads its orders from standard input (JSON, `Orders`), writes
what it was told, call by call, to standard output.
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
class Orders:
    """What a process of attackers does. address: host:port; cents: calls cost 1 to so many, estimated and in truth."""

    address: str
    api_key: str
    account: str
    seed: int
    clients: int
    calls: int
    cents: int


@dataclass
class Call:
    """One call as the client saw it. placed, captured: HTTP statuses (captured 0: never tried; sent twice, 200 when one of
    them was); charged: as it was told; event: the id of the event it captured with, empty when it captured an amount."""

    placed: int
    captured: int = 0
    charged: str = "0"
    event: str = ""
    hold: str = ""


class Client:
    """A caller with a connection of its own."""

    def __init__(self, orders: Orders, number: int) -> None:
        self._orders = orders
        self._chance = random.Random(f"{orders.seed}/{number}")
        self._name = f"{orders.account}-{orders.seed}-{number}"
        self.calls: list[Call] = []
        self._link = self._connect()

    def run(self) -> None:
        """Make the calls, one after the other."""
        for turn in range(self._orders.calls):
            self._call(f"{self._name}-{turn}")
        self._link.close()

    def _call(self, name: str) -> None:
        estimate, cost = (self._chance.randint(1, self._orders.cents) for _ in range(2))
        fate = self._chance.random()
        asked: dict[str, Any] = {"account": self._orders.account, "ttl_seconds": 300}
        if self._chance.random() < 0.5:
            asked["amount"] = f"0.{estimate:02}"
        else:
            asked |= {"type": "work", "properties": {"cents": estimate}}
        status, body = self._post(self._link, "/holds", asked, key=f"{name}-place")
        call = Call(status)
        self.calls.append(call)
        if status != http.client.CREATED:
            return
        call.hold = body["id"]
        if fate < 0.05:
            self._post(self._link, f"/holds/{call.hold}/release", {})
        elif fate < 0.1:
            return  # forgotten: it lapses by itself
        elif fate < 0.75:
            self._capture(call, {"event": {"id": name, "type": "work", "properties": {"cents": cost}}})
        else:
            self._capture(call, {"amount": f"0.{cost:02}"})

    def _capture(self, call: Call, report: dict[str, Any]) -> None:
        """Capture; one in five at the same moment over another connection too."""
        call.event = report.get("event", {}).get("id", "")
        path = f"/holds/{call.hold}/capture"
        answers: list[tuple[int, dict[str, Any]]] = []
        twin = threading.Thread(target=self._capture_elsewhere, args=(path, report, answers))
        doubled = self._chance.random() < 0.2
        if doubled:
            twin.start()
        answers.append(self._post(self._link, path, report))
        if doubled:
            twin.join()
        # What one was refused for may be there for the other a moment later.
        call.captured, body = min(answers, key=lambda answer: answer[0])
        call.charged = body.get("captured", "0") if call.captured == http.client.OK else "0"
        if call.captured != http.client.OK and self._chance.random() < 0.8:  # the call was not paid for: make room for others
            self._post(self._link, f"/holds/{call.hold}/release", {})

    def _capture_elsewhere(self, path: str, report: dict[str, Any], answers: list[tuple[int, dict[str, Any]]]) -> None:
        link = self._connect()
        answers.append(self._post(link, path, report))
        link.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._orders.address, timeout=PATIENCE_SECONDS)

    def _post(self, link: http.client.HTTPConnection, path: str, body: Any, *, key: str = "") -> tuple[int, dict[str, Any]]:
        """POST; again when the wallet was busy."""
        headers = {"Authorization": f"Bearer {self._orders.api_key}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            link.request("POST", f"/api/v1{path}", json.dumps(body), headers)
            response = link.getresponse()
            answer = json.loads(response.read() or b"{}")
            if response.status != BUSY or time.monotonic() > deadline:
                return response.status, answer


def attack(orders: Orders) -> list[Call]:
    """What all clients of this process saw."""
    clients = [Client(orders, number) for number in range(orders.clients)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [call for client in clients for call in client.calls]


if __name__ == "__main__":
    json.dump([asdict(call) for call in attack(Orders(**json.load(sys.stdin)))], sys.stdout)
