"""Allow, throttle or refuse: one pure function over what wallets published. The Lua script in `client/redis_decision.py`
is the same rule inside Redis; a property test holds them equal.

Credit covers a call when what is available reaches the amount asked for, or is above zero when no amount is named. Units left
of allowances cover a call that names no amount, or that costs nothing for that very reason: of every meter it names; one that
names none as long as nothing is owed, for it may be of another meter. When neither does, the wallet's policy decides:

    block      refuse
    grace      allow while overdraft would stay within `grace_limit`
    throttle   the slow lane: a token bucket of `throttle_per_minute` calls that refills evenly over a minute

All calls of a wallet that is SLOWED take the slow lane, also those that credit covers.

Spend caps come before the policy: each that fits the call (the account's, its team's, its user's, …) must cover it. A cap in
units of a meter counts for a call that does not say what it uses, too: such a call may be of that meter.

What live leases reserve is taken off before anything is compared, from the wallet and from each cap (`take_lease`).

How far charges go beyond the credit (and the caps): a caller is whoever waits for one call before it asks for the next. With
an estimate and a lease for every call, events before their lease lapses and Redis there, by no more than what calls in flight
cost above their estimates. When Redis loses the leases, or a lease lapses under its call, or a call has no estimate, by no
more than one call per caller: whatever is charged is taken off before the next decision, so only calls in flight at the last
one that was allowed can be missing from it.

Rates are counted in whole microseconds and money is exact, so that Python and Lua cannot differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, Literal

from wallets.balances.published import PublishedAccount, PublishedCap, PublishedWallet
from wallets.money import ZERO

Verdict = Literal["allow", "throttle", "refuse"]
Reason = Literal["balance_exhausted", "allowance_exhausted", "spend_cap", "wallet_frozen", "account_suspended", "rate_limited"]

SENTENCES: Final[dict[Reason, str]] = {
    "balance_exhausted": "The prepaid balance does not cover this call. Top up to go on.",
    "allowance_exhausted": "The units of the plan are used up.",
    "spend_cap": "A spend cap has been reached.",
    "wallet_frozen": "The wallet is frozen.",
    "account_suspended": "The account is suspended.",
    "rate_limited": "The prepaid balance is low or exhausted and the slow lane is full. Try again later, or top up.",
}
"""What a refused caller is told."""

MINUTE_US: Final = 60_000_000
SECOND_US: Final = 1_000_000
NOTHING_USED: Final = (0, ZERO)


SLOWED: Final = "SLOWED"
"""Status of a wallet whose calls all take the slow lane."""

SCOPES: Final = ("account", "team", "user", "api_key", "cost_centre")
"""What a spend cap may cap; all but the account are named by the call."""

LONGEST_VALUE: Final = 255
"""Characters of a user's (team's, …) name that count."""

Reserved = Mapping[str, Decimal]
"""What live leases reserve, by `wallet:<id>` and `cap:<window>:<value>`."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of a call beside its amount. scopes: who makes it, by scope.  quantities: what it uses, by meter; None
    when that is not known.  meters: then, codes of what it will be charged for; none: not known either."""

    scopes: Mapping[str, str] = field(default_factory=dict)
    quantities: Mapping[str, Decimal] | None = None
    meters: tuple[str, ...] = ()

    @property
    def named_meters(self) -> Collection[str]:
        """What it will be charged for; empty: not known."""
        return self.meters if self.quantities is None else self.quantities.keys()


UNKNOWN_CALL: Final = Call()


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and what it was made of. reason is empty when the call is allowed.

    currency, available, version: of the wallet usage would be charged to; without one: nothing available, wallet None. What
    live leases reserve is not available.
    retry_after_seconds: when a throttled call may be tried again.  cap: public id of the spend cap that refused.
    """

    verdict: Verdict
    reason: Reason | None
    available: Decimal
    currency: str
    retry_after_seconds: int | None = None
    wallet: str | None = None
    version: int = 0
    cap: str | None = None


def decide(  # noqa: PLR0911 - one for each rule, in their order
    account: PublishedAccount,
    *,
    currency: str | None,
    amount: Decimal | None,
    at_us: int,
    lane_us: int,
    call: Call = UNKNOWN_CALL,
    reserved: Reserved = {},  # noqa: B006 - never changed
) -> tuple[Decision, int]:
    """Decide for a call of `amount` (None: not known) in `currency` (None: the account's main one).

    at_us: the time, microseconds since 1970; within the windows of the account's caps.  lane_us: when the slow lane will be
    full again, as returned last time (0: never used).  reserved: by leases that live then. Returns the decision and the new
    lane_us.
    """
    wallet = account.charged_wallet(currency)
    if wallet is not None and reserved:
        wallet = replace(wallet, available=wallet.available - reserved.get(f"wallet:{wallet.id}", ZERO))
    if account.status != "ACTIVE":
        return _decision("refuse", "account_suspended", wallet, currency or account.main_currency), lane_us
    if wallet is None:
        return _decision("refuse", "balance_exhausted", None, currency or account.main_currency), lane_us
    slowed = wallet.status == SLOWED
    if wallet.status != "ACTIVE" and not slowed:
        return _decision("refuse", "wallet_frozen", wallet), lane_us
    cap = reached_cap(account, wallet.currency, amount, call, reserved)
    if cap is not None:
        return _decision("refuse", "spend_cap", wallet, cap=cap.public_id), lane_us
    covered = covers(wallet.available, amount) or units_cover(wallet, amount, call)
    if wallet.on_empty == "grace":
        covered = covered or covers(wallet.available + wallet.grace_limit, amount)
    if covered and not slowed:
        return _decision("allow", None, wallet), lane_us
    if (covered or wallet.on_empty == "throttle") and wallet.throttle_per_minute > 0:
        wait_us, lane_us = take_token(per_minute=wallet.throttle_per_minute, at_us=at_us, lane_us=lane_us)
        if wait_us == 0:
            return _decision("allow", None, wallet), lane_us
        return _decision("throttle", "rate_limited", wallet, retry_after_seconds=-(-wait_us // SECOND_US)), lane_us
    return _decision("refuse", "balance_exhausted", wallet), lane_us


def caps_of(
    account: PublishedAccount, currency: str, amount: Decimal | None, call: Call
) -> Iterator[tuple[PublishedCap, str, Decimal | None]]:
    """The caps a call falls under, each with whose it is (empty: the account's) and what is asked of it (None: not known)."""
    for cap in account.caps:
        value = "" if cap.scope == "account" else call.scopes.get(cap.scope, "")[:LONGEST_VALUE]
        if cap.scope != "account" and (not value or cap.value not in ("", value)):
            continue
        if not cap.of_meter:
            if cap.unit == currency:
                yield cap, value, amount
        elif call.quantities is None:
            if not call.meters or cap.unit in call.meters:
                yield cap, value, None
        elif cap.unit in call.quantities:
            yield cap, value, call.quantities[cap.unit]


def reached_cap(
    account: PublishedAccount, currency: str, amount: Decimal | None, call: Call, reserved: Reserved
) -> PublishedCap | None:
    """The first cap that does not cover the call."""
    for cap, value, asked in caps_of(account, currency, amount, call):
        left = cap.limit - cap.used.get(value, NOTHING_USED)[1] - reserved.get(f"cap:{cap.window}:{value}", ZERO)
        if not covers(left, asked):
            return cap
    return None


def take_lease(account: PublishedAccount, decision: Decision, *, amount: Decimal, call: Call) -> dict[str, Decimal]:
    """What an allowed call reserves until its event arrives, by what it is taken off (`Reserved`)."""
    wallet = account.charged_wallet(decision.currency)
    assert wallet is not None, decision
    caps = caps_of(account, wallet.currency, amount, call)
    taken = {f"cap:{cap.window}:{value}": asked for cap, value, asked in caps if asked is not None}
    return {f"wallet:{wallet.id}": amount, **taken}


def covers(credit: Decimal, amount: Decimal | None) -> bool:
    """Whether credit is enough for the amount, or, when that is not known, whether there is any."""
    return credit > ZERO if amount is None else credit >= amount


def units_cover(wallet: PublishedWallet, amount: Decimal | None, call: Call) -> bool:
    """Whether units left of allowances are enough for a call of unknown cost, or are why it costs nothing."""
    if amount or not wallet.unit_meters:
        return False
    named = call.named_meters
    return all(meter in wallet.unit_meters for meter in named) if named else wallet.available >= ZERO


def take_token(*, per_minute: int, at_us: int, lane_us: int) -> tuple[int, int]:
    """Take one token of a bucket that holds `per_minute` and refills in a minute (generic cell rate algorithm).

    Returns how long to wait (0: taken) and when the bucket will be full again, both in microseconds. A lane_us further
    ahead than an empty bucket's is not believed, so a clock that once ran ahead cannot close the lane.
    """
    each_us = max(MINUTE_US // per_minute, 1)
    holds_us = each_us * per_minute
    full_at_us = min(max(lane_us, at_us), at_us + holds_us) + each_us
    wait_us = full_at_us - at_us - holds_us
    return (wait_us, lane_us) if wait_us > 0 else (0, full_at_us)


def _decision(
    verdict: Verdict,
    reason: Reason | None,
    wallet: PublishedWallet | None,
    currency: str = "",
    *,
    retry_after_seconds: int | None = None,
    cap: str | None = None,
) -> Decision:
    if wallet is None:
        return Decision(verdict, reason, ZERO, currency)
    return Decision(
        verdict, reason, wallet.available, wallet.currency, retry_after_seconds, wallet.public_id, wallet.version, cap
    )
