"""A process of its own on the test's database: what must hold between processes is tried with processes.

`python -m tests.child` reads calls from its standard input, a JSON line each ({"function": dotted name, "arguments": {...}}),
and answers each with a line ({"result": ...} or {"error": traceback}). It ends when its input does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self
from urllib.parse import urlsplit, urlunsplit

ROOT: Final = Path(__file__).resolve().parent.parent


class Child:
    """The process, seen from the test. Use as a context manager: it is killed at the end, whatever it does."""

    def __init__(self, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.child"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": _test_database_url(), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def start(self, function: Callable[..., Any], **arguments: Any) -> None:
        """Have it call a function of a module, with arguments that are JSON; `result` has the answer."""
        call = {"function": f"{function.__module__}.{function.__qualname__}", "arguments": arguments}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()

    def result(self) -> Any:
        """The answer to the oldest call that has none yet; waits for it."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process ended without an answer"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def call(self, function: Callable[..., Any], **arguments: Any) -> Any:
        """`start`, then `result`."""
        self.start(function, **arguments)
        return self.result()

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self._process.kill()
        self._process.wait()


def _test_database_url() -> str:
    from django.db import connection  # noqa: PLC0415 - the child imports this module before Django is set up

    url = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))


def answer_calls(calls: IO[str], answers: IO[str]) -> None:
    """Serve `Child`."""
    from django.utils.module_loading import import_string  # noqa: PLC0415 - Django is set up by then

    for line in calls:
        call = json.loads(line)
        try:
            module, _, name = call["function"].rpartition(".")
            answer = {"result": import_string(f"{module}.{name}")(**call["arguments"])}
        except Exception:  # noqa: BLE001 - told to the test
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    import django

    django.setup()
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as answers_to_the_test:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what anybody prints must not look like an answer
        answer_calls(sys.stdin, answers_to_the_test)
