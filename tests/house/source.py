"""The source the house tests read: our own modules, as text and as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[2]
# Low to high: an app knows those before it.
ORDER: Final = ("wallets", "pricing", "metering", "notifications", "billing_site")
HEIGHT: Final = {app: height for height, app in enumerate(ORDER)}


def modules(*folders: str) -> list[Path]:
    """The Python files of these folders (of all apps, without any), migrations left out."""
    found = (path for folder in folders or ORDER for path in (PROJECT / folder).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def place(path: Path, node: ast.expr | ast.stmt | None = None) -> str:
    """wallets/money.py:12."""
    name = str(path.relative_to(PROJECT))
    return name if node is None else f"{name}:{node.lineno}"


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a file with the dotted name of what it calls, as far as it is one: `Posting.objects.create`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def imported_names(path: Path) -> Iterator[tuple[str, ast.stmt]]:
    """Every name a file imports, dotted: `django.db.models`, `django.contrib.admin`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node
