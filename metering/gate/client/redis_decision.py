"""The gate's rule inside Redis: reads what was published (`wallets/balances/published.py`) and takes the token of the slow
lane in one step. The same rule in Python, with its reasons: `metering/gate/decide.py`. Imports no Django.

Money in Lua: a double is exact to 2^53, money has 30 digits, so an amount is two whole numbers of up to 15 digits each
(in units of 10^3 and 10^-12), added and compared as such.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from metering.gate.decide import MINUTE_US, SECOND_US, Decision
from wallets.balances.published import ACCOUNT_PREFIX
from wallets.money import scaled_text

# ARGV: account key, currency or '', amount with 12 decimals or '', time in microseconds since 1970.
# Returns nil when nothing (or not everything) is published, or a hold has lapsed since, else
# {verdict, reason, available, currency, seconds to wait, wallet, version}, each text or '' when there is none.
DECIDE: Final = f"""
local name, currency, amount, at = '{ACCOUNT_PREFIX}' .. ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local HALF = 1000000000000000

local function money(text)
    local sign, whole, fraction = string.match(text, '^(%-?)(%d+)%.(%d+)$')
    local digits = whole .. fraction
    local high, low = tonumber(string.sub(digits, 1, -16)) or 0, tonumber(string.sub(digits, -15))
    if sign == '-' then return -high, -low end
    return high, low
end

local function covers(high, low)
    local enough_low = 1
    if amount ~= '' then
        local asked_high, asked_low = money(amount)
        high, low, enough_low = high - asked_high, low - asked_low, 0
    end
    while low < 0 do high, low = high - 1, low + HALF end
    while low >= HALF do high, low = high + 1, low - HALF end
    return high > 0 or high == 0 and low >= enough_low
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

local account = redis.call('HMGET', name, 'status', currency == '' and 'main' or 'default:' .. currency)
local status, found = account[1], account[2]
if not status then return false end
if currency == '' then
    currency = found
    found = redis.call('HGET', name, 'default:' .. currency)
end
if not found then
    local reason = status == 'ACTIVE' and 'balance_exhausted' or 'account_suspended'
    return {{'refuse', reason, '0', currency, '', '', '0'}}
end
local wallet = redis.call('HMGET', name, 'wallet:' .. found, 'figures:' .. found)
if not wallet[1] or not wallet[2] then return false end
local state, on_empty, grace, per_minute, public_id = string.match(wallet[1], '^(%S+) (%S+) (%S+) (%S+) (%S+)')
local version, available, lapses = string.match(wallet[2], '^(%S+) %S+ (%S+) %S+ (%d+)')
if lapses ~= '0' and at >= tonumber(lapses) then return false end

local function answer(verdict, reason, wait)
    return {{verdict, reason, available, currency, wait, public_id, version}}
end

if status ~= 'ACTIVE' then return answer('refuse', 'account_suspended', '') end
if state ~= 'ACTIVE' then return answer('refuse', 'wallet_frozen', '') end
local high, low = money(available)
if covers(high, low) then return answer('allow', '', '') end
if on_empty == 'grace' then
    local grace_high, grace_low = money(grace)
    if covers(high + grace_high, low + grace_low) then return answer('allow', '', '') end
end
if on_empty == 'throttle' and tonumber(per_minute) > 0 then
    local wait = take_token(tonumber(per_minute), 'lane:' .. found)
    if wait == 0 then return answer('allow', '', '') end
    return answer('throttle', 'rate_limited', tostring(wait))
end
return answer('refuse', 'balance_exhausted', '')
"""


def decide_in_redis(
    run: Callable[[list[str]], Any], *, account_key: str, currency: str | None, amount: Decimal | None, at_us: int
) -> Decision | None:
    """The decision from what is published; None when the account is not (or not wholly) published,
    or a hold has lapsed since it was.

    run: runs DECIDE with these ARGV.  amount: at most 12 decimals.  at_us: microseconds since 1970.
    """
    asked = "" if amount is None else scaled_text(amount)
    found = run([account_key, currency or "", asked, str(at_us)])
    if found is None:
        return None
    verdict, reason, available, of_currency, wait, wallet, version = [part.decode() for part in found]
    return Decision(
        verdict=verdict,
        reason=reason or None,
        available=Decimal(available),
        currency=of_currency,
        retry_after_seconds=int(wait) if wait else None,
        wallet=wallet or None,
        version=int(version),
    )
