"""Wallets over HTTP: open, list, read, policy, freeze, ledger, transfer."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, Body, LowerField, MomentField, TextField, WholeField, decimal_text
from wallets.balances.freeze import freeze_wallet, thaw_wallet
from wallets.balances.held import without_lapsed
from wallets.balances.models import Wallet
from wallets.balances.open import take_first_wallet
from wallets.balances.policy import set_policy
from wallets.balances.queries import wallet_by_id, wallets_of
from wallets.credit.transfer import transfer_credit
from wallets.ledger.entries import entries_of, entry_rows

EXAMPLE_WALLET = {
    "id": "wal_9YhQ3mZ1kT5cB7xR2vN8pL",
    "account": "acme",
    "name": "USD",
    "currency": "USD",
    "is_default": True,
    "status": "active",
    "balance": "41.20",
    "held": "0.00",
    "available": "41.20",
    "overdraft": "0.00",
    "version": 17,
    "policy": {"on_empty": "grace", "grace_limit": "5.00", "throttle_per_minute": 10},
    "opened_at": "2026-11-23T10:00:00Z",
    "closed_at": None,
}


class PolicyIn(Body):
    """What the gate does when the wallet is empty."""

    on_empty = TextField(required=False, help_text="block, throttle or grace")
    grace_limit = AmountField(required=False, help_text="how far below zero grace goes")
    throttle_per_minute = WholeField(required=False, help_text="calls let through a minute when empty")


class PolicyOut(serializers.Serializer[Any]):
    """What the gate does when the wallet is empty."""

    on_empty = TextField()
    grace_limit = AmountField()
    throttle_per_minute = WholeField()


class NewWalletIn(Body):
    """A wallet to be opened."""

    currency = TextField(help_text="ISO 4217 code, or the name of a custom credit unit")
    name = TextField(required=False)


class WalletChangesIn(Body):
    """What can be changed on a wallet."""

    policy = PolicyIn()


class WalletOut(serializers.Serializer[Any]):
    """A wallet. available = balance - held; balance is below zero by the overdraft."""

    id = TextField(source="public_id")
    account = TextField(source="account.key")
    name = TextField()
    currency = TextField()
    is_default = serializers.BooleanField(help_text="usage in this currency is charged to it")
    status = LowerField(help_text="active, frozen or closed")
    balance = AmountField()
    held = AmountField()
    available = AmountField()
    overdraft = AmountField()
    version = WholeField(help_text="grows with every change of the balance")
    policy = PolicyOut(source="*")
    opened_at = MomentField()
    closed_at = MomentField(allow_null=True)


class PostingOut(serializers.Serializer[Any]):
    """One line of an entry; credits positive, debits negative."""

    account = TextField(help_text="account of the chart: prepaid_liability, revenue:llm.output_tokens")
    lot = TextField(allow_null=True, help_text="the credit lot it belongs to")
    amount = AmountField()


class EntryOut(serializers.Serializer[Any]):
    """One balanced change of the wallet."""

    id = TextField()
    version = WholeField()
    kind = LowerField()
    at = MomentField()
    amount = AmountField(help_text="change of the balance")
    balance_after = AmountField()
    overdraft_after = AmountField()
    reverses = TextField(allow_null=True)
    reference = TextField()
    reason = TextField()
    actor = TextField()
    hash = TextField(help_text="SHA-256 over this entry and the hash before it in this wallet")
    postings = PostingOut(many=True)


class TransferIn(Body):
    """Credit to be moved to another wallet of the same account and currency."""

    to = TextField(help_text="id of the other wallet")
    amount = AmountField()
    reason = TextField(required=False)


class TransferOut(serializers.Serializer[Any]):
    """Both wallets after the transfer."""

    amount = AmountField()
    source = WalletOut()  # type: ignore[assignment] # a field of ours, not the source of this one
    to = WalletOut()


def wallet_headers(wallet: Wallet) -> dict[str, str]:
    """The headers of every answer about a wallet."""
    return {"X-Balance-Available": decimal_text(wallet.available), "X-Balance-Version": str(wallet.sequence)}


def with_headers(response: Response, wallet: Wallet) -> Response:
    """An answer about a wallet that was put together elsewhere, with the headers it carries."""
    for name, text in wallet_headers(wallet).items():
        response.headers[name] = text
    return response


def wallet_answer(wallet: Wallet, *, status: int = 200) -> Response:
    """A wallet with its headers, without holds that have ended."""
    without_lapsed([wallet], at=clock.now())
    return Response(WalletOut(wallet).data, status=status, headers=wallet_headers(wallet))


class AccountWallets(GenericAPIView[Any]):
    """An account's wallets."""

    required_scope: ClassVar = {"GET": "accounts:read", "POST": "wallets:write"}
    idempotent = True
    page_by = "id"
    serializer_class = WalletOut

    @extend_schema(operation_id="list_wallets", responses=WalletOut(many=True))
    def get(self, request: Request, key: str) -> Response:
        """List an account's wallets, oldest first."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        page = self.paginate_queryset(wallets_of(account_id=account.pk))
        without_lapsed(page or [], at=clock.now())
        return self.get_paginated_response(WalletOut(page, many=True).data)

    @extend_schema(
        operation_id="open_wallet",
        request=NewWalletIn,
        responses={201: WalletOut},
        examples=[
            OpenApiExample("A wallet in dollars", value={"currency": "USD", "name": "Production"}, request_only=True),
            OpenApiExample("The wallet", value=EXAMPLE_WALLET, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, key: str) -> Response:
        """Open a wallet. The first wallet in the account's own currency is the one it was opened with."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        values = NewWalletIn.read(request)
        return wallet_answer(take_first_wallet(account=account, at=clock.now(), **values), status=201)


class OneWallet(APIView):
    """A wallet."""

    required_scope: ClassVar = {"GET": "accounts:read", "PATCH": "wallets:write"}
    vendor_only = ("PATCH",)  # how far a wallet may go below zero is not its owner's to say

    @extend_schema(
        operation_id="read_wallet",
        responses=WalletOut,
        examples=[OpenApiExample("A wallet", value=EXAMPLE_WALLET, response_only=True)],
    )
    def get(self, request: Request, wallet_id: str) -> Response:
        """Read a wallet's balance, what is held, what is available, and its policy."""
        return wallet_answer(wallet_by_id(public_id=wallet_id, only_account_id=caller_of(request).account_id))

    @extend_schema(
        operation_id="change_wallet",
        request=WalletChangesIn,
        responses=WalletOut,
        examples=[
            OpenApiExample(
                "Five dollars of grace",
                value={"policy": {"on_empty": "grace", "grace_limit": "5.00"}},
                request_only=True,
            ),
        ],
    )
    def patch(self, request: Request, wallet_id: str) -> Response:
        """Change a wallet's policy; parts that are left out stay."""
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller_of(request).account_id)
        values = WalletChangesIn.read(request)
        return wallet_answer(set_policy(wallet_id=wallet.pk, at=clock.now(), **values["policy"]))


class WalletFreeze(APIView):
    """Freezing a wallet."""

    required_scope = "wallets:write"
    vendor_only = True
    idempotent = True

    @extend_schema(operation_id="freeze_wallet", request=None, responses=WalletOut)
    def post(self, request: Request, wallet_id: str) -> Response:
        """Freeze a wallet: the gate refuses calls on it."""
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller_of(request).account_id)
        return wallet_answer(freeze_wallet(wallet_id=wallet.pk, at=clock.now()))


class WalletThaw(APIView):
    """Thawing a wallet."""

    required_scope = "wallets:write"
    vendor_only = True
    idempotent = True

    @extend_schema(operation_id="thaw_wallet", request=None, responses=WalletOut)
    def post(self, request: Request, wallet_id: str) -> Response:
        """Undo a freeze."""
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller_of(request).account_id)
        return wallet_answer(thaw_wallet(wallet_id=wallet.pk, at=clock.now()))


class WalletLedger(GenericAPIView[Any]):
    """A wallet's journal."""

    required_scope = "accounts:read"
    page_by = "-wallet_version"
    serializer_class = EntryOut

    @extend_schema(operation_id="list_ledger", responses=EntryOut(many=True))
    def get(self, request: Request, wallet_id: str) -> Response:
        """List the journal entries of a wallet with their postings, newest first."""
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller_of(request).account_id)
        page = self.paginate_queryset(entries_of(wallet_id=wallet.pk))
        return with_headers(self.get_paginated_response(EntryOut(entry_rows(page or []), many=True).data), wallet)


class WalletTransfers(APIView):
    """Transfers between two wallets of one account."""

    required_scope = "wallets:write"
    idempotent = True

    @extend_schema(
        operation_id="transfer_credit",
        request=TransferIn,
        responses={201: TransferOut},
        examples=[OpenApiExample("Ten dollars", value={"to": "wal_4Fj…", "amount": "10.00"}, request_only=True)],
    )
    def post(self, request: Request, wallet_id: str) -> Response:
        """Move credit to another wallet of the same account; paid credit stays paid, promotional stays promotional."""
        caller = caller_of(request)
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller.account_id)
        values = TransferIn.read(request)
        other = wallet_by_id(public_id=values["to"], only_account_id=caller.account_id)
        transfer_credit(
            from_wallet_id=wallet.pk,
            to_wallet_id=other.pk,
            amount=values["amount"],
            at=clock.now(),
            reason=values.get("reason", ""),
            actor=caller.actor,
        )
        wallet.refresh_from_db()
        other.refresh_from_db()
        answer = TransferOut({"amount": values["amount"], "source": wallet, "to": other})
        return Response(answer.data, status=201, headers=wallet_headers(wallet))
