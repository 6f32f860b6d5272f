"""The base class of every refusal. A refusal is an answer, not an accident: it carries a stable code for machines, a
sentence for people, and the fields it is about. `billing_site/api/problems.py` maps classes to HTTP statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class Refusal(Exception):
    """Raised by a verb that will not do what it was asked to.

    code: stable, documented, snake_case.  message: one sentence that names the fix.
    fields: field name -> what is expected there.  extra: further members of the problem document (primitives).
    headers: what the answer carries besides, set by the door that knows.
    """

    code: ClassVar[str] = "refused"

    def __init__(
        self, message: str, *, fields: Mapping[str, str] | None = None, extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fields: dict[str, str] = dict(fields or {})
        self.extra: dict[str, Any] = dict(extra or {})
        self.headers: dict[str, str] = {}


class InvalidInput(Refusal):
    """Well-formed, but a value is outside what the verb accepts; `fields` names each."""

    code = "invalid"


class NotFound(Refusal):
    """There is no such object, or it belongs to somebody else (the two are told apart by nobody outside)."""

    code = "not_found"


class Conflict(Refusal):
    """The object is in a state in which this cannot be done."""

    code = "conflict"
