"""How values stand on the wire: amounts as exact decimal strings, times as RFC 3339 in UTC, text as text. Bodies are read
strictly: a field nobody knows is an error, so that a typing mistake never changes a price."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from wallets.input import storable
from wallets.money import plain

DECIMAL: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
LONGEST_MOMENT: Final = 40
EARLIEST: Final = datetime(1970, 1, 2, tzinfo=UTC)
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)


class Body(serializers.Serializer[Any]):
    """The body of a request; unknown fields are refused."""

    @classmethod
    def read(cls, request: Request, *, partial: bool = False) -> dict[str, Any]:
        """The checked values of a request's body. Raises ValidationError naming each wrong field."""
        body = cls(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def to_internal_value(self, data: Any) -> Any:
        """Check the known fields, then that there are no others."""
        values = super().to_internal_value(data)
        unknown = [str(name)[:120] for name in data if name not in self.fields]
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown[:20], "There is no such field."))
        return values


@extend_schema_field({"type": "string", "format": "decimal", "examples": ["12.34"]})
class AmountField(serializers.Field[Any, Any, Any, Any]):
    """An exact amount, price or quantity: decimal string or JSON number in, decimal string out."""

    default_error_messages = {"invalid": 'Expected a decimal string such as "12.34", or a number.'}

    def to_internal_value(self, data: Any) -> Decimal:
        """The exact value; the parser has already read numbers without a float."""
        number = isinstance(data, int | Decimal) and not isinstance(data, bool)
        if not number and not (isinstance(data, str) and DECIMAL.fullmatch(data)):
            self.fail("invalid")
        return Decimal(data)

    def to_representation(self, value: Decimal) -> str:
        """At least two decimals, no exponent."""
        return decimal_text(value)


@extend_schema_field({"type": "string", "format": "date-time", "examples": ["2026-11-23T10:00:00Z"]})
class MomentField(serializers.Field[Any, Any, Any, Any]):
    """A time: RFC 3339 with an offset in, UTC out."""

    default_error_messages = {
        "invalid": "Expected an RFC 3339 time with its offset, such as 2026-11-23T10:00:00Z.",
        "far": "Expected a time between 1970 and 9000.",
    }

    def to_internal_value(self, data: Any) -> datetime:
        """The time, in UTC."""
        moment = read_moment(data)
        if moment is None:
            self.fail("invalid")
        if not EARLIEST <= moment <= LATEST:
            self.fail("far")
        return moment.astimezone(UTC)

    def to_representation(self, value: datetime) -> str:
        """UTC with a Z."""
        return moment_text(value)


@extend_schema_field({"type": "string"})
class TextField(serializers.Field[Any, Any, Any, Any]):
    """Text in and out; numbers and booleans are not text."""

    default_error_messages = {"invalid": "Expected text without control characters."}

    def to_internal_value(self, data: Any) -> str:
        """Text that can be stored; its length is the verb's business."""
        if not isinstance(data, str) or not storable(data):
            self.fail("invalid")
        return data

    def to_representation(self, value: str) -> str:
        """As it is."""
        return value


@extend_schema_field({"type": "integer"})
class WholeField(serializers.Field[Any, Any, Any, Any]):
    """A whole number; its range is the verb's business."""

    default_error_messages = {"invalid": "Expected a whole number."}

    def to_internal_value(self, data: Any) -> int:
        """A JSON integer."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data

    def to_representation(self, value: int) -> int:
        """As it is."""
        return value


@extend_schema_field({"type": "string"})
class LowerField(serializers.Field[Any, Any, Any, Any]):
    """A choice that is stored in capitals: `ACTIVE` is `active` on the wire. Output only."""

    def to_representation(self, value: str) -> str:
        """In lower case."""
        return str(value).lower()


def decimal_text(amount: Decimal) -> str:
    """An exact decimal string with at least two decimals: `4.00`, `0.00001`."""
    text = plain(amount)
    return text if "." in text else f"{text}.00"


def read_moment(data: Any) -> datetime | None:
    """An RFC 3339 time with its offset, aware; None when it is not one."""
    if not isinstance(data, str) or len(data) > LONGEST_MOMENT or not RFC_3339.fullmatch(data):
        return None
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", data.upper()))
    except ValueError:
        return None


def moment_text(moment: datetime) -> str:
    """RFC 3339 in UTC: `2026-11-23T10:00:00Z`, with microseconds when there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
