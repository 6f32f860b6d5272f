"""Saved cards over HTTP. A card's number is given to the provider by the browser; here are only names for it."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import Body, MomentField, TextField, WholeField
from wallets.payments.cards import begin_card, choose_card, keep_card, remove_card
from wallets.payments.find import card_by_id, cards_of

EXAMPLE_CARD: Final = {
    "id": "card_5kT1bN8xW3qZ7mR2vC9hYf",
    "account": "acme",
    "brand": "visa",
    "last_four": "4242",
    "exp_month": 8,
    "exp_year": 2027,
    "is_default": True,
    "is_backup": False,
    "created_at": "2026-11-23T10:00:00Z",
}
EXAMPLE_SET_UP: Final = {
    "id": "seti_1MvKoQ2eZvKYlo2C",
    "client_secret": "seti_1MvKoQ2eZvKYlo2C_secret_NgYj",
    "publishable_key": "pk_live_51H",
}


class NewCardIn(Body):
    """A card that the browser has finished saving."""

    set_up = TextField(help_text="the id of the set-up it was saved with")


class CardOut(serializers.Serializer[Any]):
    """A saved card."""

    id = TextField(source="public_id")
    account = TextField(source="account.key")
    brand = TextField()
    last_four = TextField()
    exp_month = WholeField()
    exp_year = WholeField()
    is_default = serializers.BooleanField()
    is_backup = serializers.BooleanField(help_text="charged when the default one is declined")
    created_at = MomentField()


class CardsOut(serializers.Serializer[Any]):
    """An account's cards."""

    data = CardOut(many=True)  # type: ignore[assignment] # a field of ours


class SetUpOut(serializers.Serializer[Any]):
    """What the provider's script needs to save a card."""

    id = TextField()
    client_secret = TextField()
    publishable_key = TextField()


class AccountPaymentMethods(APIView):
    """An account's cards."""

    required_scope: ClassVar = {"GET": "accounts:read", "POST": "wallets:write"}
    idempotent = False  # keeping a card twice keeps it once

    @extend_schema(operation_id="list_payment_methods", responses=CardsOut)
    def get(self, request: Request, key: str) -> Response:
        """List an account's cards: the default one, the backup, then the newest. At most 20."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        cards = cards_of(account_id=account.pk)
        for card in cards:
            card.account = account
        return Response(CardsOut({"data": cards}).data)

    @extend_schema(
        operation_id="keep_payment_method",
        request=NewCardIn,
        responses={201: CardOut},
        examples=[OpenApiExample("The card", value=EXAMPLE_CARD, response_only=True, status_codes=["201"])],
    )
    def post(self, request: Request, key: str) -> Response:
        """Keep the card that was saved with a set-up. An account's first card is its default."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        values = NewCardIn.read(request)
        card = keep_card(account=account, set_up_id=values["set_up"], at=clock.now())
        return Response(CardOut(card).data, status=201)


class PaymentMethodSetUp(APIView):
    """Beginning to save a card."""

    required_scope = "wallets:write"
    idempotent = False  # a set-up that nobody finishes is nothing

    @extend_schema(
        operation_id="set_up_payment_method",
        request=None,
        responses={201: SetUpOut},
        examples=[OpenApiExample("A set-up", value=EXAMPLE_SET_UP, response_only=True, status_codes=["201"])],
    )
    def post(self, request: Request, key: str) -> Response:
        """Begin to save a card: the answer is for the provider's script in the customer's browser."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        set_up = begin_card(account=account, at=clock.now())
        answer = {
            "id": set_up.id,
            "client_secret": set_up.client_secret,
            "publishable_key": settings.STRIPE_PUBLISHABLE_KEY,
        }
        return Response(SetUpOut(answer).data, status=201)


class OnePaymentMethod(APIView):
    """One card."""

    required_scope: ClassVar = {"GET": "accounts:read", "DELETE": "wallets:write"}

    @extend_schema(operation_id="read_payment_method", responses=CardOut)
    def get(self, request: Request, card_id: str) -> Response:
        """Read a card."""
        return Response(CardOut(card_by_id(public_id=card_id, only_account_id=caller_of(request).account_id)).data)

    @extend_schema(operation_id="remove_payment_method", responses={204: None})
    def delete(self, request: Request, card_id: str) -> Response:
        """Remove a card. The backup takes the place of the default one."""
        card = card_by_id(public_id=card_id, only_account_id=caller_of(request).account_id)
        remove_card(account=card.account, card_id=card_id, at=clock.now())
        return Response(status=204)


class PaymentMethodDefault(APIView):
    """Which card is charged."""

    required_scope = "wallets:write"
    idempotent = True
    backup = False

    @extend_schema(operation_id="choose_default_payment_method", request=None, responses=CardOut)
    def post(self, request: Request, card_id: str) -> Response:
        """Charge this card from now on."""
        card = card_by_id(public_id=card_id, only_account_id=caller_of(request).account_id)
        return Response(CardOut(choose_card(account=card.account, card_id=card_id, backup=self.backup)).data)


class PaymentMethodBackup(PaymentMethodDefault):
    """Which card is charged when the default one is declined."""

    backup = True

    @extend_schema(operation_id="choose_backup_payment_method", request=None, responses=CardOut)
    def post(self, request: Request, card_id: str) -> Response:
        """Charge this card when the default one is declined."""
        return super().post(request, card_id)
