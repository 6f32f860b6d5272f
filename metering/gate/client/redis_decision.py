"""The gate's rule inside Redis: reads what was published (`wallets/balances/published.py`), takes the token of the slow lane
and the lease of the call in one step. The same rule in Python, with its reasons: `metering/gate/decide.py`. Imports no Django.

It also counts its decisions by minute and reason, and keeps the last refusals of an account with what they were decided on:
for the pages, and lost with Redis.

    gate:minute:<minute>    hash: allow or reason -> decisions; `value <account> <currency>` -> what refused calls would have
                            cost; a minute is 60 s since 1970
    gate:refused:<key>      list of JSON, newest first
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from metering.gate.decide import LONGEST_VALUE, MINUTE_US, SECOND_US, UNKNOWN_CALL, Call, Decision
from wallets.balances.published import ACCOUNT_PREFIX, SPENT_PREFIX
from wallets.balances.reserved import KEPT_SECONDS, LEASES, LEASES_PREFIX, RESERVED_PREFIX
from wallets.money import scaled_text

MINUTE_PREFIX: Final = "gate:minute:"
REFUSED_PREFIX: Final = "gate:refused:"
MINUTES_KEPT_SECONDS: Final = 3_600
REFUSALS_KEPT: Final = 20  # of an account
REFUSALS_KEPT_SECONDS: Final = 7 * 86_400

# ARGV: account key, currency or '', amount with 12 decimals or '', time in microseconds since 1970, what else is known of the
# call as JSON or '', lease to take or '', when it lapses.
# Returns nil when nothing (or not everything) is published, or a hold has lapsed since, or a cap's window is over, else
# {verdict, reason, available, currency, seconds to wait, wallet, version, cap}, each text or '' when there is none.
DECIDE: Final = f"""
local name, currency, amount, at = '{ACCOUNT_PREFIX}' .. ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
{LEASES}
local function text(high, low)
    local sign = ''
    if high < 0 then
        sign, high, low = '-', -high, -low
        if low < 0 then high, low = high - 1, low + HALF end
    end
    local digits = string.format('%.0f%015.0f', high, low)
    local whole = string.gsub(string.sub(digits, 1, -13), '^0+', '')
    return sign .. (whole == '' and '0' or whole) .. '.' .. string.sub(digits, -12)
end

local function covers(high, low, asked)
    local enough_low = 1
    if asked ~= '' then
        local asked_high, asked_low = money(asked)
        high, low, enough_low = high - asked_high, low - asked_low, 0
    end
    high, low = carry(high, low)
    return high > 0 or high == 0 and low >= enough_low
end

local function has(list, wanted)
    for _, one in ipairs(list) do
        if one == wanted then return true end
    end
    return false
end

local function take_token(per_minute, field)
    local each = math.max(math.floor({MINUTE_US} / per_minute), 1)
    local holds = each * per_minute
    local lane = tonumber(redis.call('HGET', name, field) or '0')
    local full_at = math.min(math.max(lane, at), at + holds) + each
    local wait = full_at - at - holds
    if wait > 0 then return math.ceil(wait / {SECOND_US}) end
    redis.call('HSET', name, field, string.format('%.0f', full_at))
    return 0
end

local minute = '{MINUTE_PREFIX}' .. string.format('%.0f', math.floor(at / {MINUTE_US}))
local function count(field)
    if redis.call('HINCRBY', minute, field, 1) == 1 then redis.call('EXPIRE', minute, {MINUTES_KEPT_SECONDS}) end
end

local account = redis.call('HMGET', name, 'status', 'caps', currency == '' and 'main' or 'default:' .. currency)
local status, caps, found = account[1], account[2], account[3]
if not status then return false end
if currency == '' then
    currency = found
    found = redis.call('HGET', name, 'default:' .. currency)
end
if not found then
    local reason = status == 'ACTIVE' and 'balance_exhausted' or 'account_suspended'
    count(reason)
    return {{'refuse', reason, '0', currency, '', '', '0', ''}}
end
local wallet = redis.call('HMGET', name, 'wallet:' .. found, 'figures:' .. found)
if not wallet[1] or not wallet[2] then return false end
local state, on_empty, grace, per_minute, public_id = string.match(wallet[1], '^(%S+) (%S+) (%S+) (%S+) (%S+)')
local version, available, lapses, units = string.match(wallet[2], '^(%S+) %S+ (%S+) %S+ (%d+) ?(.*)$')
if lapses ~= '0' and at >= tonumber(lapses) then return false end

local leases, reserved = '{LEASES_PREFIX}' .. ARGV[1], '{RESERVED_PREFIX}' .. ARGV[1]
local taken_high, taken_low = sum_of(reserved, 'wallet:' .. found)
if caps or taken_high ~= 0 or taken_low ~= 0 then
    local lapsed = redis.call('ZRANGEBYSCORE', leases, '-inf', ARGV[4], 'LIMIT', 0, 1000)
    for _, lease in ipairs(lapsed) do release(ARGV[1], lease) end
    if #lapsed > 0 then taken_high, taken_low = sum_of(reserved, 'wallet:' .. found) end
end
local high, low = money(available)
if taken_high ~= 0 or taken_low ~= 0 then
    high, low = carry(high - taken_high, low - taken_low)
    available = text(high, low)
end

local function answer(verdict, reason, wait, cap)
    count(verdict == 'allow' and verdict or reason)
    if verdict ~= 'allow' then
        if amount ~= '' then
            local asked_high, asked_low = money(amount)
            add(minute, 'value ' .. ARGV[1] .. ' ' .. currency, asked_high, asked_low)
        end
        local kept = '{REFUSED_PREFIX}' .. ARGV[1]
        redis.call('LPUSH', kept, cjson.encode({{
            at = ARGV[4], verdict = verdict, reason = reason, amount = amount, currency = currency, available = available,
            reserved = text(taken_high, taken_low), version = version, policy = on_empty, wallet = public_id, cap = cap or '',
            call = ARGV[5] or ''
        }}))
        redis.call('LTRIM', kept, 0, {REFUSALS_KEPT} - 1)
        redis.call('EXPIRE', kept, {REFUSALS_KEPT_SECONDS})
    end
    return {{verdict, reason, available, currency, wait, public_id, version, cap or ''}}
end

if status ~= 'ACTIVE' then return answer('refuse', 'account_suspended', '') end
local slowed = state == 'SLOWED'
if state ~= 'ACTIVE' and not slowed then return answer('refuse', 'wallet_frozen', '') end

local parts = {{{{'wallet:' .. found, amount}}}}
local call = {{scopes = {{}}}}
if (caps or units ~= '') and ARGV[5] and ARGV[5] ~= '' then call = cjson.decode(ARGV[5]) end
if caps then
    local spent = '{SPENT_PREFIX}' .. ARGV[1]
    for _, cap in ipairs(cjson.decode(caps)) do
        local value, asked = call.scopes[cap.scope], amount
        if cap.scope == 'account' then value = '' elseif value == '' then value = nil end
        if cap.of_meter then
            asked = ''
            if call.quantities then
                asked = call.quantities[cap.unit]
            elseif call.meters and not has(call.meters, cap.unit) then
                asked = nil
            end
        elseif cap.unit ~= currency then
            asked = nil
        end
        if value and asked and (cap.value == '' or cap.value == value) then
            if at < tonumber(cap.starts) or cap.ends ~= '0' and at >= tonumber(cap.ends) then return false end
            local field = cap.window .. ':' .. value
            local known = redis.call('HMGET', spent, 'here:' .. cap.window, field)
            if not known[1] then return false end
            local left_high, left_low = money(cap.limit)
            if known[2] then
                local used_high, used_low = money(string.match(known[2], ' (%S+)$'))
                left_high, left_low = left_high - used_high, left_low - used_low
            end
            local cap_high, cap_low = sum_of(reserved, 'cap:' .. field)
            if not covers(left_high - cap_high, left_low - cap_low, asked) then
                return answer('refuse', 'spend_cap', '', cap.id)
            end
            if asked ~= '' then table.insert(parts, {{'cap:' .. field, asked}}) end
        end
    end
end

local function allow()
    if ARGV[6] and ARGV[6] ~= '' and amount ~= '' and redis.call('HEXISTS', reserved, 'lease:' .. ARGV[6]) == 0 then
        redis.call('ZADD', leases, ARGV[7], ARGV[6])
        redis.call('HSET', reserved, 'lease:' .. ARGV[6], cjson.encode(parts))
        for _, part in ipairs(parts) do add(reserved, part[1], money(part[2])) end
        redis.call('EXPIRE', leases, {KEPT_SECONDS})
        redis.call('EXPIRE', reserved, {KEPT_SECONDS})
    end
    return answer('allow', '', '')
end

local function units_cover()
    if units == '' or string.find(amount, '[1-9]') then return false end
    local left, named = cjson.decode(units), call.meters or {{}}
    if call.quantities then
        named = {{}}
        for meter in pairs(call.quantities) do table.insert(named, meter) end
    end
    for _, meter in ipairs(named) do
        if not has(left, meter) then return false end
    end
    return #named > 0 or carry(high, low) >= 0
end

local covered = covers(high, low, amount) or units_cover()
if not covered and on_empty == 'grace' then
    local grace_high, grace_low = money(grace)
    covered = covers(high + grace_high, low + grace_low, amount)
end
if covered and not slowed then return allow() end
if (covered or on_empty == 'throttle') and tonumber(per_minute) > 0 then
    local wait = take_token(tonumber(per_minute), 'lane:' .. found)
    if wait == 0 then return allow() end
    return answer('throttle', 'rate_limited', tostring(wait))
end
return answer('refuse', 'balance_exhausted', '')
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """What an allowed call is to reserve its amount under, and when that lapses (microseconds since 1970)."""

    id: str
    lapses_us: int


def decide_in_redis(
    run: Callable[[list[str]], Any],
    *,
    account_key: str,
    currency: str | None,
    amount: Decimal | None,
    at_us: int,
    call: Call = UNKNOWN_CALL,
    lease: Lease | None = None,
) -> Decision | None:
    """The decision from what is published; None when the account is not (or not wholly) published,
    or a hold has lapsed or a cap's window has ended since it was.

    run: runs DECIDE with these ARGV.  amount: at most 12 decimals.  at_us: microseconds since 1970.  lease: taken when the
    call is allowed and its amount is known.
    """
    asked = "" if amount is None else scaled_text(amount)
    args = [account_key, currency or "", asked, str(at_us)]
    if lease is not None or call is not UNKNOWN_CALL:
        args.append(call_text(call))
    if lease is not None:
        args += [lease.id, str(lease.lapses_us)]
    found = run(args)
    if found is None:
        return None
    verdict, reason, available, of_currency, wait, wallet, version, cap = [part.decode() for part in found]
    return Decision(
        verdict=verdict,
        reason=reason or None,
        available=Decimal(available),
        currency=of_currency,
        retry_after_seconds=int(wait) if wait else None,
        wallet=wallet or None,
        version=int(version),
        cap=cap or None,
    )


def call_text(call: Call) -> str:
    """What is known of a call, for DECIDE; empty for nothing."""
    said: dict[str, Any] = {"scopes": {scope: value[:LONGEST_VALUE] for scope, value in call.scopes.items()}}
    if call.quantities is not None:
        said["quantities"] = {meter: scaled_text(quantity) for meter, quantity in call.quantities.items()}
    elif call.meters:
        said["meters"] = list(call.meters)
    elif not call.scopes:
        return ""
    return json.dumps(said)
