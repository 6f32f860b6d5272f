"""Triggers that make a table append-only, also for SQL written by hand (I7)."""

from __future__ import annotations

import pgtrigger


def append_only(row: str) -> list[pgtrigger.Trigger]:
    """Triggers refusing UPDATE, DELETE and TRUNCATE; `row` is what one row is called (`posting`)."""
    return [
        pgtrigger.Protect(name=f"{row}_is_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name=f"{row}_is_not_truncated",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;",
        ),
    ]
