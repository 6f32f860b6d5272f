"""Accounts over HTTP. They are opened with a price book, which wallets knows nothing of, so their door stands here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pricing.books.open_customer import change_customer, open_customer
from pricing.books.queries import books_used
from wallets import clock
from wallets.accounts.billing_details import BillingChanges, shown_details
from wallets.accounts.change import AccountChanges
from wallets.accounts.models import Account
from wallets.accounts.policy import AccountPolicy
from wallets.accounts.queries import account_by_key, accounts_seen
from wallets.accounts.suspend import reinstate_account, suspend_account
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, Body, LowerField, MomentField, TextField

EXAMPLE_NEW_ACCOUNT = {
    "account": "acme",
    "name": "Acme Ltd",
    "email": "billing@acme.example",
    "currency": "USD",
    "time_zone": "Europe/Berlin",
    "country": "DE",
    "price_book": "pbk_5TqL8nW2yH6kD9cX3mB7rZ",
}


class NewAccountIn(Body):
    """An account to be opened."""

    account = TextField(help_text="your own key for it; never changes")
    name = TextField()
    email = TextField(required=False)
    currency = TextField(required=False, help_text="of its first wallet; left out: USD")
    time_zone = TextField(required=False, help_text="IANA name; left out: UTC")
    country = TextField(required=False, help_text="ISO 3166-1 alpha-2")
    price_book = TextField(required=False, allow_null=True, help_text="id of a price book; left out: the default one")


class AccountPolicyIn(Body):
    """How the account's work is let through."""

    on_outage = TextField(required=False, help_text="closed or open: while the stores cannot be reached")
    offline_allowance = AmountField(required=False, help_text="let through then, with open")
    capture_above = TextField(required=False, help_text="excess, refuse or cap: work that costs more than its hold")
    final_unit_action = TextField(required=False, help_text="terminate, redirect or restrict: when the last units are used")
    final_unit_url = TextField(required=False, help_text="to redirect to; empty: the top-up page")
    final_unit_meters = serializers.ListField(child=TextField(), required=False, help_text="to restrict to")


class AccountPolicyOut(serializers.Serializer[Any]):
    """How the account's work is let through."""

    on_outage = TextField()
    offline_allowance = AmountField()
    capture_above = TextField()
    final_unit_action = TextField()
    final_unit_url = TextField()
    final_unit_meters = serializers.ListField(child=TextField())


class BillingDetailsIn(Body):
    """Who the account is on statements and receipts; what is left out stays."""

    legal_name = TextField(required=False)
    address = TextField(required=False, help_text="up to 6 lines")
    country = TextField(required=False, help_text="ISO 3166-1 alpha-2; of the account")
    tax_id = TextField(required=False, help_text="checked by its country; stored without spaces")
    po_number = TextField(required=False)
    invoice_emails = serializers.ListField(child=TextField(), required=False, help_text="told of receipts and statements, too")


class BillingDetailsOut(serializers.Serializer[Any]):
    """Who the account is on statements and receipts."""

    legal_name = TextField()
    address = TextField()
    country = TextField()
    tax_id = TextField()
    po_number = TextField()
    invoice_emails = serializers.ListField(child=TextField())


class AccountChangesIn(Body):
    """What can be changed on an account; what is left out stays."""

    name = TextField(required=False)
    email = TextField(required=False)
    time_zone = TextField(required=False)
    country = TextField(required=False)
    price_book = TextField(required=False, help_text="used from now on")
    billing_details = BillingDetailsIn(required=False, help_text="for statements and receipts; parts that are left out stay")
    policy = AccountPolicyIn(required=False, help_text="how its work is let through; parts that are left out stay")


class AccountOut(serializers.Serializer[Any]):
    """An account."""

    account = TextField(source="key")
    name = TextField()
    email = TextField()
    currency = TextField()
    time_zone = TextField()
    country = TextField()
    status = LowerField(help_text="active or suspended")
    price_book = TextField(allow_null=True, help_text="the book it uses now")
    policy = AccountPolicyOut(source="*")
    billing_details = BillingDetailsOut(source="billing_shown")
    created_at = MomentField()


def account_lines(accounts: Sequence[Account]) -> list[dict[str, Any]]:
    """Accounts as answers, each with the book it uses now; two queries for all of them."""
    books = books_used(account_ids=[account.pk for account in accounts], at=clock.now())
    for account in accounts:
        book = books[account.pk]
        account.price_book = book.public_id if book else None  # type: ignore[attr-defined]
        account.billing_shown = shown_details(account)  # type: ignore[attr-defined]
    return list(AccountOut(accounts, many=True).data)


def account_answer(account: Account, *, status: int = 200) -> Response:
    """One account."""
    return Response(account_lines([account])[0], status=status)


class Accounts(GenericAPIView[Any]):
    """All accounts."""

    required_scope: ClassVar = {"GET": "accounts:read", "POST": "accounts:write"}
    vendor_only = ("POST",)
    idempotent = True
    page_by = "id"
    serializer_class = AccountOut

    @extend_schema(operation_id="list_accounts", responses=AccountOut(many=True))
    def get(self, request: Request) -> Response:
        """List accounts, oldest first; with a confined key, its own."""
        page = self.paginate_queryset(accounts_seen(only_account_id=caller_of(request).account_id))
        return self.get_paginated_response(account_lines(page or []))

    @extend_schema(
        operation_id="open_account",
        request=NewAccountIn,
        responses={201: AccountOut},
        examples=[OpenApiExample("Acme", value=EXAMPLE_NEW_ACCOUNT, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Open an account with its first wallet."""
        values = NewAccountIn.read(request)
        customer = open_customer(key=values.pop("account"), at=clock.now(), **values)
        return account_answer(customer.account, status=201)


class OneAccount(APIView):
    """An account."""

    required_scope: ClassVar = {"GET": "accounts:read", "PATCH": "accounts:write"}

    @extend_schema(operation_id="read_account", responses=AccountOut)
    def get(self, request: Request, key: str) -> Response:
        """Read an account."""
        return account_answer(account_by_key(key=key, only_account_id=caller_of(request).account_id))

    @extend_schema(
        operation_id="change_account",
        request=AccountChangesIn,
        responses=AccountOut,
        examples=[OpenApiExample("Moved", value={"country": "AT", "time_zone": "Europe/Vienna"}, request_only=True)],
    )
    def patch(self, request: Request, key: str) -> Response:
        """Change an account's details or the price book it uses from now on."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        values = AccountChangesIn.read(request)
        price_book = values.pop("price_book", None)
        policy = values.pop("policy", None)
        billing = values.pop("billing_details", None)
        if (price_book is not None or policy is not None) and caller_of(request).account_id is not None:
            raise PermissionDenied("A key confined to an account changes neither what it pays nor what it is trusted with.")
        changed = change_customer(
            account=account,
            changes=AccountChanges(**values),
            price_book=price_book,
            policy=None if policy is None else AccountPolicy(**policy),
            billing=None if billing is None else BillingChanges(**billing),
            at=clock.now(),
        )
        return account_answer(changed)


class AccountSuspend(APIView):
    """Suspending an account."""

    required_scope = "accounts:write"
    vendor_only = True
    idempotent = True

    @extend_schema(operation_id="suspend_account", request=None, responses=AccountOut)
    def post(self, request: Request, key: str) -> Response:
        """Suspend an account: the gate refuses its calls."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        return account_answer(suspend_account(account=account, at=clock.now()))


class AccountReinstate(APIView):
    """Reinstating an account."""

    required_scope = "accounts:write"
    vendor_only = True
    idempotent = True

    @extend_schema(operation_id="reinstate_account", request=None, responses=AccountOut)
    def post(self, request: Request, key: str) -> Response:
        """Undo a suspension."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        return account_answer(reinstate_account(account=account, at=clock.now()))
