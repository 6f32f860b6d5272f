"""Whatever happens to holds, in whatever order, they stand where a naive model stands, and what is charged is never more than
credit and grace."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from tests.factories.balances import AT, wallet_of
from tests.factories.holds import hold_on, later
from tests.factories.proofs import assert_everything_is_proved
from wallets.balances.held import without_lapsed
from wallets.balances.models import Wallet
from wallets.balances.policy import set_policy
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.credit.void import CreditHeld, LotFinished, void_lot
from wallets.errors import Refusal
from wallets.holds.capture import capture_amount
from wallets.holds.find import as_read
from wallets.holds.lapse import lapse_holds
from wallets.holds.models import Hold
from wallets.holds.place import extend_hold, release_hold
from wallets.holds.refusals import CaptureAboveHold, HoldEnded, HoldLapsed, HoldRefused

COIN = Decimal("0.370000000001")
POLICIES = ("excess", "refuse", "cap")
some_coins = st.integers(0, 9)
some_seconds = st.integers(1, 6)


@dataclass
class NaiveHold:
    """A hold as a child would keep it."""

    coins: int
    ends: int
    state: str = "OPEN"
    captured: int = 0
    captured_as: int = -1


@dataclass
class NaiveWallet:
    """Coins, promises, and a clock. Credit without an end only; what ends is `ending`, all at one time."""

    grace: int = 0
    balance: int = 0
    holds: list[NaiveHold] = field(default_factory=list)

    def lapse(self, now: int) -> None:
        for hold in self.holds:
            if hold.state == "OPEN" and hold.ends <= now:
                hold.state = "LAPSED"

    @property
    def held(self) -> int:
        return sum(hold.coins for hold in self.holds if hold.state == "OPEN")

    @property
    def room(self) -> int:
        return self.balance + self.grace - self.held


class HoldsAgainstTheNaiveModel(RuleBasedStateMachine):
    @initialize(grace=st.sampled_from([0, 0, 4]), coins=some_coins)
    def open_wallet(self, grace: int, coins: int) -> None:
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        self.second = 0
        self.wallet = wallet_of("acme")
        self.naive = NaiveWallet(grace)
        self.real: list[Hold] = []
        if grace:
            set_policy(wallet_id=self.wallet.pk, on_empty="grace", grace_limit=grace * COIN, at=AT)
        self.granted = 0
        self.grant(coins=coins + 1)  # type: ignore[call-arg]  # a rule can be called as what it decorates

    def teardown(self) -> None:
        if hasattr(self, "rollback"):
            try:
                assert_everything_is_proved()
            finally:
                transaction.set_rollback(True)
                self.rollback.__exit__(None, None, None)

    @rule(coins=st.integers(1, 9))
    def grant(self, coins: int) -> None:
        grant_credit(wallet_id=self.wallet.pk, amount=coins * COIN, kind="paid", at=later(self.second))
        self.naive.balance += coins
        self.granted += coins

    @rule(coins=some_coins, seconds=some_seconds)
    def place(self, coins: int, seconds: int) -> None:
        self.naive.lapse(self.second)
        try:
            hold = hold_on(self.wallet, str(coins * COIN), ttl=seconds, at=later(self.second))
        except HoldRefused:
            assert coins > self.naive.room
        else:
            assert coins <= self.naive.room
            self.real.append(hold)
            self.naive.holds.append(NaiveHold(coins, self.second + seconds))

    @precondition(lambda self: self.real)
    @rule(data=st.data(), above=st.sampled_from([None, None, *POLICIES]))
    def capture(self, data: st.DataObject, above: str | None) -> None:
        number = data.draw(st.integers(0, len(self.real) - 1), label="hold")
        real, naive = self.real[number], self.naive.holds[number]
        self.naive.lapse(self.second)
        most = max(self.naive.room, 0) + (naive.coins if naive.state == "OPEN" else 0)
        around = st.sampled_from([naive.coins, naive.coins + 1, most, most + 1])  # where the rules change
        coins = data.draw(around | some_coins, label="coins")
        expected = self._expected(naive, coins, above or "excess")
        try:
            done = capture_amount(hold_public_id=real.public_id, amount=coins * COIN, at=later(self.second), above=above)
        except Refusal as refused:
            met: type[Refusal] | None = type(refused)
            done = None
        else:
            met = None
        assert met is expected
        if done is None:
            return
        if done.is_replay:
            assert (naive.state, naive.captured_as) == ("CAPTURED", coins)
            return
        own = naive.coins if naive.state == "OPEN" else 0
        charged = min(coins, own) if above == "cap" and naive.state == "OPEN" else coins
        assert (done.charged, done.forgiven) == (charged * COIN, (coins - charged) * COIN)
        self.naive.balance -= charged
        naive.state, naive.captured, naive.captured_as = "CAPTURED", charged, coins

    def _expected(self, naive: NaiveHold, coins: int, above: str) -> type[Refusal] | None:
        """The refusal that a capture must meet."""
        if naive.state == "CAPTURED":
            return None if naive.captured_as == coins else HoldEnded
        if naive.state == "RELEASED":
            return HoldEnded
        if naive.state == "LAPSED":
            return HoldLapsed if coins > max(self.naive.room, 0) and coins else None
        if coins <= naive.coins or above == "cap":
            return None
        if above == "refuse":
            return CaptureAboveHold
        return HoldRefused if coins > self.naive.room + naive.coins else None

    @precondition(lambda self: self.real)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.real) - 1), label="hold")
        naive = self.naive.holds[number]
        self.naive.lapse(self.second)
        if naive.state == "CAPTURED":
            with pytest.raises(HoldEnded):
                release_hold(hold_public_id=self.real[number].public_id, at=later(self.second))
            return
        release_hold(hold_public_id=self.real[number].public_id, at=later(self.second))
        if naive.state == "OPEN":
            naive.state = "RELEASED"

    @precondition(lambda self: self.real)
    @rule(data=st.data(), seconds=some_seconds)
    def extend(self, data: st.DataObject, seconds: int) -> None:
        number = data.draw(st.integers(0, len(self.real) - 1), label="hold")
        naive = self.naive.holds[number]
        self.naive.lapse(self.second)
        refusal = {"OPEN": None, "LAPSED": HoldLapsed}.get(naive.state, HoldEnded)
        try:
            extend_hold(hold_public_id=self.real[number].public_id, ttl_seconds=seconds, at=later(self.second))
        except Refusal as refused:
            met: type[Refusal] | None = type(refused)
        else:
            met = None
        assert met is refusal
        if met is None:
            naive.ends = max(naive.ends, self.second + seconds)

    @rule(seconds=some_seconds)
    def time_passes(self, seconds: int) -> None:
        self.second += seconds

    @rule()
    def sweep(self) -> None:
        lapse_holds(at=later(self.second))
        self.naive.lapse(self.second)
        assert Wallet.objects.get(pk=self.wallet.pk).held == self.naive.held * COIN

    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        """A lot goes exactly when holds can do without it."""
        self.naive.lapse(self.second)
        lots = list(CreditLot.objects.filter(wallet=self.wallet, state="OPEN").order_by("pk"))
        if not lots:
            return
        lot = data.draw(st.sampled_from(lots), label="lot")
        coins = int(lot.remaining / COIN)
        try:
            void_lot(lot_public_id=lot.public_id, at=later(self.second), reason="")
        except CreditHeld:
            assert coins > self.naive.room
        except LotFinished:
            pytest.fail("it was open")
        else:
            assert coins <= self.naive.room or not self.naive.held
            self.naive.balance -= coins

    @invariant()
    def both_stand_at_the_same_place(self) -> None:
        if not hasattr(self, "naive"):
            return
        now = Wallet.objects.get(pk=self.wallet.pk)
        without_lapsed([now], at=later(self.second))
        self.naive.lapse(self.second)
        assert (now.balance, now.held) == (self.naive.balance * COIN, self.naive.held * COIN)
        read = as_read(Hold.objects.filter(wallet=self.wallet).order_by("pk"), at=later(self.second))
        assert [(hold.state, hold.captured) for hold in read] == [
            (naive.state, naive.captured * COIN) for naive in self.naive.holds
        ]

    @invariant()
    def nothing_is_charged_beyond_credit_and_grace(self) -> None:
        if hasattr(self, "naive"):
            now = Wallet.objects.get(pk=self.wallet.pk)
            assert now.overdraft <= self.naive.grace * COIN
            assert now.balance + self.naive.grace * COIN >= now.held or now.next_lapse_at is None


@pytest.mark.slow
@pytest.mark.django_db
def test_holds_stand_where_the_naive_model_stands() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        HoldsAgainstTheNaiveModel,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
