"""The editor's form: a card for each price of a draft, read from its row or from what the browser sent. Everything is text
until it is saved, so that what was typed wrong is shown again with what is expected beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, NamedTuple

from pricing.admin.price_text import MODEL_LABELS, example_text
from pricing.books.model_fields import MODELS, TIER_FIELDS
from pricing.books.models import Price
from pricing.books.price_cells import TIER, cells_of, column_of_field, terms_of_cells
from pricing.books.price_terms import PriceTerms
from pricing.books.rows import terms_of_row

SPARE_TIERS: Final = 1
MAX_CARDS: Final = 50
_NAME: Final = re.compile(r"p([0-9]{1,4})\.(.{1,200})", re.ASCII | re.DOTALL)
_CONDITION: Final = re.compile(r"condition\.([0-9]{1,3})\.(name|value)", re.ASCII)
_TIER: Final = re.compile(r"tier\.([0-9]{1,3})\.(\w+)", re.ASCII)
TIER_LABELS: Final = {"up_to": "Up to", "unit_price": "Price each", "flat_price": "Flat, once", "rate": "Percent"}


LABELS: Final[dict[str, str]] = {
    "unit_price": "Price each",
    "package_size": "Units in a package",
    "package_price": "Price of a package",
    "price_property": "Property with the price",
    "percentage.rate": "Percent",
    "percentage.fixed": "Fixed, an event",
    "percentage.minimum": "At least, an event",
    "percentage.maximum": "At most, an event",
    "percentage.free_events": "Free events a month",
    "percentage.free_amount": "Free amount a month",
    "free_units": "Free units a month",
    "unit_cost": "Our cost each",
    "minimum_charge": "At least, an event",
    "currency": "Currency",
    "schedule.windows": "Only at",
    "schedule.time_zone": "Time zone",
}
COMMON: Final = ("unit_cost", "minimum_charge", "currency", "schedule.windows", "schedule.time_zone")
COLUMNS: Final = tuple(column for column in LABELS if column not in COMMON)
OF_MODELS: Final = frozenset(column.partition(".")[0] for column in COLUMNS)


class Field(NamedTuple):
    """A field of a card."""

    column: str
    label: str
    text: str
    error: str


@dataclass(slots=True)
class PriceCard:
    """A price in the form. price_id: its row; empty for one that is added. cells: what stands in its fields, but for
    conditions and tiers."""

    number: int
    price_id: str
    unit: str
    cells: dict[str, str]
    conditions: list[tuple[str, str]]
    tiers: list[dict[str, str]]
    removed: bool = False
    errors: dict[str, str] = field(default_factory=dict)
    example: str = ""

    @property
    def model(self) -> str:
        """The price model chosen."""
        return self.cells.get("model", "per_unit")

    @property
    def fields(self) -> frozenset[str]:
        """The fields of that model."""
        return MODELS[self.model][0] if self.model in MODELS else frozenset()

    @property
    def models(self) -> list[tuple[str, str]]:
        """All models with their names."""
        return list(MODEL_LABELS.items())

    @property
    def tier_parts(self) -> tuple[str, ...]:
        """What a tier of that model is made of."""
        return ("up_to", *TIER_FIELDS.get(self.model, ("unit_price", "flat_price")))

    @property
    def tier_columns(self) -> list[tuple[str, str]]:
        """The columns of the table of tiers: part, label."""
        return [(part, TIER_LABELS[part]) for part in self.tier_parts]

    @property
    def tier_rows(self) -> list[tuple[int, list[tuple[str, str, str, str]]]]:
        """The rows of the table of tiers: number; part, label, text, what is wrong with it. One row is spare."""
        rows = [*self.tiers, *({} for _ in range(SPARE_TIERS))]
        return [
            (
                place,
                [
                    (part, label, tier.get(part, ""), self.errors.get(f"tier.{place}.{part}", ""))
                    for part, label in self.tier_columns
                ],
            )
            for place, tier in enumerate(rows, start=1)
        ]

    @property
    def condition_rows(self) -> list[tuple[int, str, str, str]]:
        """The conditions and a spare one: number, property, value, what is wrong with it."""
        rows = [*self.conditions, ("", "")]
        return [
            (place, name, value, self.errors.get(f"match.{name}", "") if name else "")
            for place, (name, value) in enumerate(rows)
        ]

    def text(self, column: str) -> str:
        """What stands in a field."""
        return self.cells.get(column, "")

    @property
    def own_fields(self) -> list[Field]:
        """The fields of the model beside its tiers, then those of every model."""
        columns = [column for column in COLUMNS if self._has(column)]
        return [Field(column, LABELS[column], self.text(column), self.errors.get(column, "")) for column in columns]

    @property
    def common_fields(self) -> list[Field]:
        """The fields of every model."""
        return [Field(column, LABELS[column], self.text(column), self.errors.get(column, "")) for column in COMMON]

    @property
    def has_common(self) -> bool:
        """Is something filled in there, or wrong?"""
        return any(self.errors.get(one) for one in COMMON) or any(self.text(one) for one in COMMON if one != "currency")

    @property
    def other_errors(self) -> list[str]:
        """What is wrong with no field that is shown."""
        shown = {one.column for one in (*self.own_fields, *self.common_fields)} | {
            f"match.{name}" for name, _ in self.conditions
        }
        shown |= (
            {f"tier.{place}.{part}" for place, parts in self.tier_rows for part, *_ in parts}
            if "tiers" in self.fields
            else set()
        )
        return [text for column, text in self.errors.items() if column not in shown]

    def says_something(self) -> bool:
        """Has anything been filled in but for what an empty card begins with?"""
        begun = {"meter", "currency", "model"}
        return bool(self.price_id or self.conditions or self.tiers or any(self.cells[one] for one in self.cells.keys() - begun))

    def terms(self) -> PriceTerms:
        """The price it puts forward; what cannot be read is noted in `errors`."""
        cells = {column: text for column, text in self.cells.items() if self._has(column)}
        cells |= {f"match.{name}": value for name, value in self.conditions if name and value}
        if "tiers" in self.fields:
            for place, tier in enumerate(self.tiers, start=1):
                cells |= {f"tier.{place}.{part}": text for part, text in tier.items() if part in self.tier_parts}
        terms, problems = terms_of_cells(cells)
        for column, expected in problems:
            self.errors.setdefault(column, expected)
        for name, value in self.conditions:
            if bool(name) != bool(value):
                self.errors.setdefault(f"match.{name}", "a property and its value")
        return terms

    def refuse(self, field_name: str, expected: str) -> None:
        """Note what is expected in a field of the price."""
        said = re.sub(r"\brow \d+", "another price", expected)
        self.errors.setdefault(column_of_field(field_name), said)

    def with_example(self, quantity: Decimal, currency: str) -> PriceCard:
        """With what `quantity` costs at it."""
        terms = self.terms()
        said = replace(terms, currency=terms.currency or currency)
        self.example = "" if self.errors else example_text(said, quantity, self.unit)
        return self

    def _has(self, column: str) -> bool:
        own = column.partition(".")[0]
        return own in self.fields or own not in OF_MODELS


def card_of_price(number: int, price: Price) -> PriceCard:
    """A price as it stands in the draft."""
    terms = terms_of_row(price)
    cells = cells_of(terms)
    plain = {column: text for column, text in cells.items() if not column.startswith(("match.", "tier."))}
    tiers = [
        {part: cells[name] for part in TIER if (name := f"tier.{place}.{part}") in cells}
        for place in range(1, len(terms.tiers) + 1)
    ]
    return PriceCard(number, str(price.pk), price.meter.unit, plain, sorted(terms.match.items()), tiers)


def new_card(number: int, *, meter: str, unit: str, currency: str) -> PriceCard:
    """An empty price of a meter."""
    return PriceCard(number, "", unit, {"meter": meter, "currency": currency, "model": "per_unit"}, [], [])


def sent_cards(sent: Mapping[str, str], *, meter: str, unit: str) -> list[PriceCard]:
    """The cards of a form as they were sent, at most MAX_CARDS."""
    fields: dict[int, dict[str, str]] = {}
    for name, text in sent.items():
        found = _NAME.fullmatch(name)
        if found is not None:
            fields.setdefault(int(found[1]), {})[found[2]] = text
    return [_card(number, fields[number], meter, unit) for number in sorted(fields)[:MAX_CARDS]]


def _card(number: int, sent: Mapping[str, str], meter: str, unit: str) -> PriceCard:
    conditions: dict[int, dict[str, str]] = {}
    tiers: dict[int, dict[str, str]] = {}
    cells: dict[str, str] = {}
    for name, text in sent.items():
        condition, tier = _CONDITION.fullmatch(name), _TIER.fullmatch(name)
        if condition is not None:
            conditions.setdefault(int(condition[1]), {})[condition[2]] = text
        elif tier is not None and tier[2] in TIER:
            tiers.setdefault(int(tier[1]), {})[tier[2]] = text.strip()
        elif name not in {"id", "remove"}:
            cells[name] = text
    cells["meter"] = meter
    return PriceCard(
        number=number,
        price_id=sent.get("id", "")[:20],
        unit=unit,
        cells=cells,
        conditions=_conditions(conditions),
        tiers=[tiers[place] for place in sorted(tiers) if any(tiers[place].values())],
        removed=sent.get("remove") == "on",
    )


def _conditions(sent: Mapping[int, Mapping[str, str]]) -> list[tuple[str, str]]:
    pairs = [(sent[place].get("name", ""), sent[place].get("value", "")) for place in sorted(sent)]
    return [(name, value) for name, value in pairs if name or value]


def cards_are_fine(cards: Sequence[PriceCard]) -> bool:
    """Has nothing been found wrong?"""
    return not any(card.errors for card in cards if not card.removed)
