"""Decide for an account: in Redis from what was published; when Redis knows nothing, publish and ask again; when it is
away, from PostgreSQL. The answer is the same, only slower."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from metering.gate.client.redis_decision import DECIDE, decide_in_redis
from metering.gate.decide import Decision, decide
from wallets.accounts.open import KEY
from wallets.balances.publish import publish_from_database, read_accounts
from wallets.balances.published import PublishedAccount
from wallets.errors import NotFound
from wallets.redis_client import RedisAway, Script, redis_link

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
# Slow lanes a process remembers while Redis is away; when there are more, all of them start full again.
MAX_LANES: Final = 10_000

_SCRIPT: Final = Script(DECIDE)


class UnknownAccount(NotFound):
    """There is no such account."""

    code = "unknown_account"


def check_account(*, account_key: str, amount: Decimal | None, at: datetime, currency: str | None = None) -> Decision:
    """Whether a call of this account may go ahead. Takes a token of the slow lane where that decides; reserves nothing.

    amount: what the call will cost, zero or more, at most 12 decimals; None when it is not known.
    currency: None for the account's main one. Raises UnknownAccount.
    """
    if not KEY.fullmatch(account_key):
        raise UnknownAccount(f"There is no account {account_key[:120]!r}.")
    at_us = (at - EPOCH) // MICROSECOND
    try:
        decision = _ask(account_key, currency, amount, at_us)
        if decision is not None:
            return decision
        account = _known(account_key, publish_from_database(account_keys=[account_key], at=at)[0])
        decision = _ask(account_key, currency, amount, at_us)
        if decision is not None:
            return decision
    except RedisAway:
        account = _known(account_key, read_accounts(account_keys=[account_key], at=at))
    return _decide_here(account, currency, amount, at_us)


def check_published(*, account_key: str, amount: Decimal | None, at: datetime, currency: str | None = None) -> Decision | None:
    """The decision of `check_account` where Redis alone has it, in one round trip; None: ask `check_account`.

    account_key: one that a key can be.  amount: as there.
    """
    try:
        return _ask(account_key, currency, amount, (at - EPOCH) // MICROSECOND)
    except RedisAway:
        return None


def _ask(account_key: str, currency: str | None, amount: Decimal | None, at_us: int) -> Decision | None:
    def run(args: list[str]) -> Any:
        return redis_link().run(_SCRIPT, args)

    return decide_in_redis(run, account_key=account_key, currency=currency, amount=amount, at_us=at_us)


def _known(account_key: str, accounts: list[PublishedAccount]) -> PublishedAccount:
    if not accounts:
        raise UnknownAccount(f"There is no account {account_key[:120]}.")
    return accounts[0]


_lanes: dict[int, int] = {}
_lanes_lock = threading.Lock()


def _decide_here(account: PublishedAccount, currency: str | None, amount: Decimal | None, at_us: int) -> Decision:
    """Decide in this process. Without Redis each process has slow lanes of its own."""
    wallet = account.charged_wallet(currency)
    lane = wallet.id if wallet else 0
    with _lanes_lock:
        decision, lane_us = decide(account, currency=currency, amount=amount, at_us=at_us, lane_us=_lanes.get(lane, 0))
        if lane_us:
            if len(_lanes) >= MAX_LANES:
                _lanes.clear()
            _lanes[lane] = lane_us
    return decision
