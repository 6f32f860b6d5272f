"""What `manage.py run` shows once the site serves: one screen with everything needed to look around."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

# An event of the kind the demo company charges for.
EXAMPLE: Final = {
    "type": "llm.request",
    "properties": {"model": "gpt-5", "endpoint": "/v1/chat/completions", "input_tokens": 812, "output_tokens": 96},
}


@dataclass(frozen=True)
class Login:
    """Somebody who can sign in. password: None if it was told once and is not known any more."""

    role: str
    email: str
    password: str | None
    what: str


@dataclass(frozen=True)
class DemoFacts:
    """What the seed made. api_key: None if it was told once and is not known any more; account: whom the example charges."""

    logins: tuple[Login, ...]
    api_key: str | None
    account: str

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> DemoFacts:
        """From what seed_demo returned, or what was kept of it."""
        logins = (Login(one["role"], one["email"], one["password"], one["what"]) for one in told["logins"])
        return cls(tuple(logins), told["api_key"], told["account"])


@contextmanager
def seed_progress() -> Iterator[Callable[[int, int], None]]:
    """A bar while the demo's history is loaded; inside, a function that is told steps done and steps in all."""
    columns = (BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, every: progress.update(task, completed=done, total=every)


def screen(*, site_url: str, data_dir: Path, facts: DemoFacts | None, event_id: str) -> str:
    """The text. event_id: a fresh one, so that the first send is charged and a second one is a duplicate."""
    lines = ["", f"  Site      {site_url}/", f"  Admin     {site_url}/admin/", f"  API       {site_url}/api/docs/", ""]
    if facts is not None:
        lines += ["  Sign in", *_logins(facts.logins), ""]
        if facts.api_key is None:
            lines += ["  API key   told once; for another: python manage.py create_api_key NAME --scopes all", ""]
        else:
            lines += [f"  API key   {facts.api_key}", "", "  Charge something:", "", _curl(site_url, facts, event_id), ""]
    lines += [f"  Data and logs are in {data_dir}. Ctrl-C stops everything.", ""]
    return "\n".join(lines)


def _logins(logins: Sequence[Login]) -> Iterator[str]:
    if not logins:
        return
    role, email = max(len(one.role) for one in logins), max(len(one.email) for one in logins)
    for one in logins:
        password = one.password or "(told once)"
        yield f"    {one.role:<{role}}  {one.email:<{email}}  {password}  {one.what}"


def _curl(site_url: str, facts: DemoFacts, event_id: str) -> str:
    event = json.dumps({"id": event_id, "account": facts.account, **EXAMPLE})
    return (
        f"curl -sS {site_url}/api/v1/events -H 'Authorization: Bearer {facts.api_key}' \\\n"
        f"  -H 'Content-Type: application/json' -d '{event}'"
    )
