"""Spend caps and holds: a hold counts against the caps of its account as a lease does, from when it is placed until it ends.
It is refused where the gate would refuse the call, and exactly: under the locks of the wallet and of the caps' counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from metering.caps.published import published_caps
from metering.caps.reserve import CounterKey, lock_counters, reserve
from metering.caps.window import EPOCH, MICROSECOND
from metering.gate.decide import SENTENCES, Call, caps_of, reached_cap
from metering.gate.units import Quantities, QuantitiesOf
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.balances.published import PublishedAccount, PublishedCap
from wallets.holds.models import Hold
from wallets.holds.place import Units
from wallets.holds.refusals import HoldRefused, amount_text
from wallets.money import ZERO, to_scale

BEYOND: Final = Decimal("Infinity")


class CapRefused(HoldRefused):
    """A spend cap does not leave room for this hold."""

    code = "spend_cap"


@dataclass(frozen=True, slots=True)
class CapRoom:
    """The caps that work by `scopes` falls under, as they stand; their counters are locked."""

    account: PublishedAccount
    currency: str
    scopes: Mapping[str, str]

    def reached(self, amount: Decimal, quantities: Quantities | None) -> PublishedCap | None:
        """The first cap that leaves no room for this. quantities: by meter; None: not known."""
        return reached_cap(self.account, self.currency, amount, Call(self.scopes, quantities), {})

    def refuse_beyond(self, amount: Decimal, quantities: Quantities | None) -> None:
        """Raise CapRefused where a cap leaves no room for this."""
        cap = self.reached(amount, quantities)
        if cap is None:
            return
        value, asked = next(
            (value, asked)
            for one, value, asked in caps_of(self.account, self.currency, amount, Call(self.scopes, quantities))
            if one is cap
        )
        left = max(cap.limit - cap.used.get(value, (0, ZERO))[1], ZERO)
        whom = "the account" if not value else f"{cap.scope.replace('_', ' ')} {value}"
        raise CapRefused(
            f"{SENTENCES['spend_cap']} {amount_text(left)} {cap.unit} is left for {whom}.",
            extra={
                "reason": CapRefused.code,
                "cap": cap.public_id,
                "needed": None if asked is None else amount_text(asked),
                "available": amount_text(left),
                "currency": self.currency,
                "account": self.account.key,
            },
        )

    def set_aside(self, hold: Hold, amount: Decimal, quantities: Quantities | None) -> None:
        """Reserve this for an open hold."""
        found = caps_of(self.account, self.currency, amount, Call(self.scopes, quantities))
        reserve(hold=hold, parts={(cap.id, value): to_scale(asked or ZERO) for cap, value, asked in found})

    def limited(self, units: Units, quantities: QuantitiesOf) -> Units:
        """The units with a price that no wallet can pay for as many as the caps leave no room for."""

        def price(wanted: Decimal) -> Decimal:
            amount = units.price(wanted)
            return amount if self.reached(amount, quantities.of(wanted)) is None else BEYOND

        return replace(units, price=price)


def lock_room(*, wallet: Wallet, scopes: Mapping[str, str], quantities: Quantities | None, at: datetime) -> CapRoom | None:
    """Lock a wallet and what its account's caps have counted for work like this, until the transaction ends; None where the
    account has no caps. quantities: whose meters the work uses; None: not known."""
    if not wallet.has_caps:
        return None
    lock_wallet(wallet.pk)
    room = CapRoom(_account(wallet, at), wallet.currency, scopes)
    keys = {
        CounterKey(cap.id, EPOCH + cap.starts_us * MICROSECOND, value)
        for cap, value, _ in caps_of(room.account, wallet.currency, ZERO, Call(scopes, quantities))
    }
    lock_counters(keys, bucket=wallet.bucket)
    return replace(room, account=_account(wallet, at))


def _account(wallet: Wallet, at: datetime) -> PublishedAccount:
    """The account with its caps as they stand."""
    account = wallet.account
    caps = published_caps(account_ids=[account.pk], at=at).get(account.pk, ())
    return PublishedAccount(account.pk, account.key, account.status, account.currency, (), caps=tuple(caps))
