"""What a payment provider must be able to do, and the words it answers in. Amounts are exact, in the currency's own units;
nobody above this line knows the provider's objects. Every call asks the network: never inside a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from wallets.errors import Refusal


class ProviderUnavailable(Refusal):
    """The payment provider did not answer; whether it acted is found out by asking again."""

    code = "payment_provider_unavailable"


class ProviderRefused(Refusal):
    """The payment provider did not take the request."""

    code = "payment_provider_refused"


class SignatureWrong(Refusal):
    """A webhook is not signed by the provider, or is older than the replay window."""

    code = "webhook_signature_wrong"


class Outcome(StrEnum):
    """How a payment stands. WAITING: nobody has confirmed it yet."""

    WAITING = "waiting"
    NEEDS_ACTION = "needs_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ProviderPayment:
    """A payment as the provider has it. reference: our public id of the top-up it is for. amount: received once it has
    succeeded, to be charged until then."""

    id: str
    outcome: Outcome
    amount: Decimal
    currency: str
    reference: str = ""
    client_secret: str = ""
    method_id: str = ""
    failure_code: str = ""


@dataclass(frozen=True, slots=True)
class ProviderCard:
    """A card as the provider has it: what can be shown, never its number (I11). customer_id: empty while it is nobody's."""

    id: str
    brand: str
    last_four: str
    exp_month: int
    exp_year: int
    fingerprint: str
    customer_id: str


@dataclass(frozen=True, slots=True)
class SetUp:
    """A card being saved. method_id: once it succeeded."""

    id: str
    succeeded: bool
    customer_id: str
    client_secret: str = ""
    method_id: str = ""


@dataclass(frozen=True, slots=True)
class ProviderNews:
    """A webhook that is signed by the provider. object_id: what it is about; read that again, do not believe the copy."""

    id: str
    kind: str
    object_id: str
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class MoneyMoved:
    """One line of the account we have with the provider. payment_id: empty when it belongs to no payment. fee: the
    provider's own."""

    id: str
    kind: str
    payment_id: str
    amount: Decimal
    fee: Decimal
    currency: str
    at: datetime


class RefundOutcome(StrEnum):
    """How a refund stands. FAILED: the bank did not take the money, or sent it back."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """A refund as the provider has it. reference: our public id of it; empty when it was made at the provider."""

    id: str
    payment_id: str
    outcome: RefundOutcome
    amount: Decimal
    currency: str
    created_at: datetime
    reference: str = ""
    failure_code: str = ""


class DisputeOutcome(StrEnum):
    """How a dispute stands. INQUIRY: the bank asks, and has taken no money; CLOSED: an inquiry that came to nothing."""

    INQUIRY = "inquiry"
    OPEN = "open"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ProviderDispute:
    """A dispute as the provider has it. amount: what the bank takes. evidence_due_at: until when it can be answered."""

    id: str
    payment_id: str
    outcome: DisputeOutcome
    amount: Decimal
    currency: str
    reason: str
    created_at: datetime
    evidence_due_at: datetime | None = None


class PaymentProvider(Protocol):
    """A provider of card payments. `key`: the same key does the same thing once. Each call raises ProviderUnavailable or
    ProviderRefused."""

    name: str

    def create_customer(self, *, key: str, account: str, name: str, email: str) -> str:
        """The provider's id of a customer."""
        ...

    def begin_set_up(self, *, customer_id: str) -> SetUp:
        """Begin to save a card; the browser finishes it with the client secret."""
        ...

    def set_up(self, set_up_id: str) -> SetUp:
        """How saving a card stands."""
        ...

    def keep_card(self, method_id: str, *, customer_id: str) -> ProviderCard:
        """See to it that the card belongs to the customer."""
        ...

    def forget_card(self, method_id: str) -> None:
        """The card belongs to nobody any more; not there is fine too."""
        ...

    def create_payment(
        self, *, key: str, amount: Decimal, currency: str, customer_id: str, method_id: str, reference: str
    ) -> ProviderPayment:
        """A payment that is not confirmed: no money moves yet."""
        ...

    def confirm_payment(self, payment_id: str, *, key: str, off_session: bool) -> ProviderPayment:
        """Charge. A decline is an outcome, not an error."""
        ...

    def payment(self, payment_id: str) -> ProviderPayment | None:
        """The payment as it is now; None when there is none."""
        ...

    def cancel_payment(self, payment_id: str) -> ProviderPayment | None:
        """Give up a payment that has not moved money; as it is now when it cannot be given up."""
        ...

    def read_event(self, body: bytes, *, signature: str, at: datetime) -> ProviderNews:
        """A webhook's news. Raises SignatureWrong."""
        ...

    def money_moved(self, *, since: datetime) -> Iterator[MoneyMoved]:
        """The lines of our account with the provider since then, newest first."""
        ...

    def create_refund(
        self, *, key: str, payment_id: str, amount: Decimal, currency: str, reference: str, reason: str
    ) -> ProviderRefund:
        """Give part of a payment back."""
        ...

    def read_refund(self, refund_id: str) -> ProviderRefund | None:
        """The refund as it is now; None when there is none."""
        ...

    def refunds_of(self, payment_id: str) -> list[ProviderRefund]:
        """Every refund of a payment, in the order in which they were made."""
        ...

    def read_dispute(self, dispute_id: str) -> ProviderDispute | None:
        """The dispute as it is now; None when there is none."""
        ...

    def disputes_of(self, payment_id: str) -> list[ProviderDispute]:
        """Every dispute over a payment, in the order in which they were opened."""
        ...

    def payment_of_charge(self, charge_id: str) -> str:
        """The id of the payment a charge belongs to; empty when there is none."""
        ...
