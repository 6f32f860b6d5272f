"""Holds under threads: captures of one hold take effect once, holds never promise more than there is, and nothing waits in a
circle. Each race is run once more without its lock: there it must go wrong, or it proves nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection

from metering.gate.holds import capture_by_event
from metering.ingest.batch import ingest_batch
from metering.ingest.decode import UsageInput, usage_input
from metering.usage.models import Charge, UsageEvent
from tests.factories.balances import AT, spend, wallet_of
from tests.factories.holds import figures, hold_on, later
from tests.factories.journal import assert_books_hold
from tests.factories.prices import llm_prices
from tests.threads import at_once
from wallets.balances import lock
from wallets.balances.lock import COLUMNS, LockedWallet
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.holds import find, place
from wallets.holds.capture import Captured, capture_amount
from wallets.holds.lapse import lapse_holds
from wallets.holds.models import Hold
from wallets.holds.place import release_hold
from wallets.holds.refusals import HoldEnded, HoldRefused

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

THREADS = 12


def work(name: str, tokens: int = 100) -> UsageInput:
    """An event that costs a cent for each ten tokens."""
    return usage_input(
        event_id=name, event_type="llm.request", account="acme", time=AT,
        properties={"model": "gpt-5", "output_tokens": tokens},
    )  # fmt: skip


def kinds(answers: list[Any]) -> list[str]:
    return sorted(type(answer).__name__ for answer in answers)


def race_to_hold(wallet: Wallet) -> list[Any]:
    """Everybody wants half of what there is."""
    return at_once([lambda: hold_on(wallet, "2.5")] * THREADS)


def test_holds_at_once_never_promise_more_than_there_is(books_hold: None) -> None:
    acme = wallet_of("acme", credit="5")
    assert kinds(race_to_hold(acme)) == ["Hold"] * 2 + ["HoldRefused"] * (THREADS - 2)
    assert figures(acme) == ("5", "5", "0")


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wallets are read as the lock reads them, all together, with nobody kept out."""
    together = threading.Barrier(THREADS)

    def read(wallet_ids: Any, *, bucket: int) -> dict[int, LockedWallet]:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {COLUMNS} FROM wallets_wallet w JOIN wallets_account a ON a.id = w.account_id WHERE w.id = ANY(%s)",
                [list(wallet_ids)],
            )
            rows = cursor.fetchall()
        together.wait(30)
        return {row[0]: lock._wallet(row) for row in rows}

    monkeypatch.setattr(find, "lock_wallets", read)
    monkeypatch.setattr(place, "lock_wallet", lambda pk: read([pk], bucket=0)[pk])


def test_control_without_the_lock_the_same_holds_promise_too_much(unlocked: None) -> None:
    acme = wallet_of("acme", credit="5")
    race_to_hold(acme)
    assert sum(Hold.objects.values_list("amount", flat=True)) > D(5)


def race_to_capture(hold: Hold, capture: Callable[[int], Any]) -> list[Any]:
    return at_once([lambda number=number: capture(number) for number in range(THREADS)])


def test_the_same_capture_at_once_takes_effect_once(books_hold: None) -> None:
    acme = wallet_of("acme", credit="5")
    hold = hold_on(acme, "2")
    answers = race_to_capture(hold, lambda _: capture_amount(hold_public_id=hold.public_id, amount=D(1), at=later(1)))
    assert kinds(answers) == ["Captured"] * THREADS
    assert sorted(answer.is_replay for answer in answers) == [False] + [True] * (THREADS - 1)
    assert figures(acme) == ("4", "0", "4")


def test_control_without_the_lock_it_takes_effect_more_than_once(unlocked: None) -> None:
    acme = wallet_of("acme", credit="100")
    hold = Hold.objects.create(
        bucket=acme.bucket, wallet=acme, amount=D(0), ttl_seconds=300, placed_at=AT, expires_at=later(300)
    )
    answers = race_to_capture(hold, lambda _: capture_amount(hold_public_id=hold.public_id, amount=D(1), at=later(1)))
    done = [one for one in answers if isinstance(one, Captured) and not one.is_replay]
    assert len(done) != 1 or any(isinstance(one, Exception) for one in answers)


def test_other_captures_at_once_one_is_charged_the_others_are_refused_and_leave_nothing(books_hold: None) -> None:
    llm_prices(input_tokens="0", output_tokens="0.001")
    acme = wallet_of("acme", credit="5")
    hold = hold_on(acme, "2")

    def capture(number: int) -> Any:
        return capture_by_event(hold=hold, event=work(f"e{number}", 100 + number), at=later(1))

    answers = race_to_capture(hold, capture)
    assert kinds(answers) == ["EventCaptured"] + ["HoldEnded"] * (THREADS - 1)
    (won,) = [one for one in answers if not isinstance(one, Exception)]
    assert f"event:{UsageEvent.objects.get().event_id}" == won.captured.hold.captured_by
    assert sum(Charge.objects.values_list("amount", flat=True)) == won.captured.charged
    assert figures(acme)[1] == "0"


def test_capture_release_and_lapse_at_once_end_a_hold_one_way(books_hold: None) -> None:
    acme = wallet_of("acme", credit="40")
    holds = [hold_on(acme, "2", ttl=10) for _ in range(8)]

    def end(number: int) -> Callable[[], Any]:
        hold = holds[number // 3].public_id
        ways: list[Callable[[], Any]] = [
            lambda: capture_amount(hold_public_id=hold, amount=D(2), at=later(9)),
            lambda: release_hold(hold_public_id=hold, at=later(9)),
            lambda: lapse_holds(at=later(10)),
        ]
        return ways[number % 3]

    answers = at_once([end(number) for number in range(3 * len(holds))])
    assert {type(answer) for answer in answers} <= {Captured, Hold, int, HoldEnded, HoldRefused}
    charged = sum(answer.charged for answer in answers if isinstance(answer, Captured))
    assert figures(acme) == (f"{40 - charged:.0f}", "0", f"{40 - charged:.0f}")


def test_a_balance_that_changes_meanwhile_fails_nobody() -> None:
    """Figures are read under the lock they are written under: nothing is computed from an older version and lost."""
    acme = wallet_of("acme", credit="100")
    old = [hold_on(acme, "1") for _ in range(6)]
    done = at_once(
        [
            *[lambda: hold_on(acme, "2", at=later(1))] * 6,
            *[lambda: spend(acme, "3")] * 6,
            *[lambda: grant_credit(wallet_id=acme.pk, amount=D(5), kind="trial", at=AT)] * 6,
            *[lambda hold=hold: capture_amount(hold_public_id=hold.public_id, amount=D("0.5"), at=later(1)) for hold in old],
        ]
    )
    assert not [answer for answer in done if isinstance(answer, Exception)]
    assert figures(acme) == ("109", "12", "97")
    assert_books_hold()


def test_the_same_event_sent_and_captured_at_once_is_charged_once_and_nobody_waits_in_a_circle(books_hold: None) -> None:
    llm_prices(input_tokens="0", output_tokens="0.001")
    acme = wallet_of("acme", credit="50")
    events = [work(f"e{number}") for number in range(4)]
    holds = [hold_on(acme, "1") for _ in events]
    captures = [
        lambda hold=hold, event=event: capture_by_event(hold=hold, event=event, at=later(1))
        for hold, event in zip(holds, events, strict=True)
    ]
    batches = [lambda order=order: ingest_batch(events=order, at=later(1)) for order in (events, events[::-1])]
    answers = at_once([*captures, *batches, *captures])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert sorted(UsageEvent.objects.values_list("event_id", flat=True)) == ["e0", "e1", "e2", "e3"]
    assert sum(Charge.objects.values_list("amount", flat=True)) == D("0.4")
    assert figures(acme) == ("49.6", "0", "49.6")
