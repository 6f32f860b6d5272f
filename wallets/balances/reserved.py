"""Leases: what callers of the gate were allowed and has not been charged yet, reserved in Redis until the event arrives that
carries the lease's id, or until it lapses. Here is the part of the rule in Lua that both sides run: the decision, which
reserves and lets lapse (`metering/gate`), and the publication, which releases in the same step in which the charge begins to
count (`publish.py`), so that there is no moment at which neither counts. Knows neither Django nor Redis.

    gate:leases:<key>     sorted set: lease -> when it lapses, microseconds since 1970
    gate:reserved:<key>   hash: lease:<lease> -> JSON [[field, amount], …]; <field> -> the sum of the live leases' amounts,
                          a field being wallet:<id> or cap:<id>:<window>:<value>

Both are per account, so the id of another account's lease releases nothing. Lost leases are not made again: their calls
count from when they are charged.

Money in Lua: a double is exact to 2^53, money has 30 digits, so an amount is two whole numbers of up to 15 digits each
(in units of 10^3 and 10^-12), added and compared as such.
"""

from __future__ import annotations

from typing import Final

LEASES_PREFIX: Final = "gate:leases:"
RESERVED_PREFIX: Final = "gate:reserved:"
LONGEST_LEASE_SECONDS: Final = 3_600
# The keys of an account outlive its last lease by as much again, whatever clock the callers go by.
KEPT_SECONDS: Final = 2 * LONGEST_LEASE_SECONDS

LEASES: Final = f"""
local HALF = 1000000000000000

local function money(text)
    local sign, whole, fraction = string.match(text, '^(%-?)(%d+)%.(%d+)$')
    local digits = whole .. fraction
    local high, low = tonumber(string.sub(digits, 1, -16)) or 0, tonumber(string.sub(digits, -15))
    if sign == '-' then return -high, -low end
    return high, low
end

local function carry(high, low)
    while low < 0 do high, low = high - 1, low + HALF end
    while low >= HALF do high, low = high + 1, low - HALF end
    return high, low
end

local function sum_of(hash, field)
    local sum = redis.call('HGET', hash, field)
    if not sum then return 0, 0 end
    local high, low = string.match(sum, '^(%S+) (%S+)$')
    return tonumber(high), tonumber(low)
end

local function add(hash, field, high, low)
    local sum_high, sum_low = sum_of(hash, field)
    high, low = carry(sum_high + high, sum_low + low)
    if high == 0 and low == 0 then
        redis.call('HDEL', hash, field)
    else
        redis.call('HSET', hash, field, string.format('%.0f %.0f', high, low))
    end
end

local function release(key, lease)
    local reserved = '{RESERVED_PREFIX}' .. key
    redis.call('ZREM', '{LEASES_PREFIX}' .. key, lease)
    local parts = redis.call('HGET', reserved, 'lease:' .. lease)
    if not parts then return end
    redis.call('HDEL', reserved, 'lease:' .. lease)
    for _, part in ipairs(cjson.decode(parts)) do
        local high, low = money(part[2])
        add(reserved, part[1], -high, -low)
    end
end
"""
