"""Thresholds over HTTP: what a wallet is watched for, and what an account's wallets are watched for unless they have their own.
A customer's own key may set them: they only say when somebody is told."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, Body, WholeField
from wallets.balances.queries import wallet_by_id
from wallets.balances.set_thresholds import set_account_thresholds, set_thresholds, thresholds_of

PERCENTS_HELP = "percentages of the reference, 1 to 99, at most 10; 0, used up, is always told"
EXAMPLE = {
    "percents": None,
    "account_percents": [50, 20, 5],
    "amounts": ["10.00"],
    "reference": None,
    "reference_balance": "100.00",
}


class ThresholdsIn(Body):
    """What a wallet is watched for, in place of what was set."""

    percents = serializers.ListField(
        child=WholeField(),
        max_length=100,
        allow_null=True,
        default=None,
        help_text=f"{PERCENTS_HELP}; null: the account's",
    )
    amounts = serializers.ListField(
        child=AmountField(), max_length=100, default=list, help_text="balances in the wallet's currency, at most 10"
    )
    reference = AmountField(
        allow_null=True, default=None, help_text="what the percentages are of; null: the balance after the last credit"
    )


class ThresholdsOut(serializers.Serializer[Any]):
    """What a wallet is watched for."""

    percents = serializers.ListField(child=WholeField(), allow_null=True, help_text="of its own; null: those of its account")
    account_percents = serializers.ListField(child=WholeField(), help_text="of the account, for wallets without their own")
    amounts = serializers.ListField(child=AmountField())
    reference = AmountField(allow_null=True)
    reference_balance = AmountField(help_text="what the percentages are of now")


class AccountThresholdsBody(Body):
    """What the wallets of an account without percentages of their own are watched for."""

    percents = serializers.ListField(child=WholeField(), max_length=100, help_text=PERCENTS_HELP)


class WalletThresholdsView(APIView):
    """A wallet's thresholds."""

    required_scope: ClassVar = {"GET": "accounts:read", "PUT": "wallets:write"}

    @extend_schema(
        operation_id="read_wallet_thresholds",
        responses=ThresholdsOut,
        examples=[OpenApiExample("Those of the account, and ten dollars", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, wallet_id: str) -> Response:
        """Read what a wallet is watched for, highest first."""
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller_of(request).account_id)
        return Response(ThresholdsOut(thresholds_of(wallet)).data)

    @extend_schema(
        operation_id="set_wallet_thresholds",
        request=ThresholdsIn,
        responses=ThresholdsOut,
        examples=[
            OpenApiExample("Of what is usual here", value={"percents": [40, 10], "reference": "500.00"}, request_only=True),
            OpenApiExample("At ten dollars", value={"amounts": ["10.00"]}, request_only=True),
            OpenApiExample("Those of the account, and ten dollars", value=EXAMPLE, response_only=True),
        ],
    )
    def put(self, request: Request, wallet_id: str) -> Response:
        """Set what a wallet is watched for, in place of what was set. What its balance is below already is not told."""
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller_of(request).account_id)
        return Response(ThresholdsOut(thresholds_of(set_thresholds(wallet_id=wallet.pk, **ThresholdsIn.read(request)))).data)


class AccountThresholdsView(APIView):
    """An account's thresholds."""

    required_scope: ClassVar = {"GET": "accounts:read", "PUT": "wallets:write"}

    @extend_schema(operation_id="read_account_thresholds", responses=AccountThresholdsBody)
    def get(self, request: Request, key: str) -> Response:
        """Read what the account's wallets are watched for unless they have percentages of their own, highest first."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        return Response({"percents": sorted(account.threshold_percents, reverse=True)})

    @extend_schema(
        operation_id="set_account_thresholds",
        request=AccountThresholdsBody,
        responses=AccountThresholdsBody,
        examples=[OpenApiExample("Earlier", value={"percents": [75, 50, 25]})],
    )
    def put(self, request: Request, key: str) -> Response:
        """Set what the account's wallets without percentages of their own are watched for."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        account = set_account_thresholds(account_id=account.pk, **AccountThresholdsBody.read(request))
        return Response({"percents": sorted(account.threshold_percents, reverse=True)})
