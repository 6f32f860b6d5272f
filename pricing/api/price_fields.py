"""A price on the wire, in and out: the fields of every model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from rest_framework import serializers

from pricing.books.models import Price
from pricing.books.price_terms import PercentageTerms, PriceTerms, TierTerms
from pricing.books.stored_terms import percentage_terms, tier_terms
from pricing.rating.rate import MODELS
from wallets.api.fields import AmountField, Body, TextField, WholeField

COUNT: Final = re.compile(r"[0-9]{1,30}", re.ASCII)
EXAMPLE_PRICE: Final = {
    "meter": "llm.output_tokens",
    "currency": "USD",
    "match": {"model": "gpt-5"},
    "model": "per_unit",
    "unit_price": "0.00001",
    "unit_cost": "0.000004",
}
EXAMPLE_NIGHT: Final = {
    "meter": "calls",
    "unit_price": "0.005",
    "schedule": {
        "time_zone": "Europe/Berlin",
        "windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "22:00", "to": "06:00"}],
    },
}
EXAMPLE_TIERS: Final = {
    "meter": "calls",
    "model": "graduated",
    "tiers": [{"up_to": "1000", "unit_price": "0.02", "flat_price": "5"}, {"up_to": None, "unit_price": "0.01"}],
}


class CountField(WholeField):
    """A number of events: a whole number, or one as text, as amounts are written."""

    def to_internal_value(self, data: Any) -> int:
        """A JSON integer or its digits."""
        return int(data) if isinstance(data, str) and COUNT.fullmatch(data) else super().to_internal_value(data)


class TierIn(Body):
    """A tier of a price."""

    up_to = AmountField(required=False, allow_null=True, help_text="inclusive; null in the last tier")
    unit_price = AmountField(required=False, allow_null=True)
    flat_price = AmountField(required=False, allow_null=True, help_text="due once, with the first quantity in the tier")
    rate = AmountField(required=False, allow_null=True, help_text="percent, of graduated_percentage")


class PercentageIn(Body):
    """A percentage of an event's quantity."""

    rate = AmountField(required=False, allow_null=True, help_text="percent")
    fixed = AmountField(required=False, allow_null=True)
    free_events = CountField(required=False, allow_null=True)
    free_amount = AmountField(required=False, allow_null=True)
    minimum = AmountField(required=False, allow_null=True)
    maximum = AmountField(required=False, allow_null=True)


class PriceIn(Body):
    """A price to be drafted."""

    meter = TextField()
    currency = TextField(required=False, allow_null=True, help_text="left out: the book's")
    match = serializers.DictField(required=False, help_text="property -> value; the most specific match wins")
    schedule = serializers.DictField(required=False, allow_null=True, help_text="time_zone and windows; left out: always")
    model = TextField(required=False, help_text=f"one of {', '.join(MODELS)}; left out: per_unit")
    unit_price = AmountField(required=False, allow_null=True, help_text="of per_unit")
    unit_cost = AmountField(required=False, allow_null=True, help_text="what one unit costs us")
    minimum_charge = AmountField(required=False, allow_null=True, help_text="per event")
    free_units = AmountField(required=False, allow_null=True, help_text="the first of a month cost nothing")
    package_size = AmountField(required=False, allow_null=True)
    package_price = AmountField(required=False, allow_null=True, help_text="of every started package")
    tiers = serializers.ListField(child=TierIn(), required=False, allow_null=True)
    percentage = PercentageIn(required=False, allow_null=True)
    price_property = TextField(required=False, allow_null=True, help_text="dynamic: where an event carries its own price")


class TierOut(serializers.Serializer[Any]):
    """A tier of a price; what its model does not have is null."""

    up_to = AmountField(allow_null=True)
    unit_price = AmountField(allow_null=True)
    flat_price = AmountField(allow_null=True)
    rate = AmountField(allow_null=True)


class PercentageOut(serializers.Serializer[Any]):
    """A percentage of an event's quantity."""

    rate = AmountField()
    fixed = AmountField()
    free_events = WholeField(allow_null=True)
    free_amount = AmountField(allow_null=True)
    minimum = AmountField(allow_null=True)
    maximum = AmountField(allow_null=True)


class PriceOut(serializers.Serializer[Any]):
    """A price; what its model does not have is null. It can be sent back as it is."""

    meter = TextField(source="meter.code")
    currency = TextField()
    match = serializers.DictField()
    schedule = serializers.SerializerMethodField()
    model = TextField()
    unit_price = serializers.SerializerMethodField()
    unit_cost = AmountField()
    minimum_charge = AmountField(allow_null=True)
    free_units = AmountField()
    package_size = AmountField(allow_null=True)
    package_price = AmountField(allow_null=True)
    tiers = serializers.SerializerMethodField()
    percentage = serializers.SerializerMethodField()
    price_property = serializers.SerializerMethodField()

    def get_schedule(self, price: Price) -> dict[str, Any] | None:
        """Of a price that is not always open."""
        return price.schedule or None

    def get_unit_price(self, price: Price) -> str | None:
        """Of a per_unit price."""
        return AmountField().to_representation(price.unit_price) if price.model == Price.Model.PER_UNIT else None

    def get_tiers(self, price: Price) -> list[dict[str, Any]] | None:
        """Of a price of tiers."""
        return list(TierOut(tier_terms(price.tiers), many=True).data) or None

    def get_percentage(self, price: Price) -> dict[str, Any] | None:
        """Of a percentage."""
        terms = percentage_terms(price.percentage)
        return None if terms is None else dict(PercentageOut(terms).data)

    def get_price_property(self, price: Price) -> str | None:
        """Of a dynamic price."""
        return price.price_property or None


def price_terms(values: Mapping[str, Any]) -> PriceTerms:
    """The checked values of a `PriceIn` as the terms they put forward."""
    tiers, percentage = values.get("tiers"), values.get("percentage")
    return PriceTerms(
        **{name: value for name, value in values.items() if name not in ("tiers", "percentage")},
        tiers=tuple(TierTerms(**tier) for tier in tiers or ()),
        percentage=None if percentage is None else PercentageTerms(**percentage),
    )
