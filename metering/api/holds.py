"""Holds over HTTP: place, read, extend, capture, renew, release."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metering.api.hold_answers import (
    TTL_SECONDS,
    CapturedOut,
    CaptureIn,
    ExtendIn,
    HoldOut,
    HoldQuery,
    NewHoldIn,
    RenewIn,
    about,
    final_units,
    read_now,
)
from metering.caps.properties import NAMED
from metering.gate.holds import (
    capture_by_amount,
    capture_by_event,
    event_of,
    hold_amount,
    hold_estimate,
    hold_units,
    release,
    renew_units,
)
from wallets import clock
from wallets.accounts.models import Account
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import decimal_text
from wallets.api.wallets import wallet_headers
from wallets.api_keys.verify import Caller
from wallets.holds.capture import Captured
from wallets.holds.find import hold_by_id, holds_of
from wallets.holds.models import Hold
from wallets.holds.place import Work, extend_hold
from wallets.holds.refusals import HoldRefused
from wallets.money import ZERO

EXAMPLE_HOLD: Final = {
    "id": "hold_3mZ1kT5cB7xR2vN8pL9YhQ",
    "account": "acme",
    "wallet": "wal_9YhQ3mZ1kT5cB7xR2vN8pL",
    "currency": "USD",
    "state": "open",
    "amount": "0.25",
    "captured": "0.00",
    "subject": "u_77",
    "placed_at": "2026-11-23T10:00:00Z",
    "expires_at": "2026-11-23T10:05:00Z",
    "ended_at": None,
    "meter": None,
    "granted_units": None,
    "used_units": None,
    "slice": None,
    "final_unit_action": None,
    "redirect_url": None,
    "restricted_to": None,
}
EXAMPLE_SLICE: Final = EXAMPLE_HOLD | {
    "amount": "0.08",
    "meter": "llm.output_tokens",
    "granted_units": "8000.00",
    "used_units": "0.00",
    "slice": 1,
    "final_unit_action": "redirect",
    "redirect_url": "https://billing.example/portal/top-up?account=acme",
}


class Holds(GenericAPIView[Any]):
    """All holds."""

    required_scope = "holds:write"
    idempotent = True
    page_by = "-id"
    serializer_class = HoldOut

    @extend_schema(
        operation_id="place_hold",
        request=NewHoldIn,
        responses={201: HoldOut},
        examples=[
            OpenApiExample("An amount", value={"account": "acme", "amount": "0.25", "ttl_seconds": 300}, request_only=True),
            OpenApiExample(
                "What an event would cost",
                value={
                    "account": "acme",
                    "type": "llm.request",
                    "properties": {"model": "gpt-5", "input_tokens": 800, "output_tokens": 2000},
                },
                request_only=True,
            ),
            OpenApiExample(
                "Units, spent locally",
                value={
                    "account": "acme",
                    "meter": "llm.output_tokens",
                    "units": "10000",
                    "properties": {"model": "gpt-5"},
                    "ttl_seconds": 60,
                },
                request_only=True,
            ),
            OpenApiExample("The hold", value=EXAMPLE_HOLD, response_only=True, status_codes=["201"]),
            OpenApiExample("The last slice", value=EXAMPLE_SLICE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Set credit aside for work in flight. 402 when the wallet cannot answer for it: reason, needed, available, top-up."""
        caller = caller_of(request)
        values = NewHoldIn.read(request)
        account = account_by_key(key=values["account"], only_account_id=caller.account_id)
        with about(None, account):
            hold = _place(account, values, caller)
        return Response(HoldOut(hold).data, status=201, headers=wallet_headers(hold.wallet))

    @extend_schema(operation_id="list_holds", parameters=[HoldQuery], responses=HoldOut(many=True))
    def get(self, request: Request) -> Response:
        """List an account's holds, newest first. `state` is as written down: one that has just ended may still be open."""
        query = HoldQuery.of(request)
        account = account_by_key(key=query["account"], only_account_id=caller_of(request).account_id)
        state = query.get("state")
        page = self.paginate_queryset(holds_of(account_id=account.pk, state=state.upper() if state else None))
        return self.get_paginated_response(HoldOut(read_now(list(page or [])), many=True).data)


class OneHold(APIView):
    """A hold."""

    required_scope = "holds:write"

    @extend_schema(
        operation_id="read_hold",
        responses=HoldOut,
        examples=[OpenApiExample("The hold", value=EXAMPLE_HOLD, response_only=True)],
    )
    def get(self, request: Request, hold_id: str) -> Response:
        """Read a hold."""
        (hold,) = read_now([_hold(request, hold_id)])
        return hold_answer(hold)


class HoldCapture(APIView):
    """Capturing a hold."""

    required_scope = "holds:write"
    idempotent = True

    @extend_schema(
        operation_id="capture_hold",
        request=CaptureIn,
        responses=CapturedOut,
        examples=[
            OpenApiExample(
                "By the event",
                value={
                    "event": {
                        "id": "req_8f3",
                        "type": "llm.request",
                        "properties": {"model": "gpt-5", "input_tokens": 812, "output_tokens": 96},
                    }
                },
                request_only=True,
            ),
            OpenApiExample("By an amount", value={"amount": "0.19"}, request_only=True),
        ],
    )
    def post(self, request: Request, hold_id: str) -> Response:
        """Charge what the work cost and give back the rest, once. An event is charged as if it had been sent, with its id;
        an amount without one is revenue of `hold.capture`."""
        hold = _hold(request, hold_id)
        values = CaptureIn.read(request)
        above = _above(caller_of(request), values)
        at = clock.now()
        with about(hold.wallet, hold.wallet.account):
            if "event" in values:
                done = capture_by_event(hold=hold, event=event_of(hold=hold, values=values["event"]), at=at, above=above)
                return captured_answer(done.captured, event=done.outcome)
            if "used_units" in values:
                renewed = renew_units(hold=hold, used=values["used_units"], at=at, units=ZERO, above=above)
                return captured_answer(renewed.captured)
            return captured_answer(capture_by_amount(hold=hold, amount=values["amount"], at=at, above=above))


class HoldRenew(APIView):
    """Renewing a hold of units."""

    required_scope = "holds:write"
    idempotent = True

    @extend_schema(
        operation_id="renew_hold",
        request=RenewIn,
        responses=CapturedOut,
        examples=[OpenApiExample("Most of it used", value={"used_units": "7200", "slice": 1}, request_only=True)],
    )
    def post(self, request: Request, hold_id: str) -> Response:
        """Charge the units used of the present slice and grant the next, in one call. 200 also when nothing more is granted:
        then the hold is captured, `granted_units` is 0, and `reason` and `final_unit_action` say why and what to do."""
        hold = _hold(request, hold_id)
        values = RenewIn.read(request)
        with about(hold.wallet, hold.wallet.account):
            renewed = renew_units(
                hold=hold,
                used=values["used_units"],
                at=clock.now(),
                units=values.get("units"),
                ttl_seconds=values.get("ttl_seconds"),
                number=values.get("slice"),
                above=_above(caller_of(request), values),
            )
        return captured_answer(renewed.captured, reason=renewed.reason)


class HoldExtend(APIView):
    """Extending a hold."""

    required_scope = "holds:write"
    idempotent = True

    @extend_schema(
        operation_id="extend_hold",
        request=ExtendIn,
        responses=HoldOut,
        examples=[OpenApiExample("Five more minutes", value={"ttl_seconds": 300}, request_only=True)],
    )
    def post(self, request: Request, hold_id: str) -> Response:
        """Make an open hold last longer."""
        hold = _hold(request, hold_id)
        values = ExtendIn.read(request)
        with about(hold.wallet, hold.wallet.account):
            return hold_answer(extend_hold(hold_public_id=hold.public_id, ttl_seconds=values["ttl_seconds"], at=clock.now()))


class HoldRelease(APIView):
    """Releasing a hold."""

    required_scope = "holds:write"
    idempotent = True

    @extend_schema(operation_id="release_hold", request=None, responses=HoldOut)
    def post(self, request: Request, hold_id: str) -> Response:
        """Give back what a hold has set aside. Sent again, nothing more happens."""
        hold = _hold(request, hold_id)
        with about(hold.wallet, hold.wallet.account):
            return hold_answer(release(hold=hold, at=clock.now()))


def hold_answer(hold: Hold) -> Response:
    """A hold with its wallet's headers."""
    return Response(HoldOut(hold).data, headers=wallet_headers(hold.wallet))


def captured_answer(captured: Captured, *, event: str | None = None, reason: str | None = None) -> Response:
    """A hold after its capture."""
    hold = captured.hold
    answer = {
        **HoldOut(hold).data,
        "charged": decimal_text(captured.charged),
        "forgiven": decimal_text(captured.forgiven),
        "replayed": captured.is_replay,
        "event": event,
        "reason": reason,
    }
    return Response(answer, headers=wallet_headers(hold.wallet))


def _hold(request: Request, hold_id: str) -> Hold:
    return hold_by_id(public_id=hold_id, only_account_id=caller_of(request).account_id)


def _place(account: Account, values: dict[str, Any], caller: Caller) -> Hold:
    work = Work(subject=values.get("subject", ""), actor=caller.actor)
    ttl_seconds, at = values.get("ttl_seconds", TTL_SECONDS), clock.now()
    scopes = {scope: values[scope] for scope in NAMED if values.get(scope)}
    if "amount" in values:
        return hold_amount(
            account=account,
            amount=values["amount"],
            currency=values.get("currency"),
            ttl_seconds=ttl_seconds,
            at=at,
            work=work,
            scopes=scopes,
        )
    properties = values.get("properties") or {}
    if "type" in values:
        return hold_estimate(
            account=account,
            event_type=values["type"],
            properties=properties,
            ttl_seconds=ttl_seconds,
            at=at,
            work=work,
            scopes=scopes,
        )
    try:
        return hold_units(
            account=account,
            meter_code=values["meter"],
            units=values["units"],
            properties=properties,
            ttl_seconds=ttl_seconds,
            at=at,
            work=work,
            scopes=scopes,
        )
    except HoldRefused as refused:
        refused.extra |= final_units(account)
        raise


def _above(caller: Caller, values: dict[str, Any]) -> str | None:
    """What to do above the hold. Raises PermissionDenied: whether the vendor bears it is not the customer's to say."""
    above: str | None = values.get("above")
    if above is not None and caller.account_id is not None:
        raise PermissionDenied("A key confined to an account cannot say who bears what costs more than the hold.")
    return above
