"""Decide for an account: in Redis from what was published; when Redis knows nothing, publish and ask again; when it is
away, from PostgreSQL. The answer is the same, only slower."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from metering.gate.client.redis_decision import DECIDE, Lease, decide_in_redis
from metering.gate.decide import UNKNOWN_CALL, Call, Decision, decide
from wallets.accounts.open import KEY
from wallets.balances.publish import publish_from_database
from wallets.balances.published import PublishedAccount
from wallets.balances.read_published import read_accounts
from wallets.errors import NotFound
from wallets.ids import new_public_id
from wallets.redis_client import RedisAway, Script, redis_link

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
# Slow lanes a process remembers while Redis is away; when there are more, all of them start full again.
MAX_LANES: Final = 10_000

_SCRIPT: Final = Script(DECIDE)


class UnknownAccount(NotFound):
    """There is no such account."""

    code = "unknown_account"


def check_account(
    *,
    account_key: str,
    amount: Decimal | None,
    at: datetime,
    currency: str | None = None,
    call: Call = UNKNOWN_CALL,
    lease: Lease | None = None,
) -> Decision:
    """Whether a call of this account may go ahead. Takes a token of the slow lane where that decides.

    amount: what the call will cost, zero or more, at most 12 decimals; None when it is not known.
    currency: None for the account's main one.  lease: reserve the amount under it if the call is allowed, in the same step;
    nothing is reserved while Redis is away. Raises UnknownAccount.
    """
    if not KEY.fullmatch(account_key):
        raise UnknownAccount(f"There is no account {account_key[:120]!r}.")
    at_us = (at - EPOCH) // MICROSECOND
    try:
        decision = _ask(account_key, currency, amount, at_us, call, lease)
        if decision is not None:
            return decision
        account = _known(account_key, publish_from_database(account_keys=[account_key], at=at)[0])
        decision = _ask(account_key, currency, amount, at_us, call, lease)
        if decision is not None:
            return decision
    except RedisAway:
        account = _known(account_key, read_accounts(account_keys=[account_key], at=at))
    return _decide_here(account, currency, amount, at_us, call)


def check_published(
    *, account_key: str, amount: Decimal | None, at: datetime, currency: str | None = None, call: Call = UNKNOWN_CALL
) -> Decision | None:
    """The decision of `check_account` where Redis alone has it, in one round trip; None: ask `check_account`.

    account_key: one that a key can be.  amount: as there.
    """
    try:
        return _ask(account_key, currency, amount, (at - EPOCH) // MICROSECOND, call)
    except RedisAway:
        return None


def lease_until(lapses_at: datetime) -> Lease:
    """A new lease, which nobody can guess, to be taken by `check_account`."""
    return Lease(new_public_id("auth"), (lapses_at - EPOCH) // MICROSECOND)


def _ask(
    account_key: str,
    currency: str | None,
    amount: Decimal | None,
    at_us: int,
    call: Call = UNKNOWN_CALL,
    lease: Lease | None = None,
) -> Decision | None:
    def run(args: list[str]) -> Any:
        return redis_link().run(_SCRIPT, args)

    return decide_in_redis(run, account_key=account_key, currency=currency, amount=amount, at_us=at_us, call=call, lease=lease)


def _known(account_key: str, accounts: list[PublishedAccount]) -> PublishedAccount:
    if not accounts:
        raise UnknownAccount(f"There is no account {account_key[:120]}.")
    return accounts[0]


_lanes: dict[int, int] = {}
_lanes_lock = threading.Lock()


def _decide_here(account: PublishedAccount, currency: str | None, amount: Decimal | None, at_us: int, call: Call) -> Decision:
    """Decide in this process. Without Redis each process has slow lanes of its own."""
    wallet = account.charged_wallet(currency)
    lane = wallet.id if wallet else 0
    with _lanes_lock:
        lane_us = _lanes.get(lane, 0)
        decision, lane_us = decide(account, currency=currency, amount=amount, at_us=at_us, lane_us=lane_us, call=call)
        if lane_us:
            if len(_lanes) >= MAX_LANES:
                _lanes.clear()
            _lanes[lane] = lane_us
    return decision
