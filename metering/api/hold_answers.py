"""What is read from and answered to requests about holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from metering.gate.top_up import top_up_url
from wallets import clock
from wallets.accounts.models import Account
from wallets.api.fields import AmountField, Body, LowerField, MomentField, TextField, WholeField
from wallets.api.wallets import wallet_headers
from wallets.balances.held import without_lapsed
from wallets.balances.models import Wallet
from wallets.balances.queries import charged_wallet
from wallets.errors import Refusal
from wallets.holds.find import as_read
from wallets.holds.models import Hold
from wallets.holds.refusals import HoldLapsed, HoldRefused

TTL_SECONDS = 300
ABOVE = "what to do when it cost more than the hold: excess, refuse or cap; left out: as the account says"


class NewHoldIn(Body):
    """What is to be set aside: an amount, what an event would cost, or units of a meter."""

    account = TextField()
    amount = AmountField(required=False)
    currency = TextField(required=False, help_text="of `amount`; the account's main one if left out")
    type = TextField(required=False, help_text="of the event the work will be reported by")
    meter = TextField(required=False, help_text="code of the meter of `units`")
    units = AmountField(required=False, help_text="granted up to so many, as one slice")
    properties = serializers.DictField(required=False, help_text="of the event: estimated, or what prices depend on")
    ttl_seconds = WholeField(required=False, help_text="1 to 86400; left out: 300")
    subject = TextField(required=False, help_text="whom the work is for: an end user, an API key")
    team = TextField(required=False, help_text="who the work is by, for spend caps; else read from the properties")
    user = TextField(required=False)
    api_key = TextField(required=False)
    cost_centre = TextField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of `amount`, `type`, and `meter` with `units`."""
        asked = [name for name in ("amount", "type", "units") if name in attrs]
        if len(asked) != 1:
            raise serializers.ValidationError({"amount": "Expected one of amount, type with properties, meter with units."})
        if ("units" in attrs) != ("meter" in attrs):
            raise serializers.ValidationError({"meter": "Expected together with units."})
        return attrs


class HoldEventIn(Body):
    """The event that reports the work."""

    id = TextField()
    type = TextField()
    account = TextField(required=False, help_text="the hold's")
    time = MomentField(required=False)
    properties = serializers.DictField(required=False)


class CaptureIn(Body):
    """What the work cost: its event, an amount, or the units used of a slice."""

    event = HoldEventIn(required=False)
    amount = AmountField(required=False)
    used_units = AmountField(required=False)
    above = TextField(required=False, help_text=ABOVE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of them."""
        if len({"event", "amount", "used_units"} & set(attrs)) != 1:
            raise serializers.ValidationError({"amount": "Expected one of event, amount, used_units."})
        return attrs


class RenewIn(Body):
    """What was used of the present slice, and what is wanted of the next."""

    used_units = AmountField()
    units = AmountField(required=False, help_text="wanted next; left out: as many as now; 0: none, the hold ends")
    slice = WholeField(required=False, help_text="the slice this reports: a report sent twice is refused")
    ttl_seconds = WholeField(required=False, help_text="of the next slice; left out: as the last")
    above = TextField(required=False, help_text=ABOVE)


class ExtendIn(Body):
    """How long a hold is to last."""

    ttl_seconds = WholeField(help_text="from now, 1 to 86400; a hold never gets shorter")


class HoldQuery(serializers.Serializer[Any]):
    """Which holds."""

    account = TextField()
    state = serializers.ChoiceField([state.lower() for state in Hold.State.values], required=False)

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """The checked parameters of a request. Raises ValidationError naming each wrong one."""
        query = cls(data={name: text for name, text in request.query_params.items() if name in {"account", "state"}})
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


class HoldOut(serializers.Serializer[Any]):
    """A hold."""

    id = TextField(source="public_id")
    account = TextField(source="wallet.account.key")
    wallet = TextField(source="wallet.public_id")
    currency = TextField(source="wallet.currency")
    state = LowerField(help_text="open, captured, released or lapsed")
    amount = AmountField(help_text="set aside while the hold is open")
    captured = AmountField(help_text="what it cost the wallet, of all slices")
    subject = TextField()
    placed_at = MomentField()
    expires_at = MomentField(help_text="it lapses then; of units: the validity time of the slice")
    ended_at = MomentField(allow_null=True)
    meter = TextField(allow_null=True)
    granted_units = AmountField(source="granted", allow_null=True, help_text="of the present slice")
    used_units = AmountField(source="used", allow_null=True, help_text="charged, of all slices")
    slice = WholeField(source="slices", allow_null=True)
    final_unit_action = TextField(allow_null=True, help_text="on the last slice: terminate, redirect or restrict")
    redirect_url = TextField(allow_null=True, help_text="where to send the user, with redirect")
    restricted_to = serializers.ListField(child=TextField(), allow_null=True, help_text="meters still served, with restrict")

    def to_representation(self, instance: Hold) -> dict[str, Any]:
        """The hold; what is only about units is null on others."""
        answer: dict[str, Any] = super().to_representation(_Shown(instance))
        if not instance.slices:
            answer |= dict.fromkeys(("meter", "granted_units", "used_units", "slice"))
        return answer


class _Shown:
    """A hold with what its account does with the last units."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        final = final_units(hold.wallet.account) if hold.is_final else {}
        self.final_unit_action = final.get("final_unit_action")
        self.redirect_url = final.get("redirect_url")
        self.restricted_to = final.get("restricted_to")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hold, name)


class CapturedOut(HoldOut):
    """A hold after its capture."""

    charged = AmountField(help_text="what this call cost the wallet")
    forgiven = AmountField(help_text="above the hold, given back as compensation")
    replayed = serializers.BooleanField(help_text="this capture had happened before; nothing was done")
    event = TextField(allow_null=True, help_text="charged, duplicate or unrated; null without an event")
    reason = TextField(allow_null=True, help_text="why no further slice was granted")


def final_units(account: Account) -> dict[str, Any]:
    """What the gateway is to do when the last units are used (RFC 8506, Final-Unit-Indication)."""
    action = account.final_unit_action
    return {
        "final_unit_action": action,
        "redirect_url": (account.final_unit_url or top_up_url(account.key)) if action == "redirect" else None,
        "restricted_to": list(account.final_unit_meters) if action == "restrict" else None,
    }


@contextmanager
def about(wallet: Wallet | None, account: Account) -> Iterator[None]:
    """A refusal within carries the wallet's headers, as every answer about a wallet does, and where to top up.

    wallet: None when only the refusal knows which (by its currency).
    """
    try:
        yield
    except Refusal as refusal:
        if wallet is None and isinstance(refusal, HoldRefused):
            wallet = charged_wallet(account=account, currency=refusal.extra.get("currency"))
        if wallet is not None:
            now = Wallet.objects.get(pk=wallet.pk)
            without_lapsed([now], at=clock.now())
            refusal.headers |= wallet_headers(now)
        if isinstance(refusal, HoldRefused | HoldLapsed):
            refusal.extra["top_up_url"] = top_up_url(account.key)
        raise


def read_now(holds: list[Hold]) -> list[Hold]:
    """Holds and their wallets as they are at this moment, lapsed ones taken off."""
    at = clock.now()
    wallets = {hold.wallet_id: hold.wallet for hold in holds}
    without_lapsed(wallets.values(), at=at)
    return as_read(holds, at=at)
