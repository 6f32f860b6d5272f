"""Whatever happens to wallets, in whatever order, they stand where the naive ledger stands, and the books prove."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from tests.factories.balances import AT, wallet_of
from tests.factories.journal import assert_books_hold
from tests.wallets.naive_ledger import FOREVER, NaiveCharge, NaiveLot, NaiveWallet
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.credit.activate import activate_lots
from wallets.credit.debit import WalletDebit, debit_wallets
from wallets.credit.expire import expire_lots
from wallets.credit.give_back import Part, give_back
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.credit.transfer import NotEnoughCredit, transfer_credit
from wallets.credit.void import LotFinished, void_lot

COIN = Decimal("0.370000000001")
WALLETS = 2
METERS = ("calls", "tokens")

some_wallet = st.integers(0, WALLETS - 1)
some_coins = st.integers(1, 12)
Terms = tuple[int, str, int, int, int | None, list[str]]
some_terms = st.tuples(
    some_coins,
    st.sampled_from(["paid", "trial"]),
    st.sampled_from([50, 50, 50, 10]),
    st.sampled_from([0, 0, 0, -3, 1]),
    st.sampled_from([None, None, None, 1, 3]),
    st.sampled_from([[], [], [], ["calls"], ["tokens"]]),
)
some_usages = st.lists(st.tuples(st.sampled_from(METERS), some_coins, st.sampled_from([0, 0, 1, 3])), min_size=1, max_size=4)


def moment(hour: int) -> datetime:
    return AT + timedelta(hours=hour)


@dataclass
class Charged:
    """A charge as both know it."""

    wallet: int
    part: Part
    naive: NaiveCharge


class WalletsAgainstTheNaiveLedger(RuleBasedStateMachine):
    @initialize()
    def open_wallets(self) -> None:
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        self.hour = 0
        first = wallet_of("acme")
        others = [open_wallet(account=first.account, currency="USD", at=AT) for _ in range(WALLETS - 1)]
        self.real = [first, *others]
        self.naive = [NaiveWallet() for _ in self.real]
        self.charged: list[Charged] = []

    def teardown(self) -> None:
        if hasattr(self, "rollback"):
            try:
                assert_books_hold()
            finally:
                transaction.set_rollback(True)
                self.rollback.__exit__(None, None, None)

    @rule(wallet=some_wallet, terms=some_terms)
    def grant(self, wallet: int, terms: Terms) -> None:
        coins, kind, priority, starts_in, lasts, meters = terms
        start = self.hour + starts_in
        end = FOREVER if lasts is None else max(start, self.hour) + lasts
        grant_credit(
            wallet_id=self.real[wallet].pk,
            amount=coins * COIN,
            kind=kind,
            at=moment(self.hour),
            priority=priority,
            effective_at=moment(start),
            expires_at=None if end == FOREVER else moment(end),
            meters=meters,
        )
        self.naive[wallet].grant(NaiveLot(kind, priority, start, end, frozenset(meters), coins), self.hour)

    @rule(grants=st.lists(st.tuples(some_wallet, some_terms), min_size=1, max_size=3), wallet=some_wallet, usages=some_usages)
    def grant_and_use(self, grants: list[tuple[int, Terms]], wallet: int, usages: list[tuple[str, int, int]]) -> None:
        for to, terms in grants:
            self.grant(wallet=to, terms=terms)  # type: ignore[call-arg]  # a rule can be called as what it decorates
        self.use(wallet=wallet, usages=usages)  # type: ignore[call-arg]  # as above

    @rule(wallet=some_wallet, usages=some_usages)
    def use(self, wallet: int, usages: list[tuple[str, int, int]]) -> None:
        charges = [(meter, coins * COIN, moment(self.hour - ago)) for meter, coins, ago in usages]
        with transaction.atomic():
            locked = lock_wallet(self.real[wallet].pk)
            entry_id = debit_wallets([WalletDebit(locked, charges)], at=moment(self.hour))[locked.id]
        self.naive[wallet].activate(self.hour)
        reached = dict.fromkeys(METERS, 0)
        for meter, coins, ago in usages:
            naive = self.naive[wallet].charge(meter, coins, self.hour - ago)
            part = Part(entry_id, meter, reached[meter] * COIN, coins * COIN)
            self.charged.append(Charged(wallet, part, naive))
            reached[meter] += coins

    @precondition(lambda self: self.charged)
    @rule(times=st.integers(1, 3), data=st.data())
    def take_usage_back(self, times: int, data: st.DataObject) -> None:
        for _ in range(min(times, len(self.charged))):
            self._take_back(self.charged.pop(data.draw(st.integers(0, len(self.charged) - 1), label="which charge")))

    def _take_back(self, charge: Charged) -> None:
        with transaction.atomic():
            locked = lock_wallet(self.real[charge.wallet].pk)
            give_back(wallet=locked, parts=[charge.part], at=moment(self.hour), reference="event")
        self.naive[charge.wallet].give_back(charge.naive, self.hour)

    @precondition(lambda self: any(wallet.lots for wallet in self.naive))
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        wallet = data.draw(st.sampled_from([n for n, naive in enumerate(self.naive) if naive.lots]), label="wallet")
        number = data.draw(st.integers(0, len(self.naive[wallet].lots) - 1), label="lot")
        naive, real = self.naive[wallet].lots[number], self._lots(wallet)[number]
        if naive.state in {"OPEN", "SCHEDULED"}:
            void_lot(lot_public_id=real.public_id, at=moment(self.hour), reason="")
            self.naive[wallet].void(naive)
        else:
            with pytest.raises(LotFinished):
                void_lot(lot_public_id=real.public_id, at=moment(self.hour), reason="")

    @rule(source=some_wallet, step=st.integers(1, WALLETS - 1), coins=some_coins)
    def transfer(self, source: int, step: int, coins: int) -> None:
        target = (source + step) % WALLETS
        with_lots_due = deepcopy(self.naive[source])
        with_lots_due.activate(self.hour)
        enough = coins <= with_lots_due.can_give(self.hour)
        try:
            transfer_credit(
                from_wallet_id=self.real[source].pk,
                to_wallet_id=self.real[target].pk,
                amount=coins * COIN,
                at=moment(self.hour),
            )
        except NotEnoughCredit:
            assert not enough
        else:
            assert enough
            self.naive[source].activate(self.hour)
            self.naive[target].activate(self.hour)
            self.naive[source].transfer(self.naive[target], coins, self.hour)

    @rule(hours=st.integers(1, 3))
    def time_passes(self, hours: int) -> None:
        self.hour += hours

    @rule()
    def let_lots_in(self) -> None:
        assert activate_lots(at=moment(self.hour)) == sum(naive.activate(self.hour) for naive in self.naive)

    @rule()
    def sweep(self) -> None:
        for naive in self.naive:
            naive.activate(self.hour)
        assert expire_lots(at=moment(self.hour)) == sum(naive.expire(self.hour) for naive in self.naive)

    @invariant()
    def both_stand_at_the_same_place(self) -> None:
        for number, naive in enumerate(self.naive if hasattr(self, "naive") else []):
            real = Wallet.objects.get(pk=self.real[number].pk)
            assert (real.balance, real.overdraft) == (naive.balance * COIN, naive.owed * COIN)
            assert [(lot.state, lot.remaining) for lot in self._lots(number)] == [
                (lot.state, lot.left * COIN) for lot in naive.lots
            ]

    def _lots(self, wallet: int) -> list[CreditLot]:
        return list(CreditLot.objects.filter(wallet=self.real[wallet]).order_by("pk"))


@pytest.mark.slow
@pytest.mark.django_db
def test_wallets_stand_where_the_naive_ledger_stands() -> None:
    run_state_machine_as_test(
        WalletsAgainstTheNaiveLedger,
        settings=settings(max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]),
    )
