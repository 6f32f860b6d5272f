"""Money moved by hand, over HTTP: ask for an adjustment, list approvals, decide them. Through a personal key: whoever asks and
whoever decides is a person, and never the same one."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wallets import clock
from wallets.adjustments.adjust import adjust_balance
from wallets.adjustments.models import Adjustment
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, Body, LowerField, MomentField, TextField
from wallets.api_keys.person import person_behind
from wallets.approvals.carry_out import approve_and_do, decline_and_drop
from wallets.approvals.decide import approval_by_id
from wallets.approvals.models import Approval
from wallets.balances.queries import wallet_by_id
from wallets.errors import InvalidInput

MAY_ASK: Final = "wallets.add_adjustment"
EXAMPLE_APPROVAL: Final = {
    "id": "apr_3kT1bN8xW3qZ7mR2vC9hYf",
    "kind": "goodwill",
    "subject": "adj_8mR2vC9hYf3kT1bN8xW3qZ",
    "account": "acme",
    "currency": "USD",
    "amount": "500.00",
    "status": "waiting",
    "reason": "Outage",
    "note": "Ticket 4711",
    "asked_by": "fiona@vendor.example",
    "asked_at": "2026-11-23T10:00:00Z",
    "decided_by": None,
    "decided_at": None,
    "answer": "",
}
EXAMPLE_ADJUSTMENT: Final = {
    "id": "adj_8mR2vC9hYf3kT1bN8xW3qZ",
    "wallet": "wal_9YhQ3mZ1kT5cB7xR2vN8pL",
    "kind": "goodwill",
    "status": "waiting",
    "currency": "USD",
    "amount": "500.00",
    "reason": "outage",
    "note": "Ticket 4711",
    "approval": "apr_3kT1bN8xW3qZ7mR2vC9hYf",
}


class NewAdjustmentIn(Body):
    """Which way, how much and why."""

    kind = TextField(help_text="goodwill, credit, debit or write_off")
    amount = AmountField(help_text="above zero, in the wallet's currency")
    reason = TextField(help_text="the code of a reason")
    note = TextField(help_text="what happened")


class AdjustmentOut(serializers.Serializer[Any]):
    """An adjustment."""

    id = TextField(source="public_id")
    wallet = TextField(source="wallet.public_id")
    kind = LowerField()
    status = LowerField(source="state", help_text="posted at once within the person's limit; else waiting; declined")
    currency = TextField()
    amount = AmountField()
    reason = TextField(source="reason.code")
    note = TextField()
    approval = TextField(source="approval.public_id", default=None, allow_null=True, help_text="that another person decides")


class AnswerIn(Body):
    """What is said with a decision."""

    answer = TextField(required=False)


class ApprovalOut(serializers.Serializer[Any]):
    """Something that waits for a second person, or was decided by one."""

    id = TextField(source="public_id")
    kind = TextField()
    subject = TextField(help_text="the id of what it is about")
    account = TextField(source="account.key", default=None, allow_null=True)
    currency = TextField()
    amount = AmountField()
    status = LowerField(source="state", help_text="waiting, approved, declined or withdrawn")
    reason = TextField()
    note = TextField()
    asked_by = TextField(source="asked_by.email")
    asked_at = MomentField()
    decided_by = TextField(source="decided_by.email", default=None, allow_null=True)
    decided_at = MomentField(allow_null=True)
    answer = TextField()


class WalletAdjustments(APIView):
    """Adjusting a balance by hand."""

    required_scope = "approvals:write"
    vendor_only = True
    idempotent = True

    @extend_schema(
        operation_id="adjust_balance",
        request=NewAdjustmentIn,
        responses={201: AdjustmentOut},
        examples=[
            OpenApiExample(
                "Goodwill",
                value={"kind": "goodwill", "amount": "500", "reason": "outage", "note": "Ticket 4711"},
                request_only=True,
            ),
            OpenApiExample("It waits", value=EXAMPLE_ADJUSTMENT, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, wallet_id: str) -> Response:
        """Adjust a balance, as the person of the key: at once within their limit, after another person's approval above it."""
        person = person_behind(caller_of(request), permission=MAY_ASK)
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller_of(request).account_id)
        values = NewAdjustmentIn.read(request)
        adjustment = adjust_balance(
            wallet=wallet, kind=values["kind"].upper(), amount=values["amount"], reason_code=values["reason"],
            note=values["note"], by=person, at=clock.now(),
        )  # fmt: skip
        shown = Adjustment.objects.select_related("wallet", "reason", "approval").get(pk=adjustment.pk)
        return Response(AdjustmentOut(shown).data, status=201)


class Approvals(GenericAPIView[Any]):
    """What waits for a second person, and what was decided."""

    required_scope = "approvals:read"
    vendor_only = True
    page_by = "-id"
    serializer_class = ApprovalOut

    @extend_schema(
        operation_id="list_approvals",
        responses=ApprovalOut(many=True),
        parameters=[OpenApiParameter("status", str, description="waiting, approved, declined or withdrawn; left out: all")],
    )
    def get(self, request: Request) -> Response:
        """List approvals, newest first."""
        approvals = Approval.objects.select_related("account", "asked_by", "decided_by")
        status = request.query_params.get("status", "")
        if status:
            if status.upper() not in Approval.State.values:
                raise InvalidInput("There is no such status.", fields={"status": "waiting, approved, declined or withdrawn"})
            approvals = approvals.filter(state=status.upper())
        page = self.paginate_queryset(approvals)
        return self.get_paginated_response(ApprovalOut(page, many=True).data)


class OneApproval(APIView):
    """One approval."""

    required_scope = "approvals:read"
    vendor_only = True

    @extend_schema(
        operation_id="read_approval",
        responses=ApprovalOut,
        examples=[OpenApiExample("It waits", value=EXAMPLE_APPROVAL, response_only=True)],
    )
    def get(self, request: Request, approval_id: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Read an approval."""
        return Response(ApprovalOut(approval_by_id(approval_id)).data)


class _Decision(APIView):
    required_scope: ClassVar[str] = "approvals:write"
    vendor_only = True
    idempotent = True


class ApprovalApprove(_Decision):
    """Approving."""

    @extend_schema(operation_id="approve", request=AnswerIn, responses=ApprovalOut)
    def post(self, request: Request, approval_id: str) -> Response:
        """Approve, and have it carried out. Refused with 409 `own_approval` to whoever asked for it."""
        by, answer = person_behind(caller_of(request)), AnswerIn.read(request).get("answer", "")
        approve_and_do(approval_id=approval_id, by=by, at=clock.now(), answer=answer)
        return Response(ApprovalOut(approval_by_id(approval_id)).data)


class ApprovalDecline(_Decision):
    """Declining."""

    @extend_schema(operation_id="decline", request=AnswerIn, responses=ApprovalOut)
    def post(self, request: Request, approval_id: str) -> Response:
        """Decline, saying why in `answer`; nothing is moved. Refused with 409 `own_approval` to whoever asked for it."""
        by, answer = person_behind(caller_of(request)), AnswerIn.read(request).get("answer", "")
        decline_and_drop(approval_id=approval_id, by=by, at=clock.now(), answer=answer)
        return Response(ApprovalOut(approval_by_id(approval_id)).data)
