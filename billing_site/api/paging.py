"""Cursor paging: `{"data": [...], "next_cursor": …}`. A view declares `page_by`, one unique column; a cursor remembers its
value in the last row, so rows that come or go between two pages are neither skipped nor repeated."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from wallets.errors import InvalidInput

if TYPE_CHECKING:  # rest_framework.views imports this module, by its settings
    from rest_framework.views import APIView

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 500
MAX_CURSOR: Final = 400
LARGEST_ROW_ID: Final = 2**63 - 1


class PageUnreadable(InvalidInput):
    """`limit` or `cursor` is not acceptable."""

    code = "invalid_page"


class CursorPages(BasePagination):
    """Pages of a queryset in the order of the view's `page_by` (`id`, `-id`)."""

    _next: str | None = None

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """The rows of the page that was asked for. Raises PageUnreadable."""
        assert isinstance(queryset, QuerySet), type(queryset)
        column: str = getattr(view, "page_by", "id")
        limit = read_limit(request.query_params.get("limit"))
        after = read_cursor(request.query_params.get("cursor"), column)
        name = column.removeprefix("-")
        if after is not None:
            queryset = queryset.filter(**{f"{name}__{'lt' if column.startswith('-') else 'gt'}": after})
        rows = list(queryset.order_by(column)[: limit + 1])
        self._next = write_cursor(column, getattr(rows[limit - 1], name)) if len(rows) > limit else None
        return rows[:limit]

    def get_paginated_response(self, data: Sequence[Any]) -> Response:
        """The page and where the next one starts."""
        return Response({"data": data, "next_cursor": self._next})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """For the OpenAPI document."""
        return {
            "type": "object",
            "required": ["data", "next_cursor"],
            "properties": {"data": schema, "next_cursor": {"type": ["string", "null"]}},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:  # noqa: ARG002 - DRF's signature
        """For the OpenAPI document."""
        return [
            {
                "name": "limit",
                "in": "query",
                "description": "Rows a page.",
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            },
            {
                "name": "cursor",
                "in": "query",
                "description": "next_cursor of the page before.",
                "schema": {"type": "string"},
            },
        ]


def read_limit(text: str | None) -> int:
    """How many rows a page has. Raises PageUnreadable."""
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_LIMIT):  # noqa: PLR2004
        raise PageUnreadable("limit is not acceptable.", fields={"limit": f"a whole number from 1 to {MAX_LIMIT}"})
    return int(text)


def write_cursor(column: str, value: object) -> str:
    """A cursor for the rows after `value`."""
    return base64.urlsafe_b64encode(json.dumps([column, value]).encode()).decode().rstrip("=")


def read_cursor(text: str | None, column: str) -> int | str | None:
    """The value a cursor of this list remembers; None without one. Raises PageUnreadable."""
    if text is None:
        return None
    refusal = PageUnreadable("cursor is not one of this list.", fields={"cursor": "next_cursor of the page before"})
    if len(text) > MAX_CURSOR:
        raise refusal
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        of_column, value = found
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise refusal from None
    fine = isinstance(value, str) or (type(value) is int and abs(value) <= LARGEST_ROW_ID)
    if of_column != column or not fine:
        raise refusal
    return value  # type: ignore[no-any-return]
