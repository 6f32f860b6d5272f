"""Plans over HTTP: define, revise, list, read, close."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pricing.books.models import PriceBook
from pricing.plans.define import MAX_ALLOWANCES, AllowanceTerms, PlanTerms, close_plan, define_plan, revise_plan
from pricing.plans.queries import all_plans, plan_by_id
from wallets import clock
from wallets.api.fields import AmountField, Body, MomentField, TextField, WholeField
from wallets.errors import InvalidInput

EXAMPLE_PLAN: Final = {
    "code": "pro",
    "name": "Pro",
    "currency": "USD",
    "fee": "49.00",
    "interval": "month",
    "trial_days": 14,
    "trial_credit": "5.00",
    "allowances": [
        {
            "meter": "llm.output_tokens",
            "quantity": "1000000",
            "roll_over": "capped",
            "roll_over_cap": "500000",
            "roll_over_periods": 3,
            "on_exhaustion": "overage",
        }
    ],
}


class AllowanceIn(Body):
    """Units of a meter that each period includes."""

    meter = TextField(help_text="its code")
    quantity = AmountField(help_text="in the meter's units")
    roll_over = TextField(required=False, help_text="of what is left: none, capped or full")
    roll_over_cap = AmountField(required=False, allow_null=True, help_text="with capped: at most so many units")
    roll_over_periods = WholeField(required=False, allow_null=True, help_text="for at most so many periods")
    on_exhaustion = TextField(required=False, help_text="block (the gate refuses) or overage (the plan's price)")


class PlanTermsIn(Body):
    """What a version of a plan says."""

    name = TextField()
    currency = TextField()
    fee = AmountField(help_text="per interval")
    interval = TextField(required=False, help_text="month or year")
    allowances = serializers.ListField(child=AllowanceIn(), required=False, max_length=MAX_ALLOWANCES)
    price_book = TextField(required=False, allow_null=True, help_text="for usage and overage; left out: the account's own")
    trial_days = WholeField(required=False)
    trial_credit = AmountField(required=False)


class NewPlanIn(PlanTermsIn):
    """A plan to be defined."""

    code = TextField(help_text="your name for it; its versions share it")


class AllowanceOut(serializers.Serializer[Any]):
    """Units of a meter that each period includes."""

    meter = TextField(source="meter.code")
    quantity = AmountField()
    roll_over = TextField()
    roll_over_cap = AmountField(allow_null=True)
    roll_over_periods = WholeField(allow_null=True)
    on_exhaustion = TextField()


class PlanOut(serializers.Serializer[Any]):
    """A version of a plan."""

    id = TextField(source="public_id")
    code = TextField()
    version = WholeField()
    name = TextField()
    currency = TextField()
    fee = AmountField()
    interval = TextField()
    allowances = AllowanceOut(many=True)
    price_book = serializers.SerializerMethodField()
    trial_days = WholeField()
    trial_credit = AmountField()
    created_at = MomentField()
    closed_at = MomentField(allow_null=True, help_text="nobody subscribes to it any more")

    def get_price_book(self, plan: Any) -> str | None:
        """Its id."""
        return None if plan.price_book is None else str(plan.price_book.public_id)


def terms_of(values: dict[str, Any]) -> PlanTerms:
    """The terms a body names. Raises InvalidInput for a price book that is not there."""
    given = dict(values)
    name = given.pop("price_book", None)
    book = None if name is None else PriceBook.objects.filter(public_id=name).first()
    if name is not None and book is None:
        raise InvalidInput("There is no such price book.", fields={"price_book": "the id of a price book"})
    allowances = [AllowanceTerms(**allowance) for allowance in given.pop("allowances", ())]
    return PlanTerms(price_book=book, allowances=allowances, **given)


class Plans(GenericAPIView[Any]):
    """All plans."""

    required_scope: ClassVar = {"GET": "pricing:read", "POST": "pricing:write"}
    vendor_only = ("POST",)
    idempotent = True
    page_by = "id"
    serializer_class = PlanOut

    @extend_schema(operation_id="list_plans", responses=PlanOut(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the paginator reads it
        """List every version of every plan, oldest first."""
        return self.get_paginated_response(PlanOut(self.paginate_queryset(all_plans()), many=True).data)

    @extend_schema(
        operation_id="define_plan",
        request=NewPlanIn,
        responses={201: PlanOut},
        examples=[OpenApiExample("A million tokens a month", value=EXAMPLE_PLAN, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Define a plan. It never changes: what changes is its next version."""
        values = NewPlanIn.read(request)
        plan = define_plan(code=values.pop("code"), terms=terms_of(values), at=clock.now())
        return Response(PlanOut(plan_by_id(public_id=plan.public_id)).data, status=201)


class OnePlan(APIView):
    """A version of a plan."""

    required_scope = "pricing:read"

    @extend_schema(operation_id="read_plan", responses=PlanOut)
    def get(self, request: Request, plan_id: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Read a version of a plan."""
        return Response(PlanOut(plan_by_id(public_id=plan_id)).data)


class PlanRevise(APIView):
    """The next version of a plan."""

    required_scope = "pricing:write"
    vendor_only = True
    idempotent = True

    @extend_schema(
        operation_id="revise_plan",
        request=PlanTermsIn,
        responses={201: PlanOut},
        examples=[
            OpenApiExample("Dearer", value={"name": "Pro", "currency": "USD", "fee": "59.00"}, request_only=True),
        ],
    )
    def post(self, request: Request, plan_id: str) -> Response:
        """Make the next version, which takes this one's place; its subscribers stay on it until they are moved."""
        plan = plan_by_id(public_id=plan_id)
        revised = revise_plan(plan=plan, terms=terms_of(PlanTermsIn.read(request)), at=clock.now())
        return Response(PlanOut(plan_by_id(public_id=revised.public_id)).data, status=201)


class PlanClose(APIView):
    """Closing a plan."""

    required_scope = "pricing:write"
    vendor_only = True
    idempotent = True

    @extend_schema(operation_id="close_plan", request=None, responses=PlanOut)
    def post(self, request: Request, plan_id: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Stop selling a plan. Its subscribers stay."""
        return Response(PlanOut(close_plan(plan=plan_by_id(public_id=plan_id), at=clock.now())).data)
