"""JSON without a float: numbers are read as int and Decimal, and written as decimal strings. What cannot be stored
(NaN, a million digits, NUL, half a surrogate pair, a name twice) is malformed before a view sees it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from billing_site.api.problems import BodyTooLarge
from wallets.api.fields import decimal_text, moment_text

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_DIGITS: Final = 100  # an amount has 30
MAX_EXPONENT: Final = 100
MAX_DEPTH: Final = 32


class ExactJSONParser(BaseParser):
    """A JSON body of at most MAX_BYTES bytes, its numbers exact."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:  # noqa: ARG002
        """The value of the body. Raises ParseError, BodyTooLarge."""
        raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise BodyTooLarge(f"The body is larger than {MAX_BYTES} bytes.")
        return read_json(raw)


class ExactJSONEncoder(JSONEncoder):
    """Decimals as strings, times in UTC."""

    def default(self, value: Any) -> Any:
        """What JSON itself does not know."""
        if isinstance(value, Decimal):
            return decimal_text(value)
        if isinstance(value, datetime):
            return moment_text(value)
        return super().default(value)


class ExactJSONRenderer(JSONRenderer):
    """Answers as JSON, UTF-8, whatever was asked for."""

    encoder_class = ExactJSONEncoder
    charset = None


class AlwaysJSON(BaseContentNegotiation):
    """The body is read by the one parser; the answer is JSON whatever Accept says."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser of the content type; None (415) for another one."""
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002 - DRF's signature
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002 - DRF's signature
    ) -> tuple[BaseRenderer, str]:
        """The first renderer."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


def read_json(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8, its numbers exact. Raises ParseError with what is wrong."""
    try:
        value = _decoder.decode(raw.decode())
    except UnicodeDecodeError:
        raise ParseError("The body is not valid UTF-8.") from None
    except RecursionError:
        raise ParseError(f"The body is nested deeper than {MAX_DEPTH}.") from None
    except ValueError as error:
        raise ParseError(f"The body is not valid JSON: {error}") from None
    _check(value, 0)
    return value


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} digits")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} digits")
    number = Decimal(text)
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise ValueError(f"a number has an exponent beyond {MAX_EXPONENT}")
    return number


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a name twice")
    return found


def _check(value: Any, depth: int) -> None:
    """Raise ParseError for what cannot be stored."""
    if depth > MAX_DEPTH:
        raise ParseError(f"The body is nested deeper than {MAX_DEPTH}.")
    if isinstance(value, str):
        if "\x00" in value:
            raise ParseError("The body contains a NUL character.")
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ParseError("The body contains half a surrogate pair.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check(name, depth)
            _check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1)


_decoder: Final = json.JSONDecoder(parse_int=_whole, parse_float=_decimal, parse_constant=_refuse, object_pairs_hook=_object)
