"""A Stripe that lives on this machine: localstripe in a process of its own, with what it lacks put before it.

localstripe keeps customers, cards and payments, sends signed webhooks a second after something happened, and serves a script
with a card element. Before it stands a proxy, in the same process, that
- honours `Idempotency-Key` as Stripe does: the same key and body is answered with the first answer, another body is refused,
  and a key whose first request is still running is a conflict;
- answers that nothing is in dispute: localstripe knows no disputes;
- drops what localstripe does not know and our client sends (`off_session` on a confirmation);
- keeps everything in one file, so that saved cards are still there after a restart, and listens on this machine only.

`python -m billing_site.embedded.stripe_sandbox --port 8420 --file state.pickle [--webhook-url URL --webhook-secret SECRET]`
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import pickle
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from billing_site.embedded.child import end_with_parent_process

_SAVE_SECONDS: Final = 0.5

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class _Answer:
    """What a key was answered."""

    asked: bytes
    status: int
    content_type: str
    body: bytes


class Sandbox:
    """localstripe's application with the proxy before it."""

    def __init__(self, file: Path | None) -> None:
        """file: where everything is kept; None keeps it in memory."""
        from localstripe import resources, server  # noqa: PLC0415 - it looks at its own file when it is imported

        self._file = file
        self._store = resources.store
        self._answers: dict[str, _Answer] = {}
        self._running: dict[str, bytes] = {}
        self._changed = False
        # Its own file is one for the whole machine, written at every step.
        resources.Store.dump_to_disk = lambda _: self._note_change()
        self.app: web.Application = server.app
        self.app.middlewares.insert(0, self._proxy())
        self.app.cleanup_ctx.append(self._keep)
        self._load()

    def _proxy(self) -> Any:
        @web.middleware
        async def answer_once(request: web.Request, handler: Handler) -> web.StreamResponse:
            await _drop_unknown(request)
            if request.method == "GET" and request.path == "/v1/disputes":
                return web.json_response({"object": "list", "url": request.path, "has_more": False, "data": []})
            key = request.headers.get("Idempotency-Key")
            if key is None or request.method != "POST":
                return await handler(request)
            asked = hashlib.sha256(f"{request.path}\n".encode() + await request.read()).digest()
            refusal = self._refusal(key, asked)
            if refusal is not None:
                return refusal
            first = self._answers.get(key)
            if first is None:
                self._running[key] = asked
                try:
                    first = await _answered(asked, request, handler)
                finally:
                    del self._running[key]
                self._answers[key] = first
                self._note_change()
                return _response(first)
            return _response(first, replayed=True)

        return answer_once

    def _refusal(self, key: str, asked: bytes) -> web.Response | None:
        first = self._answers.get(key)
        before = first.asked if first is not None else self._running.get(key)
        if before is not None and before != asked:
            return _error(400, "idempotency_error", "Keys for idempotent requests can only be used with the same parameters.")
        if key in self._running:
            return _error(409, "idempotency_error", "There is currently another in-progress request using this key.")
        return None

    def _note_change(self) -> None:
        self._changed = True

    async def _keep(self, _: web.Application) -> AsyncIterator[None]:
        """Save what has changed now and then, and at the end."""

        async def save_often() -> None:
            while True:
                await asyncio.sleep(_SAVE_SECONDS)
                self._save()

        saving = asyncio.create_task(save_often())
        yield
        saving.cancel()
        with suppress(asyncio.CancelledError):
            await saving
        self._save()

    def _save(self) -> None:
        if not self._changed or self._file is None:
            return
        self._changed = False
        partial = self._file.with_suffix(".partial")
        partial.write_bytes(pickle.dumps((dict(self._store), self._answers)))
        partial.replace(self._file)

    def _load(self) -> None:
        if self._file is None or not self._file.exists():
            return
        with suppress(pickle.UnpicklingError, EOFError, AttributeError, ImportError):
            store, answers = pickle.loads(self._file.read_bytes())  # noqa: S301 - our own file
            self._store.update(store)
            self._answers.update(answers)


async def _drop_unknown(request: web.Request) -> None:
    """Take out of a confirmation what localstripe refuses; it treats everybody as present."""
    if request.method == "POST" and request.path.startswith("/v1/payment_intents/") and request.path.endswith("/confirm"):
        body = await request.read()
        kept = [part for part in body.split(b"&") if part and not part.startswith(b"off_session=")]
        request._read_bytes = b"&".join(kept)  # noqa: SLF001 - aiohttp's requests are read once and remembered here


async def _answered(asked: bytes, request: web.Request, handler: Handler) -> _Answer:
    response = await handler(request)
    assert isinstance(response, web.Response), type(response)
    body = response.body
    assert isinstance(body, bytes), type(body)
    return _Answer(asked, response.status, response.content_type, body)


def _response(answer: _Answer, *, replayed: bool = False) -> web.Response:
    headers = {"Idempotent-Replayed": "true"} if replayed else None
    return web.Response(status=answer.status, body=answer.body, content_type=answer.content_type, headers=headers)


def _error(status: int, kind: str, message: str) -> web.Response:
    body = json.dumps({"error": {"type": kind, "message": message}}).encode()
    return web.Response(status=status, body=body, content_type="application/json")


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--webhook-url")
    parser.add_argument("--webhook-secret")
    options = parser.parse_args()
    end_with_parent_process()
    sandbox = Sandbox(options.file)
    if options.webhook_url:
        from localstripe.webhooks import register_webhook  # noqa: PLC0415 - as in Sandbox

        register_webhook("site", options.webhook_url, options.webhook_secret, None)
    web.run_app(sandbox.app, host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
