"""Correcting a wrong price of a past window, over HTTP: looked at first, unless it is said that it shall happen."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metering.rerating.rerate import MOST_AT_ONCE, continue_rerate, preview_rerate, refuse_more_than, start_rerate
from metering.rerating.window import Window
from pricing.books.queries import version_by_id
from pricing.meters.queries import meter_by_code
from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, Body, MomentField, TextField

EXAMPLE = {
    "wrong_version": "prv_4XbT",
    "price_version": "prv_9QmA",
    "from": "2026-11-01T00:00:00Z",
    "to": "2026-11-15T00:00:00Z",
    "dry_run": False,
    "reason": "Output tokens were typed as 0.10 instead of 0.01",
}


class RerateIn(Body):
    """What was charged at the one version is charged at the other."""

    wrong_version = TextField(help_text="the version with the wrong price; what was charged at others stays as it is")
    price_version = TextField(help_text="a published version with the right price")
    account = TextField(required=False, help_text="left out: all accounts")
    meter = TextField(required=False, help_text="left out: all meters")
    dry_run = serializers.BooleanField(required=False, default=True)
    reason = TextField(required=False, help_text="required when it is no dry run")

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of the language, so it cannot be declared above."""
        return {**super().get_fields(), "from": MomentField(), "to": MomentField()}


class RerateSumsOut(serializers.Serializer[Any]):
    """Charges before and after, of an account or a meter, in one currency."""

    name = TextField()
    currency = TextField()
    events = serializers.IntegerField()
    before = AmountField()
    after = AmountField()
    difference = AmountField()


class NotRerated(serializers.Serializer[Any]):
    """An event that stays as it is."""

    account = TextField()
    detail = TextField()


class RerateOut(serializers.Serializer[Any]):
    """What it came to. `run` stands on the journal entries as their reference; null for a dry run."""

    run = TextField(allow_null=True)
    dry_run = serializers.BooleanField()
    events = serializers.IntegerField()
    refused = serializers.IntegerField()
    accounts = RerateSumsOut(many=True)
    meters = RerateSumsOut(many=True)
    reasons = NotRerated(many=True)


class Rerate(APIView):
    """Re-rating."""

    required_scope: ClassVar = "pricing:write"
    vendor_only = True
    idempotent = True

    @extend_schema(
        operation_id="rerate_usage",
        request=RerateIn,
        responses=RerateOut,
        examples=[OpenApiExample("Correct two weeks", value=EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Correct what was charged at a wrong price, for usage from `from` until before `to`; as a dry run unless told
        otherwise. Each charge goes back to the lots it came from; what was used is charged at the right price."""
        values = RerateIn.read(request)
        window = Window(
            wrong=version_by_id(public_id=values["wrong_version"]),
            right=version_by_id(public_id=values["price_version"]),
            start=values["from"],
            end=values["to"],
            account=account_by_key(key=values["account"]) if values.get("account") else None,
            meter=meter_by_code(code=values["meter"]) if values.get("meter") else None,
        )
        at, run = clock.now(), None
        refuse_more_than(MOST_AT_ONCE, window=window)
        if values["dry_run"]:
            report = preview_rerate(window=window, at=at)
        else:
            reason, actor = values.get("reason", ""), caller_of(request).actor
            run = start_rerate(window=window, at=at, reason=reason, actor=actor)
            report = continue_rerate(run=run, at=at)
        answer = {
            "run": run.public_id if run is not None else None,
            "dry_run": values["dry_run"],
            "events": report.events,
            "refused": report.refused,
            "accounts": _sums(report.accounts),
            "meters": _sums(report.meters),
            "reasons": [{"account": account, "detail": why} for account, _, why in report.reasons],
        }
        return Response(RerateOut(answer).data)


def _sums(found: dict[tuple[str, str], Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "currency": currency,
            "events": sums.events,
            "before": sums.before,
            "after": sums.after,
            "difference": sums.difference,
        }
        for (name, currency), sums in sorted(found.items())
    ]
