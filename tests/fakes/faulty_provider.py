"""A payment provider in memory that behaves as Stripe's documentation says, and fails on cue: before it has acted, after it
has acted, for as long as it is told. It counts what it really charged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from threading import RLock
from typing import Any, Literal

from tests.fakes.faulty_refunds import FaultyRefunds
from wallets.payments.providers.contract import (
    MoneyMoved,
    Outcome,
    ProviderCard,
    ProviderNews,
    ProviderPayment,
    ProviderUnavailable,
    SetUp,
    SignatureWrong,
)

When = Literal["before", "after"]


@dataclass
class FaultyProvider(FaultyRefunds):
    """name: as Stripe's, so that what is tested is told apart by nobody."""

    name: str = "stripe"
    cards: dict[str, ProviderCard] = field(default_factory=dict)
    lines: list[MoneyMoved] = field(default_factory=list)
    declines: dict[str, str] = field(default_factory=dict)
    """card -> decline code"""
    asks: set[str] = field(default_factory=set)
    """cards whose holder has to confirm"""
    calls: list[str] = field(default_factory=list)
    faults: list[tuple[str, When]] = field(default_factory=list)
    """(call, when): the next such call fails"""
    down: bool = False
    next_set_up_saves: str = ""
    """the card that is saved next, instead of the customer's first"""
    _answers: dict[str, Any] = field(default_factory=dict)
    _one_at_a_time: RLock = field(default_factory=RLock)

    @property
    def charged(self) -> list[Decimal]:
        """What was really taken, payment by payment."""
        return [line.amount for line in self.lines]

    def create_customer(self, *, key: str, account: str, name: str, email: str) -> str:
        return str(self._once("create_customer", key, lambda: f"cus_{account}"))

    def begin_set_up(self, *, customer_id: str) -> SetUp:
        return SetUp(id=f"seti_{customer_id}", succeeded=False, customer_id=customer_id, client_secret="secret")

    def set_up(self, set_up_id: str) -> SetUp:
        """`seti_<customer>` saved the card `pm_<customer>`."""
        customer = set_up_id.removeprefix("seti_")
        method, self.next_set_up_saves = self.next_set_up_saves or f"pm_{customer}", ""
        return SetUp(id=set_up_id, succeeded=True, customer_id=customer, method_id=method)

    def keep_card(self, method_id: str, *, customer_id: str) -> ProviderCard:
        return self.cards.setdefault(
            method_id, ProviderCard(method_id, "visa", "4242", 12, 2030, f"fp_{method_id}", customer_id)
        )

    def forget_card(self, method_id: str) -> None:
        self._once("forget_card", "", lambda: self.cards.pop(method_id, None))

    def create_payment(
        self, *, key: str, amount: Decimal, currency: str, customer_id: str, method_id: str, reference: str
    ) -> ProviderPayment:
        def make() -> ProviderPayment:
            new = ProviderPayment(
                f"pi_{len(self.payments) + 1}", Outcome.WAITING, amount, currency, reference, "secret", method_id
            )
            self.payments[new.id] = new
            return new

        made: ProviderPayment = self._once("create_payment", key, make)
        return made

    def confirm_payment(self, payment_id: str, *, key: str, off_session: bool) -> ProviderPayment:
        def confirm() -> ProviderPayment:
            payment = self.payments[payment_id]
            if payment.outcome is Outcome.WAITING:
                if payment.method_id in self.declines:
                    code = self.declines[payment.method_id]
                    payment = replace(payment, outcome=Outcome.DECLINED, failure_code=code)
                elif payment.method_id in self.asks:
                    payment = replace(payment, outcome=Outcome.NEEDS_ACTION)
                else:
                    return self.take(payment_id)
                self.payments[payment_id] = payment
            return payment

        confirmed: ProviderPayment = self._once("confirm_payment", key, confirm)
        return confirmed

    def take(self, payment_id: str) -> ProviderPayment:
        """The bank pays: the card's holder has confirmed, or need not."""
        paid = replace(self.payments[payment_id], outcome=Outcome.SUCCEEDED)
        self.payments[payment_id] = paid
        assert self.now is not None
        line = MoneyMoved(f"txn_{len(self.lines) + 1}", "charge", paid.id, paid.amount, Decimal(0), paid.currency, self.now)
        self.lines.insert(0, line)
        return paid

    def payment(self, payment_id: str) -> ProviderPayment | None:
        found: ProviderPayment | None = self._once("payment", "", lambda: self.payments.get(payment_id))
        return found

    def cancel_payment(self, payment_id: str) -> ProviderPayment | None:
        payment = self.payments.get(payment_id)
        if payment is not None and payment.outcome is not Outcome.SUCCEEDED:
            self.payments[payment_id] = replace(payment, outcome=Outcome.CANCELLED)
        return self.payments.get(payment_id)

    def read_event(self, body: bytes, *, signature: str, at: datetime) -> ProviderNews:
        if signature != "signed":
            raise SignatureWrong("This is not signed by the payment provider.")
        kind, _, rest = body.decode().partition(" ")
        object_id, _, event_id = rest.partition(" ")
        return ProviderNews(event_id or f"evt_{kind}_{object_id}", kind, object_id, at)

    def money_moved(self, *, since: datetime) -> Iterator[MoneyMoved]:
        self._once("money_moved", "", lambda: None)
        return (line for line in self.lines if line.at >= since)

    def _once(self, call: str, key: str, act: Callable[[], Any]) -> Any:
        """Act, once for a key, unless a fault is due."""
        with self._one_at_a_time:
            return self._acted(call, key, act)

    def _acted(self, call: str, key: str, act: Callable[[], Any]) -> Any:
        self.calls.append(call)
        fault = next((when for name, when in self.faults if name == call), None)
        if fault is not None:
            self.faults.remove((call, fault))
        if self.down or fault == "before":
            raise ProviderUnavailable("The payment provider cannot be reached; try again in a moment.")
        if key and key in self._answers:
            answer = self._answers[key]
        else:
            answer = act()
            if key:
                self._answers[key] = answer
        if fault == "after":
            raise ProviderUnavailable("The payment provider cannot be reached; try again in a moment.")
        return answer


PRESENT: list[FaultyProvider] = []


def make() -> FaultyProvider:
    """The provider of the test that runs (setting CARD_PROVIDER)."""
    return PRESENT[-1]
