"""Which lots charges would draw from, over HTTP. Nothing is stored, and no wallet is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wallets.api.fields import EARLIEST, AmountField, Body, MomentField, TextField, WholeField
from wallets.credit.burn_down import Covered, Lot
from wallets.credit.grant import MOST_PRIORITY
from wallets.credit.models import CreditLot
from wallets.credit.preview import draws_by_charge
from wallets.input import Input

MAX_LOTS: Final = 1_000
MAX_CHARGES: Final = 5_000

EXAMPLE: Final = {
    "lots": [
        {"id": "paid", "amount": "50", "priority": 50, "kind": "paid", "effective_at": "2026-11-01T00:00:00Z"},
        {
            "id": "welcome",
            "amount": "10",
            "priority": 50,
            "kind": "promotional",
            "effective_at": "2026-11-01T00:00:00Z",
            "expires_at": "2026-12-01T00:00:00Z",
            "meters": ["llm.output_tokens"],
        },
    ],
    "charges": [{"time": "2026-11-23T10:00:00Z", "meter": "llm.output_tokens", "amount": "12"}],
}
EXAMPLE_ANSWER: Final = {
    "charges": [{"draws": [{"lot": "welcome", "amount": "10.00"}, {"lot": "paid", "amount": "2.00"}], "overdraft": "0.00"}],
    "lots": [{"id": "paid", "remaining": "48.00"}, {"id": "welcome", "remaining": "0.00"}],
}


class PreviewedLotIn(Body):
    """A lot to draw from."""

    id = TextField(help_text="any name, once")
    amount = AmountField(help_text="what is left in it")
    priority = WholeField(required=False, help_text="lower is drawn first; left out: 50")
    kind = TextField(help_text="paid, promotional, trial, compensation or plan")
    effective_at = MomentField(required=False, allow_null=True, help_text="can be drawn from then on, inclusive")
    expires_at = MomentField(required=False, allow_null=True, help_text="can be drawn until then, exclusive")
    meters = serializers.ListField(child=TextField(), required=False, allow_null=True, help_text="empty: all")


class PreviewedChargeIn(Body):
    """A charge to cover."""

    time = MomentField(help_text="of the usage")
    meter = TextField()
    amount = AmountField()


class CreditPreviewIn(Body):
    """Lots as listed, and charges in order."""

    lots = serializers.ListField(child=PreviewedLotIn(), max_length=MAX_LOTS)
    charges = serializers.ListField(child=PreviewedChargeIn(), max_length=MAX_CHARGES)


class DrawOut(serializers.Serializer[Any]):
    """What is drawn from a lot."""

    lot = TextField()
    amount = AmountField()


class CoveredOut(serializers.Serializer[Any]):
    """What a charge draws, in order, and what no lot covers."""

    draws = DrawOut(many=True)
    overdraft = AmountField()


class RemainingOut(serializers.Serializer[Any]):
    """What is left of a lot."""

    id = TextField()
    remaining = AmountField()


class CreditPreviewOut(serializers.Serializer[Any]):
    """Draws by charge, remainders by lot, each as listed."""

    charges = CoveredOut(many=True)
    lots = RemainingOut(many=True)


class CreditPreview(APIView):
    """Burning down credit that nobody has."""

    required_scope = "accounts:read"
    vendor_only = True

    @extend_schema(
        operation_id="preview_credits",
        request=CreditPreviewIn,
        responses=CreditPreviewOut,
        examples=[
            OpenApiExample("Two lots, one charge", value=EXAMPLE, request_only=True),
            OpenApiExample("What it draws", value=EXAMPLE_ANSWER, response_only=True, status_codes=["200"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Say which lots charges would draw from, in which order. Nothing is stored."""
        values = CreditPreviewIn.read(request)
        check = Input()
        lots = _lots(check, values["lots"])
        charges = _charges(check, values["charges"])
        check.refuse("This cannot be previewed.")
        names = [lot["id"] for lot in values["lots"]]
        covered = draws_by_charge(lots, charges)
        remaining = {lot.id: lot.remaining for lot in lots}
        for charge in covered:
            for lot, amount in charge.draws:
                remaining[lot.id] -= amount
        answer = {
            "charges": [
                {"draws": [{"lot": names[lot.id], "amount": amount} for lot, amount in draws], "overdraft": overdraft}
                for draws, overdraft in covered
            ],
            "lots": [{"id": names[lot.id], "remaining": remaining[lot.id]} for lot in lots],
        }
        return Response(CreditPreviewOut(answer).data)


def _lots(check: Input, values: Sequence[Mapping[str, Any]]) -> list[Lot]:
    """The lots, each with its place as its id."""
    names, lots = set[str](), list[Lot]()
    for number, one in enumerate(values):
        below = f"lots.{number}."
        name = check.text(f"{below}id", one["id"], longest=200, required=True)
        check.expect(f"{below}id", name not in names, "a name no other lot has")
        names.add(name)
        amount: Decimal = check.amount(f"{below}amount", one["amount"])
        check.choice(f"{below}kind", one["kind"], list(CreditLot.Kind))
        priority = check.whole(f"{below}priority", one.get("priority", 50), least=0, most=MOST_PRIORITY)
        effective_at, expires_at = one.get("effective_at") or EARLIEST, one.get("expires_at")
        check.expect(f"{below}expires_at", expires_at is None or expires_at > effective_at, "later than effective_at")
        meters = check.names(f"{below}meters", one.get("meters") or [])
        lots.append(Lot(number, one["kind"], priority, effective_at, expires_at, amount, frozenset(meters)))
    return lots


def _charges(check: Input, values: Sequence[Mapping[str, Any]]) -> list[Covered]:
    charges: list[Covered] = []
    for number, one in enumerate(values):
        meter = check.text(f"charges.{number}.meter", one["meter"], longest=120)
        charges.append((meter, check.amount(f"charges.{number}.amount", one["amount"]), one["time"]))
    return charges
