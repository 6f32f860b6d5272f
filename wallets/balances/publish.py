"""Publish what wallets can spend to Redis, for the gate. A copy: PostgreSQL is the truth (I1). `published.py` says where
each value lies.

Two kinds of value, each with its own rule, so that it does not matter in which order publications arrive:

*Figures* (available, overdraft) carry the wallet's sequence, which counts journal entries and changes of what is held. A
commit publishes what it holds in memory (`publish_wallets`) if its sequence is higher than the published one. They also say
when the next hold lapses: from then on they are not believed, and read again. Of a wallet with allowances memory does not know
what is left of their units, so after its commit it is read again, and published under a ticket as settings are.

*Settings* (status, policy, default wallet) are never published from memory. Whoever changed them says so after the commit
(news `AccountsChanged`), and the account is read again (`publish_from_database`): first a ticket is taken, then PostgreSQL
is read, then the settings are written unless settings of a higher ticket are there. A reading of a higher ticket began
later, so it has seen every change that was committed before the lower ticket was taken. Figures read this way also replace
figures of the same sequence and a lower ticket (a hold lapses without a write).

Tickets start again when Redis is wiped: a reading whose ticket is from before is thrown away and made again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Final, NamedTuple

from django.db import connection

from wallets.balances.lock import LockedWallet
from wallets.balances.published import ACCOUNT_PREFIX, SPENT_PREFIX, TICKETS, PublishedAccount, PublishedCap, PublishedWallet
from wallets.balances.read_published import read_accounts
from wallets.balances.reserved import LEASES
from wallets.outbox.deliver import Piece
from wallets.outbox.topics import AccountsChanged
from wallets.redis_client import RedisAway, Script, ask_redis

log = logging.getLogger(__name__)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
# Accounts read and published at a time by the sweep: some 300 kB and 5 ms of Redis.
CHUNK: Final = 500
# Times a reading is made again because Redis was wiped meanwhile.
TRIES: Final = 3

# ARGV: wallets, counters of caps as JSON, leases that end here as JSON.
_PUBLISH_FIGURES: Final = Script(f"""
{LEASES}
for key, id, version, figures in string.gmatch(ARGV[1], '(%S+) (%d+) (%d+) ([^\\n]+)\\n') do
    local name, field = '{ACCOUNT_PREFIX}' .. key, 'figures:' .. id
    local published = redis.call('HGET', name, field)
    if not published or tonumber(string.match(published, '^%d+')) < tonumber(version) then
        redis.call('HSET', name, field, version .. ' 0 ' .. figures)
    end
end
if ARGV[2] ~= '' then
    for _, counter in ipairs(cjson.decode(ARGV[2])) do
        local name = '{SPENT_PREFIX}' .. counter[1]
        local published = redis.call('HGET', name, counter[2])
        if not published or tonumber(string.match(published, '^%d+')) < tonumber(counter[3]) then
            redis.call('HSET', name, counter[2], counter[3] .. ' ' .. counter[4])
        end
    end
end
if ARGV[3] ~= '' then
    for _, lease in ipairs(cjson.decode(ARGV[3])) do release(lease[1], lease[2]) end
end
return 0
""")

_TAKE_TICKET: Final = Script(f"""
local time = redis.call('TIME')
local ticket = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('HGET', '{TICKETS}', 'last') or '0')
if ticket <= last then ticket = last + 1 end
ticket = string.format('%.0f', ticket)
redis.call('HSETNX', '{TICKETS}', 'since', ticket)
redis.call('HSET', '{TICKETS}', 'last', ticket)
return ticket
""")

# ARGV: ticket, accounts as JSON. Returns nil for a ticket from before a wipe, else how many wallets were
# missing, behind, different, and how many accounts had other settings.
_PUBLISH_ACCOUNTS: Final = Script(f"""
local ticket = tonumber(ARGV[1])
local since = redis.call('HGET', '{TICKETS}', 'since')
if not since or ticket < tonumber(since) then return false end
local missing, behind, different, settings = 0, 0, 0, 0

local function publish_settings(name, wanted)
    local published_under = redis.call('HGET', name, 'ticket')
    if published_under and tonumber(published_under) > ticket then return false end
    local changed = false
    for _, field in ipairs(redis.call('HKEYS', name)) do
        local kind = string.match(field, '^(%a+):')
        if (kind == 'default' or kind == 'wallet' or field == 'caps') and not wanted[field] then
            redis.call('HDEL', name, field)
            changed = true
        end
    end
    for field, value in pairs(wanted) do
        if redis.call('HGET', name, field) ~= value then
            redis.call('HSET', name, field, value)
            changed = true
        end
    end
    redis.call('HSET', name, 'ticket', ARGV[1])
    if changed and published_under then settings = settings + 1 end
    return true
end

local function publish_spent(name, windows)
    local current = {{}}
    for _, window in ipairs(windows) do current[window.name] = true end
    for _, field in ipairs(redis.call('HKEYS', name)) do
        local window = string.match(field, '^here:(%d+:%d+)$') or string.match(field, '^(%d+:%d+):')
        if not current[window or ''] then redis.call('HDEL', name, field) end
    end
    for _, window in ipairs(windows) do
        for _, counter in ipairs(window.counters) do
            local field = window.name .. ':' .. counter[1]
            local published = redis.call('HGET', name, field)
            local value = counter[2] .. ' ' .. counter[3]
            if not published or tonumber(string.match(published, '^%d+')) < tonumber(counter[2]) then
                if redis.call('HEXISTS', name, 'here:' .. window.name) == 1 then behind = behind + 1 end
                redis.call('HSET', name, field, value)
            elseif published ~= value and string.match(published, '^%d+') == counter[2] then
                different = different + 1
                redis.call('HSET', name, field, value)
            end
        end
        redis.call('HSET', name, 'here:' .. window.name, '1')
    end
end

local function publish_figures(name, wallet)
    local field = 'figures:' .. wallet.id
    local published = redis.call('HGET', name, field)
    if not published then
        missing = missing + 1
    else
        local version, read_under, figures = string.match(published, '^(%d+) (%d+) (.+)$')
        version = tonumber(version) - tonumber(wallet.version)
        if version > 0 or version == 0 and tonumber(read_under) > ticket then return end
        if version < 0 then behind = behind + 1 elseif figures ~= wallet.figures then different = different + 1 end
    end
    redis.call('HSET', name, field, wallet.version .. ' ' .. ARGV[1] .. ' ' .. wallet.figures)
end

for _, account in ipairs(cjson.decode(ARGV[2])) do
    local name = '{ACCOUNT_PREFIX}' .. account.key
    local newest = publish_settings(name, account.settings)
    if newest then publish_spent('{SPENT_PREFIX}' .. account.key, account.windows) end
    for _, wallet in ipairs(account.wallets) do publish_figures(name, wallet) end
end
return {{missing, behind, different, settings}}
""")


@dataclass(slots=True)
class Drift:
    """What a publication found published: wallets missing, at an older version, or with other figures at the same version;
    accounts with other settings. What is on its way at that moment counts as behind."""

    accounts: int = 0
    missing: int = 0
    behind: int = 0
    different: int = 0
    settings: int = 0

    def add(self, other: Drift) -> None:
        """Count `other` in."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


class Spent(NamedTuple):
    """What was used of a spend cap. field: window and value, as `published.py` has it."""

    account_key: str
    field: str
    version: int
    used: Decimal


def publish_wallets(
    wallets: Sequence[LockedWallet], *, spent: Sequence[Spent] = (), leases: Sequence[tuple[str, str]] = ()
) -> None:
    """Publish the committed figures of these wallets in one round trip; an older version never overwrites a newer one.

    spent: what their transaction changed of spend caps.  leases: account key and id of those whose calls it charged; they end
    in the same step in which the charge begins to count.

    Never raises for Redis: what could not be published is counted and logged, and the outbox and the sweep publish it.
    """
    with_units = [w.id for w in wallets if w.allowance_meters]
    lines = [
        f"{w.account_key} {w.id} {w.sequence} {w.balance - w.held:.12f} {w.overdraft:.12f} {_microseconds(w.next_lapse_at)}\n"
        for w in wallets
        if not w.allowance_meters
    ]
    counters = json.dumps([(s.account_key, s.field, str(s.version), f"{s.used:.12f}") for s in spent]) if spent else ""
    ended = json.dumps(list(leases)) if leases else ""
    try:
        if with_units:
            publish_from_database(wallet_ids=with_units)
        ask_redis(lambda redis: _PUBLISH_FIGURES.run(redis, args=["".join(lines), counters, ended]))
    except RedisAway:
        log.warning("%d wallets not published; the outbox and the sweep publish them", len(wallets))


def publish_from_database(
    *,
    account_ids: Collection[int] = (),
    account_keys: Collection[str] = (),
    wallet_ids: Collection[int] = (),
    at: datetime | None = None,
) -> tuple[list[PublishedAccount], Drift]:
    """Read these accounts (and the accounts of these wallets) with all their wallets and publish them.

    at: holds that have ended by then are left out; None: they stand, and the gate will ask again.
    Returns what was read (an unknown id or key is left out) and how Redis differed. Raises RedisAway.
    """
    for _ in range(TRIES):
        ticket = take_ticket()
        accounts = read_accounts(account_ids=account_ids, account_keys=account_keys, wallet_ids=wallet_ids, at=at)
        found = publish_reading(accounts, ticket=ticket)
        if found is not None:
            return accounts, found
    raise RedisAway("wiped while it was read for, again and again")


def take_ticket() -> str:
    """A ticket for a reading that has not begun yet, higher than every ticket before it. Raises RedisAway."""
    ticket: bytes = ask_redis(lambda redis: _TAKE_TICKET.run(redis, args=[]))
    return ticket.decode()


def publish_reading(accounts: Sequence[PublishedAccount], *, ticket: str) -> Drift | None:
    """Publish what was read after `ticket` was taken. None when Redis was wiped since, and nothing was published.

    Raises RedisAway.
    """
    text = json.dumps([_for_redis(account) for account in accounts])
    found = ask_redis(lambda redis: _PUBLISH_ACCOUNTS.run(redis, args=[ticket, text]))
    return None if found is None else Drift(len(accounts), *found)


def publish_changed(news: AccountsChanged) -> None:
    """Publish these accounts right after the commit that changed them; never raises for Redis, the outbox comes again."""
    try:
        publish_from_database(account_ids=news.account_ids)
    except RedisAway:
        log.warning("accounts %s not published; the outbox and the sweep publish them", news.account_ids)


def publish_told(pieces: Sequence[Piece], *, at: datetime) -> None:
    """Outbox reader of BalancesChanged and AccountsChanged: publish what they name again. Raises RedisAway."""
    wallet_ids = sorted({wallet_id for piece in pieces for wallet_id in piece.payload.get("wallet_ids", ())})
    account_ids = sorted({account_id for piece in pieces for account_id in piece.payload.get("account_ids", ())})
    for part in _parts(wallet_ids, CHUNK):
        publish_from_database(wallet_ids=part, at=at)
    for part in _parts(account_ids, CHUNK):
        publish_from_database(account_ids=part, at=at)


def republish_all(*, chunk: int = CHUNK, at: datetime | None = None) -> Drift:
    """Publish every account, `chunk` at a time, and tell how far Redis was off. Raises RedisAway."""
    drift = Drift()
    for account_ids in _account_ids(chunk):
        drift.add(publish_from_database(account_ids=account_ids, at=at)[1])
    if drift.missing or drift.behind or drift.different or drift.settings:
        log.warning("the gate's copy had drifted and is right again: %s", drift)
    return drift


def _for_redis(account: PublishedAccount) -> dict[str, Any]:
    """The fields of an account's hash (`published.py`)."""
    fields_of = {
        "status": account.status,
        "main": account.main_currency,
        "on_outage": account.on_outage,
        "offline_allowance": f"{account.offline_allowance:.12f}",
    }
    figures: list[dict[str, str]] = []
    for wallet in account.wallets:
        if wallet.is_default:
            fields_of[f"default:{wallet.currency}"] = str(wallet.id)
        fields_of[f"wallet:{wallet.id}"] = (
            f"{wallet.status} {wallet.on_empty} {wallet.grace_limit:.12f} {wallet.throttle_per_minute} "
            f"{wallet.public_id} {wallet.currency}"
        )
        figures.append(
            {
                "id": str(wallet.id),
                "version": str(wallet.version),
                "figures": f"{wallet.available:.12f} {wallet.overdraft:.12f} {wallet.lapses_us}{_units(wallet)}",
            }
        )
    if account.caps:
        fields_of["caps"] = json.dumps([_cap_for_redis(cap) for cap in account.caps])
    windows = [
        {"name": cap.window, "counters": [[value, str(version), f"{used:.12f}"] for value, (version, used) in cap.used.items()]}
        for cap in account.caps
    ]
    return {"key": account.key, "settings": fields_of, "wallets": figures, "windows": windows}


def _units(wallet: PublishedWallet) -> str:
    return " " + json.dumps(wallet.unit_meters) if wallet.unit_meters else ""


def _cap_for_redis(cap: PublishedCap) -> dict[str, Any]:
    return {
        "id": cap.public_id,
        "window": cap.window,
        "scope": cap.scope,
        "value": cap.value,
        "unit": cap.unit,
        "of_meter": cap.of_meter,
        "limit": f"{cap.limit:.12f}",
        "starts": str(cap.starts_us),
        "ends": str(cap.ends_us),
    }


def _microseconds(moment: datetime | None) -> int:
    return 0 if moment is None else (moment - EPOCH) // MICROSECOND


def _parts(ids: Sequence[int], size: int) -> Iterator[list[int]]:
    rest = iter(ids)
    while part := list(islice(rest, size)):
        yield part


def _account_ids(chunk: int) -> Iterator[list[int]]:
    """Every account's row id, `chunk` at a time, ascending."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM wallets_account WHERE id > %s ORDER BY id LIMIT %s", [last, chunk])
            ids = [row[0] for row in cursor]
        if not ids:
            return
        yield ids
        last = ids[-1]
