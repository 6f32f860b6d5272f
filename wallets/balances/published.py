"""What the gate reads, and where it lies in Redis. Knows neither Django nor Redis, so that the gate's client can stand in
another company's process.

One hash an account, so that one call decides: `gate:account:<key>` with the fields

    status        ACTIVE or SUSPENDED                                  settings
    main          currency a question without one is about             settings
    on_outage     closed or open: what a client does when it can reach neither this nor us    settings
    offline_allowance    how much it lets through then    settings
    default:<CUR> row id of the wallet that usage in CUR is charged to settings
    wallet:<id>   status on_empty grace_limit throttle_per_minute public_id currency    settings
    ticket        the ticket under which the settings were read
    figures:<id>  sequence ticket available overdraft lapses units
    lane:<id>     the slow lane's token bucket (metering/gate)
    caps          JSON: the spend caps, in the order in which they are checked; missing when there are none    settings

and beside it, where the account has caps, `gate:spent:<key>` with the fields

    <cap>:<window>:<value>   version and what was used; missing: nothing
    here:<cap>:<window>      everything that was used of this cap in this window is published

A wallet's status is ACTIVE, SLOWED (all its calls take the slow lane) or FROZEN.
Values of several words are separated by one space. Amounts always have 12 decimals. sequence: grows
with every change of what is available. lapses: when a hold ends that is taken off what is available, microseconds since 1970
(0: never), or when an allowance begins or ends; from then on the figures are not to be believed, and whoever wants them reads
PostgreSQL. units: JSON list of the meters of which allowances have units left; missing when there are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

ACCOUNT_PREFIX: Final = "gate:account:"
SPENT_PREFIX: Final = "gate:spent:"
TICKETS: Final = "gate:tickets"


@dataclass(frozen=True, slots=True)
class PublishedWallet:
    """A wallet that is not closed, as the gate sees it. available = balance - held; overdraft is part of it already.
    version: the order of its figures. lapses_us: until when they are right (`published.py`). unit_meters: codes of the meters
    of which allowances have units left."""

    id: int
    public_id: str
    currency: str
    status: str
    is_default: bool
    available: Decimal
    overdraft: Decimal
    on_empty: str
    grace_limit: Decimal
    throttle_per_minute: int
    version: int
    lapses_us: int = 0
    unit_meters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedCap:
    """A spend cap in its present window. scope: what it caps (account, team, user, …); value: which of them (empty: each for
    itself).  unit: a currency, or the code of a meter (of_meter).  starts_us, ends_us: the window, microseconds since 1970 (an
    end of 0: never).  used: what was used in it, with the version of each figure, by value."""

    id: int
    public_id: str
    scope: str
    value: str
    unit: str
    of_meter: bool
    limit: Decimal
    starts_us: int
    ends_us: int
    used: Mapping[str, tuple[int, Decimal]] = field(default_factory=dict)

    @property
    def window(self) -> str:
        """What its figures in Redis are found by."""
        return f"{self.id}:{self.starts_us}"


@dataclass(frozen=True, slots=True)
class PublishedAccount:
    """An account with its wallets in the order in which they were opened. currency: of its first wallet."""

    id: int
    key: str
    status: str
    currency: str
    wallets: tuple[PublishedWallet, ...]
    on_outage: str = "closed"
    offline_allowance: Decimal = Decimal(0)
    caps: tuple[PublishedCap, ...] = ()

    @property
    def main_currency(self) -> str:
        """What a question without a currency is about: the account's own currency if usage can be charged in it,
        else that of the oldest wallet usage is charged to."""
        currencies = [wallet.currency for wallet in self.wallets if wallet.is_default]
        return self.currency if self.currency in currencies or not currencies else currencies[0]

    def charged_wallet(self, currency: str | None) -> PublishedWallet | None:
        """The wallet that usage in `currency` (None: the main one) is charged to."""
        wanted = currency or self.main_currency
        return next((wallet for wallet in self.wallets if wallet.is_default and wallet.currency == wanted), None)
