"""Usage by period, meter and dimension, from the hourly roll-ups."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metering.usage.queries import usage_by
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, MomentField, TextField
from wallets.errors import InvalidInput

GRANULARITIES: Final = ("hour", "day", "month")
MAX_ROWS_DAYS: Final = 400
MAX_DIMENSIONS: Final = 5


class UsageQuery(serializers.Serializer[Any]):
    """Which usage, and by what."""

    account = TextField()
    meter = TextField(required=False)
    granularity = serializers.ChoiceField(GRANULARITIES, required=False, default="day")
    group_by = TextField(required=False, help_text="up to 5 of the meters' dimensions, parted by commas")

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of the language, so it cannot be declared above."""
        return {**super().get_fields(), "from": MomentField(), "to": MomentField()}

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """The checked parameters of a request. Raises ValidationError and InvalidInput naming each wrong one."""
        query = cls(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        values = dict(query.validated_data)
        names = [name.strip() for name in values.get("group_by", "").split(",") if name.strip()]
        if len(names) > MAX_DIMENSIONS or len(set(names)) != len(names):
            raise InvalidInput("group_by is not acceptable.", fields={"group_by": f"up to {MAX_DIMENSIONS} names, each once"})
        if not values["from"] < values["to"]:
            raise InvalidInput("The period is empty.", fields={"to": "a time after from"})
        if (values["to"] - values["from"]).days > MAX_ROWS_DAYS:
            raise InvalidInput("The period is too long.", fields={"to": f"at most {MAX_ROWS_DAYS} days after from"})
        return {**values, "group_by": names}


class UsageOut(serializers.Serializer[Any]):
    """Usage of one period, meter and set of dimensions."""

    period = MomentField()
    meter = TextField()
    currency = TextField()
    dimensions = serializers.DictField(child=serializers.CharField(allow_null=True))
    events = serializers.IntegerField()
    quantity = AmountField()
    amount = AmountField()


class UsageAnswer(serializers.Serializer[Any]):
    """All of it; there are no pages."""

    data = UsageOut(many=True)  # type: ignore[assignment]  # a field that has the name of DRF's attribute
    next_cursor = serializers.CharField(allow_null=True)


class Usage(APIView):
    """Usage."""

    required_scope = "reports:read"

    @extend_schema(operation_id="read_usage", parameters=[UsageQuery], responses=UsageAnswer)
    def get(self, request: Request) -> Response:
        """Usage of an account from `from` until before `to` (whole hours, UTC), voids taken off."""
        query = UsageQuery.of(request)
        account = account_by_key(key=query["account"], only_account_id=caller_of(request).account_id)
        rows = usage_by(
            account_id=account.pk,
            start=query["from"],
            end=query["to"],
            granularity=query["granularity"],
            meter=query.get("meter"),
            group_by=query["group_by"],
        )
        return Response({"data": UsageOut(rows, many=True).data, "next_cursor": None})
