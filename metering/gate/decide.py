"""Allow, throttle or refuse: one pure function over what wallets published. The Lua script in `client/redis_decision.py`
is the same rule inside Redis; a property test holds them equal.

Credit covers a call when what is available reaches the amount asked for, or is above zero when no amount is named. When
it does not, the wallet's policy decides:

    block      refuse
    grace      allow while overdraft would stay within `grace_limit`
    throttle   the slow lane: a token bucket of `throttle_per_minute` calls that refills evenly over a minute

Rates are counted in whole microseconds and money is exact, so that Python and Lua cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from wallets.balances.published import PublishedAccount, PublishedWallet
from wallets.money import ZERO

Verdict = Literal["allow", "throttle", "refuse"]
Reason = Literal["balance_exhausted", "allowance_exhausted", "spend_cap", "wallet_frozen", "account_suspended", "rate_limited"]

SENTENCES: Final[dict[Reason, str]] = {
    "balance_exhausted": "The prepaid balance does not cover this call. Top up to go on.",
    "allowance_exhausted": "The units of the plan are used up.",
    "spend_cap": "A spend cap has been reached.",
    "wallet_frozen": "The wallet is frozen.",
    "account_suspended": "The account is suspended.",
    "rate_limited": "The prepaid balance is exhausted and the slow lane is full. Try again later, or top up.",
}
"""What a refused caller is told."""

MINUTE_US: Final = 60_000_000
SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and what it was made of. reason is empty when the call is allowed.

    currency, available, version: of the wallet usage would be charged to; without one: nothing available, wallet None.
    retry_after_seconds: when a throttled call may be tried again.
    """

    verdict: Verdict
    reason: Reason | None
    available: Decimal
    currency: str
    retry_after_seconds: int | None = None
    wallet: str | None = None
    version: int = 0


def decide(  # noqa: PLR0911 - one for each rule, in their order
    account: PublishedAccount, *, currency: str | None, amount: Decimal | None, at_us: int, lane_us: int
) -> tuple[Decision, int]:
    """Decide for a call of `amount` (None: not known) in `currency` (None: the account's main one).

    at_us: the time, microseconds since 1970.  lane_us: when the slow lane will be full again, as returned last time
    (0: never used). Returns the decision and the new lane_us.
    """
    wallet = account.charged_wallet(currency)
    if account.status != "ACTIVE":
        return _decision("refuse", "account_suspended", wallet, currency or account.main_currency), lane_us
    if wallet is None:
        return _decision("refuse", "balance_exhausted", None, currency or account.main_currency), lane_us
    if wallet.status != "ACTIVE":
        return _decision("refuse", "wallet_frozen", wallet), lane_us
    if covers(wallet.available, amount):
        return _decision("allow", None, wallet), lane_us
    if wallet.on_empty == "grace" and covers(wallet.available + wallet.grace_limit, amount):
        return _decision("allow", None, wallet), lane_us
    if wallet.on_empty == "throttle" and wallet.throttle_per_minute > 0:
        wait_us, lane_us = take_token(per_minute=wallet.throttle_per_minute, at_us=at_us, lane_us=lane_us)
        if wait_us == 0:
            return _decision("allow", None, wallet), lane_us
        return _decision("throttle", "rate_limited", wallet, retry_after_seconds=-(-wait_us // SECOND_US)), lane_us
    return _decision("refuse", "balance_exhausted", wallet), lane_us


def covers(credit: Decimal, amount: Decimal | None) -> bool:
    """Whether credit is enough for the amount, or, when that is not known, whether there is any."""
    return credit > ZERO if amount is None else credit >= amount


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
) -> Decision:
    if wallet is None:
        return Decision(verdict, reason, ZERO, currency)
    return Decision(verdict, reason, wallet.available, wallet.currency, retry_after_seconds, wallet.public_id, wallet.version)
