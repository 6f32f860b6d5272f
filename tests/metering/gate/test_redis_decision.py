"""The rule inside Redis is the rule in Python."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from metering.gate.client.redis_decision import DECIDE, Lease, decide_in_redis
from metering.gate.decide import SCOPES, UNKNOWN_CALL, Call, Decision, decide, take_lease
from wallets.balances.publish import Spent, publish_reading, publish_wallets, take_ticket
from wallets.balances.published import PublishedAccount, PublishedCap, PublishedWallet
from wallets.redis_client import Script, redis_client

pytestmark = pytest.mark.usefixtures("redis_server")

NAMES = ["u_1", "ünï:code \n", "0"]
METERS = ["calls", "tokens"]
CURRENCIES = ("USD", "EUR", "CREDITS")
NOW_US = 1_795_000_000_000_000
script = Script(DECIDE)


# Amounts that differ in the last of 30 digits, around zero, and where a double would stop counting (2^53).
edges = st.sampled_from([0, 1, 10**12, 10**15, 2**53, 10**16 + 1, 10**18 - 1, 10**30 - 1])
units = st.one_of(st.builds(lambda a, b: a + b, edges, st.integers(-2, 2)), st.integers(0, 10**30 - 1)).map(
    lambda n: min(max(n, 0), 10**30 - 1)
)
amounts = units.map(lambda n: D(n).scaleb(-12))
balances = st.builds(lambda amount, sign: amount * sign, amounts, st.sampled_from([1, -1]))


@st.composite
def accounts(draw: st.DrawFn) -> PublishedAccount:
    wallets = []
    for number, currency in enumerate(draw(st.lists(st.sampled_from(CURRENCIES), unique=True)), start=1):
        wallets.append(
            PublishedWallet(
                id=number,
                public_id=f"wal_{number}",
                currency=currency,
                status=draw(st.sampled_from(["ACTIVE", "ACTIVE", "ACTIVE", "SLOWED", "FROZEN"])),
                is_default=draw(st.sampled_from([True, True, False])),
                available=draw(balances),
                overdraft=D(0),
                on_empty=draw(st.sampled_from(["block", "grace", "throttle"])),
                grace_limit=draw(amounts),
                throttle_per_minute=draw(st.sampled_from([0, 1, 2, 7, 10, 61, 2**31 - 1])),
                version=draw(st.integers(0, 2**53)),
                unit_meters=tuple(sorted(draw(st.sets(st.sampled_from(METERS))))),
            )
        )
    status = draw(st.sampled_from(["ACTIVE", "ACTIVE", "SUSPENDED"]))
    return PublishedAccount(
        1, "acme", status, draw(st.sampled_from(CURRENCIES)), tuple(wallets), caps=tuple(draw(st.lists(caps(), max_size=4)))
    )


numbers = iter(range(1, 1_000_000))


@st.composite
def caps(draw: st.DrawFn) -> PublishedCap:
    scope = draw(st.sampled_from(SCOPES))
    of_meter = draw(st.booleans())
    values = [""] if scope == "account" else NAMES
    used = {value: (draw(st.integers(0, 2**53)), draw(balances)) for value in draw(st.sets(st.sampled_from(values)))}
    return PublishedCap(
        id=(number := next(numbers)),
        public_id=f"cap_{number}",
        scope=scope,
        value="" if scope == "account" else draw(st.sampled_from(["", *NAMES])),
        unit=draw(st.sampled_from(METERS if of_meter else CURRENCIES)),
        of_meter=of_meter,
        limit=draw(amounts),
        starts_us=0,
        ends_us=0,
        used=used,
    )


names = st.sampled_from(["", *NAMES])
calls = st.builds(
    Call,
    st.dictionaries(st.sampled_from(SCOPES[1:]), names),
    st.one_of(st.none(), st.dictionaries(st.sampled_from(METERS), amounts)),
    st.lists(st.sampled_from(METERS), unique=True).map(tuple),
)


def in_redis(
    account: PublishedAccount,
    currency: str | None,
    amount: D | None,
    at_us: int,
    call: Call = UNKNOWN_CALL,
    lease: Lease | None = None,
) -> Decision | None:
    def run(args: list[str]) -> Any:
        return script.run(redis_client(), args=args)

    return decide_in_redis(run, account_key=account.key, currency=currency, amount=amount, at_us=at_us, call=call, lease=lease)


def near(account: PublishedAccount, data: st.DataObject) -> D | None:
    """An amount to ask for: none, any, or one that just is or just is not covered."""
    wallet = data.draw(st.sampled_from(account.wallets)) if account.wallets else None
    around = [D(0)] if wallet is None else [wallet.available, wallet.available + wallet.grace_limit]
    just = st.builds(
        lambda a, n: min(max(a + D(n).scaleb(-12), D(0)), D(10**30 - 1).scaleb(-12)),
        st.sampled_from(around),
        st.integers(-1, 1),
    )
    return data.draw(st.one_of(st.none(), just, amounts))


@effort(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(account=accounts(), data=st.data())
def test_redis_decides_as_python_does(account: PublishedAccount, data: st.DataObject) -> None:
    redis_client().flushdb()
    publish_reading([account], ticket=take_ticket())
    lanes: dict[str | None, int] = {}
    live: dict[str, tuple[int, dict[str, D]]] = {}
    at_us = NOW_US
    for turn in range(data.draw(st.integers(1, 6))):
        at_us += data.draw(st.sampled_from([0, 1, 999_999, 6_000_000, 60_000_000, -30_000_000]))
        currency = data.draw(st.sampled_from([None, *CURRENCIES]))
        amount = near(account, data)
        call = data.draw(calls)
        lane = currency or account.main_currency
        lease = Lease(f"auth_{turn}", at_us + data.draw(st.sampled_from([1, 60_000_000]))) if data.draw(st.booleans()) else None
        for ended in data.draw(st.sets(st.sampled_from(sorted(live)))) if live else ():
            publish_wallets([], leases=[(account.key, ended)])
            del live[ended]
        live = {name: one for name, one in live.items() if one[0] > at_us or not reads_leases(account, currency)}
        reserved: dict[str, D] = {}
        for field, taken in (part for _, parts in live.values() for part in parts.items()):
            reserved[field] = reserved.get(field, D(0)) + taken
        expected, lanes[lane] = decide(
            account,
            currency=currency,
            amount=amount,
            at_us=at_us,
            lane_us=lanes.get(lane, 0),
            call=call,
            reserved=reserved,
        )
        assert in_redis(account, currency, amount, at_us, call, lease) == expected
        if lease is not None and amount is not None and expected.verdict == "allow":
            live[lease.id] = (lease.lapses_us, take_lease(account, expected, amount=amount, call=call))


def reads_leases(account: PublishedAccount, currency: str | None) -> bool:
    """Whether a question gets as far as to what is reserved."""
    return account.charged_wallet(currency) is not None


def test_a_window_that_is_over_and_one_that_is_not_wholly_published_decide_nothing() -> None:
    wallet = PublishedWallet(1, "wal_1", "USD", "ACTIVE", True, D(5), D(0), "block", D(0), 10, 1)
    cap = PublishedCap(7, "cap_7", "account", "", "USD", False, D(1), NOW_US, NOW_US + 10)
    publish_reading([PublishedAccount(1, "acme", "ACTIVE", "USD", (wallet,), caps=(cap,))], ticket=take_ticket())
    account = PublishedAccount(1, "acme", "ACTIVE", "USD", ())
    found = [in_redis(account, None, D(1), at_us) for at_us in (NOW_US - 1, NOW_US, NOW_US + 9, NOW_US + 10)]
    assert [one and one.verdict for one in found] == [None, "allow", "allow", None]
    redis_client().delete("gate:spent:acme")
    assert in_redis(account, None, D(1), NOW_US) is None


def test_an_older_count_never_overwrites_a_newer_one() -> None:
    for version, used in ((2, "3"), (1, "2"), (3, "4"), (2, "3")):
        publish_wallets([], spent=[Spent("acme", "7:0:u_1", version, D(used))])
    assert redis_client().hget("gate:spent:acme", "7:0:u_1") == b"3 4.000000000000"


def test_money_is_compared_to_the_last_of_thirty_digits() -> None:
    wallet = PublishedWallet(
        1, "wal_1", "USD", "ACTIVE", True, D("999999999999999999.999999999998"), D(0), "block", D(0), 10, 1
    )
    account = PublishedAccount(1, "acme", "ACTIVE", "USD", (wallet,))
    publish_reading([account], ticket=take_ticket())
    verdicts = [
        in_redis(account, None, D(amount), NOW_US).verdict  # type: ignore[union-attr]
        for amount in ("999999999999999999.999999999998", "999999999999999999.999999999999")
    ]
    assert verdicts == ["allow", "refuse"]


def test_nothing_is_decided_from_half_a_publication() -> None:
    wallet = PublishedWallet(1, "wal_1", "USD", "ACTIVE", True, D(5), D(0), "block", D(0), 10, 1)
    account = PublishedAccount(1, "acme", "ACTIVE", "USD", (wallet,))
    assert in_redis(account, None, None, NOW_US) is None
    publish_reading([replace(account, wallets=(wallet,))], ticket=take_ticket())
    redis_client().hdel("gate:account:acme", "figures:1")
    assert in_redis(account, None, None, NOW_US) is None
