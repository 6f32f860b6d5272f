"""A table of prices as the body of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from rest_framework.parsers import BaseParser
from rest_framework.settings import api_settings

from pricing.books.price_files import MAX_BYTES


class CsvParser(BaseParser):
    """A body of text/csv as its bytes; reading it names rows and columns, which is not a parser's to do."""

    media_type = "text/csv"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:  # noqa: ARG002
        """The bytes, one more than a file may have at most."""
        return bytes(stream.read(MAX_BYTES + 1))


WITH_CSV: Final[list[type[BaseParser]]] = [*cast("list[type[BaseParser]]", api_settings.DEFAULT_PARSER_CLASSES), CsvParser]
"""For views that take prices as JSON or as a table."""
