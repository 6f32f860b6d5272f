"""Define a meter, archive it. What a meter measures never changes: prices and charges stand on it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from pricing.meters.expression import LONGEST, ExpressionRefused, compile_expression
from pricing.meters.measure import dimension_text
from pricing.meters.models import Meter
from wallets.errors import Conflict
from wallets.input import Input, name_is_fine

CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}")
CODE_EXPECTED: Final = "1 to 120 letters, digits or . _ : -, starting with a letter or digit"
RESERVED: Final = frozenset({"hold.capture"})  # where revenue of captures without an event stands
MAX_DIMENSIONS: Final = 10
LONGEST_DIMENSIONS: Final = 800  # bytes: names and values are indexed together
MAX_FILTERS: Final = 10
MAX_VALUES: Final = 100
LONGEST_VALUE: Final = 255


class MeterExists(Conflict):
    """There is a meter with this code already."""

    code = "meter_exists"


class MeterArchived(Conflict):
    """The meter is archived: it measures no new events."""

    code = "meter_archived"


def define_meter(  # noqa: PLR0913 - each is a column of the meter
    *,
    code: str,
    event_type: str,
    aggregation: str,
    at: datetime,
    property: str = "",  # noqa: A002 - the wire's name for it
    expression: str = "",
    filters: Mapping[str, Any] | None = None,
    dimensions: Sequence[str] = (),
    name: str = "",
    unit: str = "",
) -> Meter:
    """Define what is counted for events of `event_type`.

    aggregation: count (each event is one), sum, max or latest (of `property`, or of `expression`: an arithmetic expression of
    properties), unique (how many values of `property`).  filters: property -> value or values it must have.
    dimensions: properties usage is reported by.  unit: what one is called. Raises MeterExists, InvalidInput.
    """
    check = Input()
    check.matching("code", code, CODE, CODE_EXPECTED)
    check.expect("code", code not in RESERVED, f"another code than {code}")
    event_type = check.text("event_type", event_type, longest=120, required=True)
    check.choice("aggregation", aggregation, [str(value) for value in Meter.Aggregation])
    measured = check.text("property", property, longest=120)
    computed = _expression(check, expression)
    _measured(check, aggregation, measured, computed)
    wanted = _filters(check, filters or {})
    reported = check.names("dimensions", dimensions, most=MAX_DIMENSIONS)
    size = sum(len(dimension.encode(errors="replace")) for dimension in reported)
    check.expect("dimensions", size <= LONGEST_DIMENSIONS, f"names of at most {LONGEST_DIMENSIONS} bytes together")
    name = check.text("name", name, longest=200)
    unit = check.text("unit", unit, longest=60)
    check.refuse("The meter cannot be defined like this.")
    try:
        with transaction.atomic():
            return Meter.objects.create(
                code=code,
                name=name,
                unit=unit,
                event_type=event_type,
                aggregation=aggregation,
                property=measured,
                expression=computed,
                filters=wanted,
                dimensions=reported,
                created_at=at,
            )
    except IntegrityError as error:
        if Meter.objects.filter(code=code).exists():
            raise MeterExists(f"There is a meter {code} already.", fields={"code": "a code not in use"}) from error
        raise


def archive_meter(*, meter: Meter, at: datetime) -> Meter:
    """Stop measuring new events; what was charged stays. Raises MeterArchived when it was archived before."""
    if not Meter.objects.filter(pk=meter.pk, archived_at__isnull=True).update(archived_at=at):
        raise MeterArchived(f"Meter {meter.code} is archived already.")
    meter.archived_at = at
    return meter


def _measured(check: Input, aggregation: str, measured: str, computed: str) -> None:
    """Count measures nothing, unique a property, the others a property or an expression."""
    if aggregation == Meter.Aggregation.COUNT:
        check.expect("property", not measured, "empty for count")
        check.expect("expression", not computed, "empty for count")
    elif aggregation == Meter.Aggregation.UNIQUE:
        check.expect("property", measured, "the property whose values are counted")
        check.expect("expression", not computed, "empty for unique")
    elif computed:
        check.expect("property", not measured, "empty when there is an expression")
    elif aggregation in Meter.Aggregation.values:
        check.expect("property", measured, "the property to measure, or an expression")


def _expression(check: Input, expression: str) -> str:
    """An expression that can be measured, or none."""
    text = check.text("expression", expression, longest=LONGEST)
    if text and "expression" not in check.wrong:
        try:
            compile_expression(text)
        except ExpressionRefused as error:
            check.expect("expression", False, str(error))
    return text


def _filters(check: Input, filters: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Filters with their values as text, the form in which they are compared."""
    texts: dict[str, str | list[str]] = {}
    if not check.expect("filters", isinstance(filters, Mapping), "an object: property -> value or list of values"):
        return texts
    check.expect("filters", len(filters) <= MAX_FILTERS, f"at most {MAX_FILTERS} properties")
    for name, value in filters.items():
        field = f"filters.{name}" if name_is_fine(name, 120) else "filters"
        check.expect("filters", name_is_fine(name, 120), "property names of 1 to 120 characters")
        values = value if isinstance(value, list) else [value]
        found = [dimension_text(one) for one in values]
        fine = 0 < len(found) <= MAX_VALUES and all(text is not None and name_is_fine(text, LONGEST_VALUE) for text in found)
        if check.expect(field, fine, f"a text, number or boolean, or a list of up to {MAX_VALUES} of them"):
            chosen = [text for text in found if text is not None]
            texts[name] = chosen if isinstance(value, list) else chosen[0]
    return texts
