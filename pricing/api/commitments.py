"""Commitments over HTTP: make, list, read with their periods."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pricing.commitments.make import make_commitment
from pricing.commitments.models import Commitment
from pricing.commitments.queries import commitment_by_id, commitments_seen, periods_of, utilisation
from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, Body, MomentField, TextField, WholeField
from wallets.balances.models import Wallet
from wallets.errors import InvalidInput

EXAMPLE_COMMITMENT: Final = {
    "name": "Steady output",
    "amount": "10",
    "interval": "hour",
    "periods": 8760,
    "discount_percent": "20",
    "meters": ["llm.output_tokens"],
}


class NewCommitmentIn(Body):
    """What an account commits to."""

    name = TextField()
    amount = AmountField(help_text="paid per interval, used or not")
    interval = TextField(help_text="hour or month")
    periods = WholeField(help_text="the term, in intervals")
    discount_percent = AmountField(help_text="off the list price of what it covers")
    meters = serializers.ListField(child=TextField(), help_text="meter codes")
    wallet = TextField(required=False, allow_null=True, help_text="left out: the account's default one")
    starts_at = MomentField(required=False, allow_null=True, help_text="left out: now")


class CommitmentOut(serializers.Serializer[Any]):
    """A commitment."""

    id = TextField(source="public_id")
    account = TextField(source="account.key")
    wallet = TextField(source="wallet.public_id")
    name = TextField()
    currency = TextField(source="wallet.currency")
    amount = AmountField()
    interval = TextField()
    periods = WholeField()
    periods_begun = WholeField(source="begun")
    discount_percent = AmountField()
    meters = serializers.ListField(child=TextField())
    starts_at = MomentField()
    ends_at = MomentField()
    created_at = MomentField()


class UtilisationOut(serializers.Serializer[Any]):
    """How much of the present period is used."""

    period_start = MomentField(allow_null=True)
    covers = AmountField(help_text="usage at list prices")
    left = AmountField(help_text="of that")
    used = AmountField(help_text="what was used, at the discounted rate")


class OneCommitmentOut(CommitmentOut):
    """A commitment and how much of its present period is used."""

    utilisation = UtilisationOut()


class CommitmentPeriodOut(serializers.Serializer[Any]):
    """A period of a commitment."""

    period = WholeField(source="index")
    starts_at = MomentField()
    ends_at = MomentField()
    charged = serializers.SerializerMethodField()
    lot = TextField(source="lot.public_id", default=None, allow_null=True)
    covers = AmountField(source="lot.amount", default=None, allow_null=True)
    left = AmountField(source="lot.remaining", default=None, allow_null=True)

    def get_charged(self, period: Any) -> bool:
        """Whether it was; one that had passed before it could be was not."""
        return period.entry_id is not None


def answer(commitment: Commitment, *, status: int = 200) -> Response:
    """One commitment."""
    used = UtilisationOut(utilisation(commitment=commitment, at=clock.now())).data
    return Response({**CommitmentOut(commitment).data, "utilisation": used}, status=status)


class AccountCommitments(GenericAPIView[Any]):
    """An account's commitments."""

    required_scope: ClassVar = {"GET": "accounts:read", "POST": "accounts:write"}
    vendor_only = ("POST",)
    idempotent = True
    page_by = "-id"
    serializer_class = CommitmentOut

    @extend_schema(operation_id="list_commitments", responses=CommitmentOut(many=True))
    def get(self, request: Request, key: str) -> Response:
        """List an account's commitments, newest first."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        page = self.paginate_queryset(commitments_seen(only_account_id=account.pk))
        return self.get_paginated_response(CommitmentOut(page, many=True).data)

    @extend_schema(
        operation_id="make_commitment",
        request=NewCommitmentIn,
        responses={201: OneCommitmentOut},
        examples=[OpenApiExample("10 dollars an hour for a year", value=EXAMPLE_COMMITMENT, request_only=True)],
    )
    def post(self, request: Request, key: str) -> Response:
        """Commit an account to pay so much every hour or month, used or not, for a discount on what it covers."""
        caller = caller_of(request)
        account = account_by_key(key=key, only_account_id=caller.account_id)
        values = NewCommitmentIn.read(request)
        name = values.pop("wallet", None)
        wallet = None if name is None else Wallet.objects.filter(account=account, public_id=name).first()
        if name is not None and wallet is None:
            raise InvalidInput("The account has no such wallet.", fields={"wallet": "the id of a wallet of the account"})
        made = make_commitment(account=account, wallet=wallet, at=clock.now(), actor=caller.actor, **values)
        return answer(made, status=201)


class OneCommitment(APIView):
    """A commitment."""

    required_scope = "accounts:read"

    @extend_schema(operation_id="read_commitment", responses=OneCommitmentOut)
    def get(self, request: Request, commitment_id: str) -> Response:
        """Read a commitment and how much of its present period is used."""
        return answer(commitment_by_id(public_id=commitment_id, only_account_id=caller_of(request).account_id))


class CommitmentPeriods(GenericAPIView[Any]):
    """A commitment's periods."""

    required_scope = "accounts:read"
    page_by = "-index"
    serializer_class = CommitmentPeriodOut

    @extend_schema(operation_id="list_commitment_periods", responses=CommitmentPeriodOut(many=True))
    def get(self, request: Request, commitment_id: str) -> Response:
        """List a commitment's periods, newest first."""
        commitment = commitment_by_id(public_id=commitment_id, only_account_id=caller_of(request).account_id)
        page = self.paginate_queryset(periods_of(commitment=commitment))
        return self.get_paginated_response(CommitmentPeriodOut(page, many=True).data)
