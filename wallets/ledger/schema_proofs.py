"""Proofs that the database still holds what the models say: triggers in place and switched on (I7), constraints and unique
indexes there and valid (I3, I7), money in exact columns (I10). Over the models of all apps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from django.apps import apps
from django.db import connection
from django.db.models import DecimalField, Model

from wallets.ledger.proof import Proof, Prover, prove_things
from wallets.money import DIGITS, SCALE

OUR_APPS: Final = frozenset({"wallets", "pricing", "metering", "notifications"})
_FUNCTION: Final = re.compile(r"RETURNS TRIGGER AS \$\$(.*?)\$\$ LANGUAGE", re.DOTALL)
_SWITCHED_ON: Final = {"O", "A"}  # pg_trigger.tgenabled: fires in ordinary sessions
_BINARY_FLOATS: Final = ("real", "double precision", "money")


def triggers_are_on() -> Proof:
    """Every trigger of the models exists, is switched on and does what its source says."""
    standing = {
        (table, name): (enabled, source)
        for table, name, enabled, source in _rows(
            """SELECT c.relname, t.tgname, t.tgenabled::text, f.prosrc
               FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc f ON f.oid = t.tgfoid
               WHERE NOT t.tgisinternal"""
        )
    }
    faults: dict[str, str | None] = {}
    for model in _models():
        for trigger in getattr(model._meta, "triggers", ()):  # noqa: SLF001 - pgtrigger's documented place
            table, name = model._meta.db_table, trigger.get_pgid(model)  # noqa: SLF001 - as above
            enabled, source = standing.get((table, name), ("", ""))
            wanted = _FUNCTION.search(trigger.compile(model).install_sql)
            fault = None
            if not enabled:
                fault = "does not exist"
            elif enabled not in _SWITCHED_ON:
                fault = "is switched off"
            elif wanted is None or _words(source) != _words(wanted[1]):
                fault = "has another function than the source code says"
            faults[f"trigger {trigger.name} on {table}"] = fault
    return prove_things("Append-only and guarding triggers are in place and switched on", "I7", faults)


def constraints_are_in_place() -> Proof:
    """Every constraint and unique index of the models exists and is valid."""
    valid = dict(
        _rows(
            """SELECT conname, convalidated FROM pg_constraint
               UNION ALL
               SELECT c.relname, i.indisvalid AND (i.indisunique OR i.indisexclusion)
                 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"""
        )
    )
    faults: dict[str, str | None] = {}
    for model in _models():
        for constraint in model._meta.constraints:  # noqa: SLF001 - Django's documented API
            state = valid.get(constraint.name)
            fault = None if state else "does not exist" if state is None else "is not valid"
            faults[f"constraint {constraint.name} on {model._meta.db_table}"] = fault  # noqa: SLF001 - as above
    return prove_things("Every constraint of the models is in place: one event per id, one reversal, one default", "I3", faults)


def money_columns_are_exact() -> Proof:
    """Every amount is numeric(30,12), shares in percent are as their models say, and no column is a binary float."""
    columns = {
        (table, column): (kind, digits, scale)
        for table, column, kind, digits, scale in _rows(
            """SELECT table_name, column_name, data_type, numeric_precision, numeric_scale
               FROM information_schema.columns WHERE table_schema = current_schema()"""
        )
    }
    faults: dict[str, str | None] = {
        f"column {table}.{column}": f"is {kind}" for (table, column), (kind, _, _) in columns.items() if kind in _BINARY_FLOATS
    }
    for model in _models():
        for model_field in model._meta.concrete_fields:  # noqa: SLF001 - Django's documented API
            if isinstance(model_field, DecimalField):
                kind, digits, scale = columns[model._meta.db_table, model_field.column]  # noqa: SLF001 - as above
                share = model_field.name.endswith("percent")  # no amount: as its model says
                wanted = (model_field.max_digits, model_field.decimal_places) if share else (DIGITS, SCALE)
                exact = (kind, digits, scale) == ("numeric", *wanted)
                fault = None if exact else f"is {kind}({digits},{scale})"
                faults[f"column {model._meta.db_table}.{model_field.column}"] = fault  # noqa: SLF001 - as above
    return prove_things(f"Every amount is numeric({DIGITS},{SCALE}); there is no binary float", "I10", faults)


PROOFS: Final[tuple[Prover, ...]] = (constraints_are_in_place, triggers_are_on, money_columns_are_exact)


def _models() -> Iterator[type[Model]]:
    return (model for model in apps.get_models() if model._meta.app_label in OUR_APPS)  # noqa: SLF001 - Django's documented API


def _rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _words(source: str) -> list[str]:
    return source.split()
