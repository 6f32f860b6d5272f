"""What the gate reads follows what was committed, whatever order publications arrive in and whatever Redis forgets."""

from __future__ import annotations

import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from billing_site.outbox_readers import READERS
from metering.gate.check import check_account
from tests.factories.balances import AT, set_held, spend, wallet_of
from tests.factories.holds import hold_on, later
from wallets.accounts.policy import AccountPolicy, set_account_policy
from wallets.accounts.suspend import suspend_account
from wallets.balances import publish
from wallets.balances.freeze import freeze_wallet
from wallets.balances.lock import LockedWallet
from wallets.balances.models import Wallet
from wallets.balances.open import close_wallet
from wallets.balances.policy import set_policy
from wallets.balances.publish import (
    Drift,
    publish_from_database,
    publish_reading,
    publish_wallets,
    republish_all,
    take_ticket,
)
from wallets.balances.read_published import read_accounts
from wallets.holds.capture import capture_amount
from wallets.holds.lapse import lapse_holds
from wallets.outbox.deliver import deliver_news
from wallets.redis_client import TIMEOUT_SECONDS, Script, redis_client, redis_failures, try_redis_again

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


def published(key: str) -> dict[str, str]:
    fields: Any = redis_client().hgetall(f"gate:account:{key}")
    return {name.decode(): value.decode() for name, value in fields.items()}


def figures(wallet: Wallet) -> list[str]:
    """Version and available amount as published."""
    version, _, available, _, _ = published(wallet.account.key)[f"figures:{wallet.pk}"].split(" ")
    return [version, available]


def test_a_commit_publishes_what_can_be_spent() -> None:
    acme = wallet_of("acme", credit="10")
    assert figures(acme) == ["1", "10.000000000000"]
    spend(acme, "0.000000000001")
    assert figures(acme) == ["2", "9.999999999999"]
    spend(acme, "20")
    assert published("acme")[f"figures:{acme.pk}"] == "3 0 -10.000000000001 10.000000000001 0"


def test_a_change_of_settings_publishes_them() -> None:
    acme = wallet_of("acme", credit="10")
    set_policy(wallet_id=acme.pk, on_empty="grace", grace_limit=D("2.5"), throttle_per_minute=7, at=AT)
    assert published("acme")[f"wallet:{acme.pk}"] == f"ACTIVE grace 2.500000000000 7 {acme.public_id} USD"
    freeze_wallet(wallet_id=acme.pk, at=AT)
    assert published("acme")[f"wallet:{acme.pk}"].startswith("FROZEN ")
    suspend_account(account=acme.account, at=AT)
    assert published("acme")["status"] == "SUSPENDED"


def test_what_an_account_is_trusted_with_in_an_outage_is_published() -> None:
    acme = wallet_of("acme", credit="10")
    assert (published("acme")["on_outage"], published("acme")["offline_allowance"]) == ("closed", "0.000000000000")
    set_account_policy(account=acme.account, policy=AccountPolicy(on_outage="open", offline_allowance=D("2.5")), at=AT)
    assert (published("acme")["on_outage"], published("acme")["offline_allowance"]) == ("open", "2.500000000000")


def test_a_hold_publishes_what_it_leaves_in_order_with_entries() -> None:
    acme = wallet_of("acme", credit="10")
    hold = hold_on(acme, "4")
    assert figures(acme) == ["2", "6.000000000000"]
    spend(acme, "1")
    assert figures(acme) == ["3", "5.000000000000"]
    capture_amount(hold_public_id=hold.public_id, amount=D(3), at=AT)
    assert figures(acme) == ["5", "6.000000000000"]


def _publish_before_and_after_a_hold(wallet: Wallet) -> list[str]:
    """What is published when the news of an entry arrives after that of a later hold."""
    before = copy(spend(wallet, "1"))
    hold_on(wallet, "4")
    publish_wallets([before])
    return figures(wallet)


def test_an_older_publication_never_overwrites_a_newer_one_without_an_entry() -> None:
    assert _publish_before_and_after_a_hold(wallet_of("acme", credit="10")) == ["3", "5.000000000000"]


def test_control_if_only_entries_counted_the_older_publication_might_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LockedWallet, "sequence", property(lambda locked: locked.version))
    assert _publish_before_and_after_a_hold(wallet_of("acme", credit="10")) == ["2", "9.000000000000"]


def test_figures_are_not_believed_beyond_the_end_of_a_hold() -> None:
    acme = wallet_of("acme", credit="10")
    hold_on(acme, "4", ttl=60)
    assert check_account(account_key="acme", amount=D(7), at=later(59)).verdict == "refuse"
    after = check_account(account_key="acme", amount=D(7), at=later(60))
    assert (after.verdict, after.available) == ("allow", D(10)), "nobody has written down yet that the hold is over"
    assert figures(acme) == ["2", "10.000000000000"]
    lapse_holds(at=later(61))
    assert figures(acme) == ["4", "10.000000000000"]


def test_without_redis_a_hold_that_is_over_counts_as_little(settings: Any) -> None:
    hold_on(wallet_of("acme", credit="10"), "4", ttl=60)
    settings.REDIS_URL = NOBODY_LISTENS
    try_redis_again()
    assert check_account(account_key="acme", amount=D(7), at=later(59)).verdict == "refuse"
    assert check_account(account_key="acme", amount=D(7), at=later(60)).verdict == "allow"
    try_redis_again()


def test_a_closed_wallet_is_no_longer_published() -> None:
    usd, eur = wallet_of("acme"), wallet_of("acme", currency="EUR")
    assert published("acme")["default:EUR"] == str(eur.pk)
    close_wallet(wallet_id=eur.pk, at=AT)
    fields = published("acme")
    assert fields["default:USD"] == str(usd.pk)
    assert not {"default:EUR", f"wallet:{eur.pk}"} & set(fields)


def _publish_newer_then_older(wallet: Wallet) -> list[str]:
    older = copy(spend(wallet, "1"))
    spend(wallet, "1")
    publish_wallets([older])
    return figures(wallet)


def test_an_older_version_never_overwrites_a_newer_one() -> None:
    assert _publish_newer_then_older(wallet_of("acme", credit="10")) == ["3", "8.000000000000"]


def test_control_without_the_comparison_an_older_version_does(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = publish._PUBLISH_FIGURES.text
    unchecked = checked.replace("if not published or", "if true or")
    assert unchecked != checked
    monkeypatch.setattr(publish, "_PUBLISH_FIGURES", Script(unchecked))
    assert _publish_newer_then_older(wallet_of("acme", credit="10")) == ["2", "9.000000000000"]


def test_of_many_publications_at_once_the_newest_stays() -> None:
    acme = wallet_of("acme")
    versions: list[LockedWallet] = [copy(spend(acme, "1")) for _ in range(40)]
    random.Random(6).shuffle(versions)
    redis_client().flushdb()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda locked: publish_wallets([locked]), versions))
    assert figures(acme) == ["40", "-40.000000000000"]


def test_settings_read_before_a_change_never_overwrite_it() -> None:
    acme = wallet_of("acme", credit="10")
    ticket = take_ticket()
    before = read_accounts(account_keys=["acme"])
    suspend_account(account=acme.account, at=AT)
    assert publish_reading(before, ticket=ticket) is not None
    assert published("acme")["status"] == "SUSPENDED"


def test_control_with_a_ticket_taken_after_the_reading_they_would() -> None:
    acme = wallet_of("acme", credit="10")
    before = read_accounts(account_keys=["acme"])
    suspend_account(account=acme.account, at=AT)
    publish_reading(before, ticket=take_ticket())
    assert published("acme")["status"] == "ACTIVE"


def test_a_reading_from_before_a_wipe_is_thrown_away() -> None:
    wallet_of("acme", credit="10")
    ticket = take_ticket()
    before = read_accounts(account_keys=["acme"])
    redis_client().flushdb()
    assert publish_reading(before, ticket=ticket) is None
    take_ticket()
    assert publish_reading(before, ticket=ticket) is None
    assert published("acme") == {}


def test_what_is_held_replaces_figures_of_the_same_version() -> None:
    acme = wallet_of("acme", credit="10")
    set_held(acme, "4")
    early = take_ticket()
    publish_from_database(wallet_ids=[acme.pk])
    assert figures(acme) == ["1", "6.000000000000"]
    set_held(acme, "0")
    publish_reading(read_accounts(wallet_ids=[acme.pk]), ticket=early)
    assert figures(acme) == ["1", "6.000000000000"], "an earlier ticket"
    publish_from_database(account_ids=[acme.account_id])
    assert figures(acme) == ["1", "10.000000000000"]


def test_a_wiped_redis_is_filled_by_the_sweep() -> None:
    wallets = [wallet_of(key, credit="5") for key in ("acme", "globex", "initech")]
    redis_client().flushdb()
    assert republish_all(chunk=2) == Drift(accounts=3, missing=3)
    assert [figures(wallet) for wallet in wallets] == [["1", "5.000000000000"]] * 3
    assert republish_all(chunk=2) == Drift(accounts=3)


def test_the_sweep_finds_and_counts_drift() -> None:
    acme, globex, initech = (wallet_of(key, credit="5") for key in ("acme", "globex", "initech"))
    redis = redis_client()
    redis.hset("gate:account:acme", f"figures:{acme.pk}", "1 0 500.000000000000 0.000000000000")
    redis.hset("gate:account:globex", f"figures:{globex.pk}", "0 0 5.000000000000 0.000000000000")
    redis.hset("gate:account:initech", "status", "SUSPENDED")
    assert republish_all() == Drift(accounts=3, behind=1, different=1, settings=1)
    assert [figures(wallet) for wallet in (acme, globex, initech)] == [["1", "5.000000000000"]] * 3
    assert published("initech")["status"] == "ACTIVE"


def test_while_redis_is_away_commits_go_on_and_the_outbox_publishes_later(settings: Any) -> None:
    acme = wallet_of("acme", credit="10")
    deliver_news(readers=READERS, at=AT)
    redis_url, failures = settings.REDIS_URL, redis_failures()
    settings.REDIS_URL = NOBODY_LISTENS
    spend(acme, "4")
    assert redis_failures() == failures + 1
    spend(acme, "1")
    assert redis_failures() == failures + 1, "not asked again at once"
    acme.refresh_from_db()
    assert acme.available == D(5)

    settings.REDIS_URL = redis_url
    try_redis_again()
    assert figures(acme) == ["1", "10.000000000000"]
    deliver_news(readers=READERS, at=AT)
    assert figures(acme) == ["3", "5.000000000000"]


def test_a_redis_that_hangs_costs_a_commit_no_more_than_its_limit(settings: Any) -> None:
    acme = wallet_of("acme", credit="10")
    failures = redis_failures()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        started_at = time.monotonic()
        spend(acme, "4")
        assert time.monotonic() - started_at < 10 * TIMEOUT_SECONDS, "the limit, and room for a busy machine"
    assert redis_failures() == failures + 1
    acme.refresh_from_db()
    assert acme.available == D(6)


def test_a_restarted_redis_loses_its_old_copy_before_anyone_reads_it() -> None:
    acme = wallet_of("acme", credit="10")
    redis = redis_client()
    redis.set("celery:kept", "1")
    redis.set("gate:run_id", "of the run before")
    redis.connection_pool.disconnect()
    assert published("acme") == {}
    assert redis.get("celery:kept") == b"1"
    publish_from_database(account_keys=["acme"])
    redis.connection_pool.disconnect()
    assert figures(acme) == ["1", "10.000000000000"], "the same run: kept"


def test_hundreds_of_wallets_are_one_round_trip() -> None:
    one = spend(wallet_of("acme"), "1")
    locked = [replace(one, id=number, account_key=f"customer-{number}") for number in range(1, 501)]
    redis = redis_client()
    redis.flushdb()
    redis.config_resetstat()
    publish_wallets(locked)
    assert redis.info("commandstats")["cmdstat_evalsha"]["calls"] == 1
    assert len(redis.keys("gate:account:customer-*")) == 500
