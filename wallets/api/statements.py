"""Statements over HTTP: list, read, as PDF, as a table."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, LowerField, MomentField, TextField, WholeField
from wallets.statements.document import read_document, statement_by_id, statements_of
from wallets.statements.files import csv_response, pdf_response

EXAMPLE_STATEMENT: Final = {
    "id": "stm_7vR1mZ9cT5bYh4fW8nQ2xK",
    "number": "MAIN-ST-2026-000017",
    "wallet": "wal_9YhQ3mZ1kT5cB7xR2vN8pL",
    "currency": "USD",
    "period_start": "2026-10-01T00:00:00Z",
    "period_end": "2026-11-01T00:00:00Z",
    "time_zone": "UTC",
    "opening_balance": "41.20",
    "closing_balance": "42.401234",
    "issued_at": "2026-11-01T01:07:00Z",
}
EXAMPLE_SECTIONS: Final = [
    {
        "section": "top_up",
        "title": "Top-ups",
        "total": "100.00",
        "lines": [
            {
                "label": "Credit bought", "detail": "", "meter": "", "price": "", "events": None, "quantity": None, "unit": "",
                "allowance": None, "happened_at": "2026-10-03T10:00:00Z", "reference": "pi_3Nabc", "amount": "100.00",
                "exact_amount": "100.00",
            }
        ],
    },
    {
        "section": "usage",
        "title": "Usage",
        "total": "-98.80",
        "lines": [
            {
                "label": "Output tokens", "detail": "gpt-5", "meter": "llm.output_tokens",
                "price": "10.00 USD per million tokens", "events": 812, "quantity": "9879876.6", "unit": "token",
                "allowance": None, "happened_at": None, "reference": "", "amount": "-98.80", "exact_amount": "-98.798766",
            }
        ],
    },
]  # fmt: skip


class StatementOut(serializers.Serializer[Any]):
    """A statement: the prepaid invoice of a wallet and period."""

    id = TextField(source="public_id")
    number = TextField(source="public_number")
    wallet = TextField(source="wallet.public_id")
    currency = TextField()
    period_start = MomentField()
    period_end = MomentField(help_text="exclusive")
    time_zone = TextField(help_text="in which the period is a calendar month")
    opening_balance = AmountField(help_text="exact")
    closing_balance = AmountField(help_text="exact; the next statement's opening balance")
    issued_at = MomentField()


class StatementLineOut(serializers.Serializer[Any]):
    """One line."""

    label = TextField()  # type: ignore[assignment]  # a field of ours, not the label of this one
    detail = TextField(help_text="what breaks usage down, such as the model")
    meter = TextField()
    price = TextField(help_text="what was charged, in words")
    events = WholeField(allow_null=True)
    quantity = AmountField(allow_null=True, help_text="in the meter's units")
    unit = TextField()
    allowance = AmountField(allow_null=True, help_text="part of the quantity that allowances covered")
    happened_at = MomentField(allow_null=True)
    reference = TextField()
    amount = AmountField(source="rounded", help_text="what it did to the balance, as it is printed")
    exact_amount = AmountField(source="amount")


class SectionOut(serializers.Serializer[Any]):
    """Lines of one kind."""

    section = LowerField(source="code")
    title = TextField()
    total = AmountField(help_text="of the lines as they are printed")
    lines = StatementLineOut(many=True)


class FullStatementOut(StatementOut):
    """A statement with its lines; opening_balance + exact amounts = closing_balance."""

    seller = TextField()
    buyer = TextField()
    rounding = AmountField(help_text="what the printed lines are short of the printed balances")
    sections = SectionOut(many=True)


class AccountStatements(GenericAPIView[Any]):
    """An account's statements."""

    required_scope = "accounts:read"
    page_by = "-id"
    serializer_class = StatementOut

    @extend_schema(operation_id="list_statements", responses=StatementOut(many=True))
    def get(self, request: Request, key: str) -> Response:
        """List the statements of all wallets of an account, newest first."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        page = self.paginate_queryset(statements_of(account=account))
        return self.get_paginated_response(StatementOut(page, many=True).data)


class OneStatement(APIView):
    """A statement."""

    required_scope = "accounts:read"

    @extend_schema(
        operation_id="read_statement",
        responses=FullStatementOut,
        examples=[
            OpenApiExample(
                "October",
                value=EXAMPLE_STATEMENT
                | {"seller": "Prepaid", "buyer": "Acme", "rounding": "0.00", "sections": EXAMPLE_SECTIONS},
            )
        ],
    )
    def get(self, request: Request, statement_id: str) -> Response:
        """Read a statement with its lines."""
        statement = statement_by_id(public_id=statement_id, only_account_id=caller_of(request).account_id)
        sections = read_document(statement).sections
        return Response(StatementOut(statement).data | {
            "seller": statement.seller,
            "buyer": statement.buyer,
            "rounding": AmountField().to_representation(statement.rounding),
            "sections": SectionOut(sections, many=True).data,
        })  # fmt: skip


class StatementPdf(APIView):
    """A statement as PDF."""

    required_scope: ClassVar = "accounts:read"

    @extend_schema(operation_id="read_statement_pdf", responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, statement_id: str) -> HttpResponse:
        """Read a statement as PDF."""
        return pdf_response(read_document(_statement(request, statement_id)))


class StatementCsv(APIView):
    """A statement as a table."""

    required_scope: ClassVar = "accounts:read"

    @extend_schema(operation_id="read_statement_csv", responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request, statement_id: str) -> HttpResponse:
        """Read a statement's lines as CSV."""
        return csv_response(read_document(_statement(request, statement_id)))


def _statement(request: Request, statement_id: str) -> Any:
    return statement_by_id(public_id=statement_id, only_account_id=caller_of(request).account_id)
