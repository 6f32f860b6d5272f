"""What past usage would have cost at a version of prices, over HTTP. Nothing is stored."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metering.simulation.result import Figures, RanEmpty, Row, Simulation
from metering.simulation.simulate import MOST_EVENTS, simulate
from wallets.accounts.queries import account_by_key
from wallets.api.fields import AmountField, Body, MomentField, TextField

MOST_ACCOUNTS: Final = 1_000
EXAMPLE = {"price_version": "prv_01", "account": "acme", "from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}
BEFORE = {"revenue": "120.00", "cost": "80.00", "margin": "40.00"}
AFTER = {"revenue": "132.00", "cost": "80.00", "margin": "52.00"}
EXAMPLE_ROW = {"currency": "USD", "before": BEFORE, "after": AFTER, "difference": "12.00"}
EXAMPLE_ANSWER = {
    "price_version": "prv_01",
    "from": "2026-10-01T00:00:00Z",
    "to": "2026-11-01T00:00:00Z",
    "totals": [EXAMPLE_ROW],
    "meters": [{"name": "llm.output_tokens"} | EXAMPLE_ROW],
    "models": [{"name": "gpt-5"} | EXAMPLE_ROW],
    "accounts": [{"name": "acme"} | EXAMPLE_ROW],
    "accounts_count": 1,
    "ran_empty": [
        {"account": "acme", "currency": "USD", "day": "2026-10-29", "day_before": None, "lowest": "-8.00", "recharges": 1}
    ],
    "sources": [{"meter": "llm.output_tokens", "from_hours": 10482, "from_events": 0}],
    "unpriced": 0,
    "waiting": 0,
}


class SimulateIn(Body):
    """Which prices, whose usage, when."""

    price_version = TextField()
    account = TextField(required=False, allow_null=True, help_text="left out: all accounts")
    confirm = serializers.BooleanField(
        required=False, default=False, help_text=f"also when more than {MOST_EVENTS:,} charges must be rated one by one"
    )

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of the language, so it cannot be declared above."""
        return {**super().get_fields(), "from": MomentField(), "to": MomentField()}


class FiguresOut(serializers.Serializer[Any]):
    """What customers pay, what it costs, what is left."""

    revenue = AmountField()
    cost = AmountField()
    margin = AmountField()


class SimulatedTotalOut(serializers.Serializer[Any]):
    """One currency."""

    currency = TextField()
    before = FiguresOut()
    after = FiguresOut()
    difference = AmountField()


class SimulatedRowOut(SimulatedTotalOut):
    """One meter, model (empty: none reported) or account."""

    name = TextField()


class RanEmptyOut(serializers.Serializer[Any]):
    """A wallet that would have fallen below zero; `day_before`: when it did as it was; recharges: how many more."""

    account = TextField()
    currency = TextField()
    day = serializers.DateField()
    day_before = serializers.DateField(allow_null=True)
    lowest = AmountField()
    recharges = serializers.IntegerField(allow_null=True)


class SourceOut(serializers.Serializer[Any]):
    """How many charges of a meter were priced from hourly sums, and how many one by one."""

    meter = TextField()
    from_hours = serializers.IntegerField()
    from_events = serializers.IntegerField()


class SimulationOut(serializers.Serializer[Any]):
    """Before: as charged. After: at the version. `accounts`: the largest 1,000."""

    price_version = TextField()
    totals = SimulatedTotalOut(many=True)
    meters = SimulatedRowOut(many=True)
    models = SimulatedRowOut(many=True)
    accounts = SimulatedRowOut(many=True)
    accounts_count = serializers.IntegerField()
    ran_empty = RanEmptyOut(many=True)
    sources = SourceOut(many=True)
    unpriced = serializers.IntegerField(help_text="charges the version has no price for")
    waiting = serializers.IntegerField(help_text="events that wait for a price today; in neither figure")

    def get_fields(self) -> dict[str, Any]:
        """As in the request."""
        return {**super().get_fields(), "from": MomentField(), "to": MomentField()}


class PriceSimulation(APIView):
    """Pricing usage that happened at other prices."""

    required_scope = "pricing:read"
    vendor_only = True

    @extend_schema(
        operation_id="simulate_prices",
        request=SimulateIn,
        responses=SimulationOut,
        examples=[
            OpenApiExample("A month of acme", value=EXAMPLE, request_only=True),
            OpenApiExample("What it would have cost", value=EXAMPLE_ANSWER, response_only=True, status_codes=["200"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Price past usage from `from` until before `to` (whole hours, UTC) at a version, draft or published. Nothing is
        stored. Voided usage does not count."""
        values = SimulateIn.read(request)
        key = values.get("account")
        simulation = simulate(
            version_id=values["price_version"],
            from_=values["from"],
            to=values["to"],
            account=account_by_key(key=key) if key is not None else None,
            most_events=None if values["confirm"] else MOST_EVENTS,
        )
        return Response(SimulationOut(_answer(simulation)).data)


def _answer(simulation: Simulation) -> dict[str, Any]:
    return {
        "price_version": simulation.version,
        "from": simulation.start,
        "to": simulation.end,
        "totals": [_row(row) for row in simulation.totals],
        "meters": [_row(row) for row in simulation.by_meter],
        "models": [_row(row) for row in simulation.by_model],
        "accounts": [_row(row) for row in simulation.by_account[:MOST_ACCOUNTS]],
        "accounts_count": len(simulation.by_account),
        "ran_empty": [_ran_empty(one) for one in simulation.ran_empty[:MOST_ACCOUNTS]],
        "sources": simulation.sources,
        "unpriced": simulation.unpriced,
        "waiting": simulation.waiting,
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "currency": row.currency,
        "before": _figures(row.before),
        "after": _figures(row.after),
        "difference": row.difference,
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {"revenue": figures.revenue, "cost": figures.cost, "margin": figures.margin}


def _ran_empty(one: RanEmpty) -> dict[str, Any]:
    return {
        "account": one.account,
        "currency": one.currency,
        "day": one.day,
        "day_before": one.before,
        "lowest": one.lowest,
        "recharges": one.recharges,
    }
