"""What is read from and answered to requests about events."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from metering.ingest.batch import IngestResult
from metering.ingest.decode import Decoded
from metering.usage.explain import EventExplanation
from wallets.api.fields import AmountField, Body, MomentField, TextField
from wallets.api_keys.verify import Caller
from wallets.ledger.entries import entry_id
from wallets.money import plain, scaled_text


class RejectedOut(serializers.Serializer[Any]):
    """An event that was refused."""

    index = serializers.IntegerField(help_text="its place in the request, from 0")
    id = TextField(allow_null=True)
    code = serializers.ChoiceField(["invalid", "unknown_account", "unknown_type", "too_old", "in_future"])
    detail = TextField()


class ChargedOut(serializers.Serializer[Any]):
    """What an account was charged by the request."""

    account = TextField()
    currency = TextField()
    amount = AmountField()


class BalanceOut(serializers.Serializer[Any]):
    """A wallet after the request."""

    wallet = TextField()
    account = TextField()
    currency = TextField()
    balance = AmountField()
    held = AmountField()
    available = AmountField()


class IngestOut(serializers.Serializer[Any]):
    """What became of the events."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    unrated = serializers.IntegerField(help_text="accepted, and waiting for a price")
    rejected = RejectedOut(many=True)
    charged = ChargedOut(many=True)
    balances = BalanceOut(many=True)


class EventQuery(serializers.Serializer[Any]):
    """Which events."""

    account = TextField()

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of the language, so it cannot be declared above."""
        return {**super().get_fields(), "from": MomentField(required=False), "to": MomentField(required=False)}

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """The checked parameters of a request. Raises ValidationError naming each wrong one."""
        query = cls(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


class EventOut(serializers.Serializer[Any]):
    """An event as it was sent."""

    id = TextField(source="event_id")
    type = TextField()
    time = MomentField()
    received_at = MomentField()
    properties = serializers.DictField()


class VoidIn(Body):
    """Why an event is taken back."""

    account = TextField(required=False, help_text="needed when several accounts sent this id")
    reason = TextField(required=False)


class LotDrawnOut(serializers.Serializer[Any]):
    """What a charge took from one lot (or gave back to it); `lot` null: overdraft."""

    lot = TextField(allow_null=True)
    kind = TextField()
    amount = AmountField()


class TierOut(serializers.Serializer[Any]):
    """The part of the quantity that one tier priced; `up_to` null: without end."""

    up_to = AmountField(allow_null=True)
    quantity = AmountField()
    unit_price = AmountField()
    amount = AmountField()


class ReturnedOut(serializers.Serializer[Any]):
    """What a charge at a falling price gave back of another charge's draws."""

    event = TextField()
    amount = AmountField()


class ChargeOut(serializers.Serializer[Any]):
    """One event on one meter."""

    line = serializers.IntegerField()
    reverses = serializers.IntegerField(allow_null=True)
    meter = TextField(source="meter.code")
    quantity = AmountField()
    unit = TextField(source="meter.unit")
    model = TextField(source="price.model")
    unit_price = AmountField(source="price.unit_price", allow_null=True, help_text="null where units have no one price")
    minimum_charge = AmountField(source="price.minimum_charge", allow_null=True)
    price_book = TextField(source="price.book")
    price_version = TextField(source="price.version")
    price_version_number = serializers.IntegerField(source="price.version_number")
    match = serializers.DictField(source="price.match")
    origin = TextField(source="price.origin", help_text="of a negotiated price: `20 % off 10.00 USD per million tokens`")
    holds = TextField(source="price.holds", help_text="the times at which it is the price; empty: always")
    prior_quantity = AmountField(allow_null=True, help_text="priced before it in the month, where that decides")
    tiers = TierOut(many=True, help_text="negative: what the month's total had cost in another tier")
    allowance = AmountField(help_text="part of the quantity that allowances covered")
    allowances = LotDrawnOut(many=True, help_text="in units")
    amount = AmountField()
    cost = AmountField(required=False, help_text="ours; absent for a key confined to one account")
    currency = TextField()
    wallet = TextField()
    lots = LotDrawnOut(many=True, source="draws")
    returned = ReturnedOut(many=True, help_text="whose draws a charge below zero gave back")
    journal_entry = serializers.SerializerMethodField()

    def get_journal_entry(self, charge: Any) -> dict[str, Any] | None:
        """The entry that moved the wallet; null when nothing was drawn."""
        entry = charge.entry
        if entry is None:
            return None
        return {
            "id": entry_id(entry.pk),
            "kind": entry.kind.lower(),
            "at": MomentField().to_representation(entry.at),
            "wallet_version": entry.wallet_version,
            "balance_after": plain(entry.balance_after),
            "hash": entry.hash,
        }


class ExplanationOut(serializers.Serializer[Any]):
    """An event explained."""

    id = TextField(source="event_id")
    account = TextField()
    type = TextField()
    time = MomentField()
    received_at = MomentField()
    status = serializers.ChoiceField(["charged", "free", "unrated", "voided"])
    properties = serializers.DictField()
    charges = ChargeOut(many=True)
    void = serializers.SerializerMethodField()
    parked = serializers.SerializerMethodField()

    def get_void(self, event: EventExplanation) -> dict[str, Any] | None:
        """When, by whom and why it was taken back."""
        return _plain(event.void)

    def get_parked(self, event: EventExplanation) -> dict[str, Any] | None:
        """Why it could not be rated when it came."""
        return _plain(event.parked)


def explanation_of(event: EventExplanation, caller: Caller) -> dict[str, Any]:
    """An explained event for the wire; what it costs us is not told to a key confined to the customer."""
    answer = dict(ExplanationOut(event).data)
    if caller.account_id is not None:
        for charge in answer["charges"]:
            del charge["cost"]
    return answer


def answer_of(decoded: Decoded, result: IngestResult) -> HttpResponse:
    """The answer to sent events; encoded here, since it may have thousands of balances."""
    indexes = decoded.indexes
    rejected = [*decoded.rejected, *(refusal._replace(index=indexes[refusal.index]) for refusal in result.rejected)]
    body = {
        "accepted": result.accepted,
        "duplicates": result.duplicates,
        "unrated": result.unrated,
        "rejected": [refusal._asdict() for refusal in sorted(rejected, key=lambda refusal: refusal.index)],
        "charged": [{"account": c.account, "currency": c.currency, "amount": scaled_text(c.amount)} for c in result.charged],
        "balances": [
            {
                "wallet": b.wallet,
                "account": b.account,
                "currency": b.currency,
                "balance": plain(b.balance),
                "held": plain(b.held),
                "available": plain(b.available),
            }
            for b in result.balances
        ],
    }
    answer = HttpResponse(msgspec.json.encode(body), content_type="application/json")
    if len(result.balances) == 1:
        only = result.balances[0]
        answer["X-Balance-Available"], answer["X-Balance-Version"] = plain(only.available), str(only.version)
    return answer


def _plain(shown: Any) -> dict[str, Any] | None:
    if shown is None:
        return None
    return {
        name: MomentField().to_representation(value) if isinstance(value, datetime) else value
        for name, value in asdict(shown).items()
        if name != "pk"
    }
