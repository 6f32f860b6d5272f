"""What stands behind a gateway: the vendor's service; and a top-up, as a vendor's back end gives it."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.cast import Company
from tests.web import Site
from wallets import clock
from wallets.api_keys.issue import issue_api_key


class Service(BaseHTTPRequestHandler):
    """The vendor's service: says whose call it was."""

    protocol_version = "HTTP/1.1"
    calls: list[str | None]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append(self.headers["X-Account"])  # type: ignore[attr-defined]
        body = b'{"answer": 42}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def top_up(site: Site, acme: Company, amount: str) -> None:
    """Credit over the API, as a vendor's back end gives it."""
    secret = issue_api_key(name="back end", scopes=["wallets:write"], at=clock.now()).secret
    body = json.dumps({"amount": amount, "kind": "promotional"})
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json", "Idempotency-Key": "top-up"}
    with closing(http.client.HTTPConnection(site.address, timeout=30)) as link:
        link.request("POST", f"/api/v1/wallets/{acme.wallet.public_id}/credits", body, headers)
        answer = link.getresponse()
        said = answer.read()
    assert answer.status == 201, said
