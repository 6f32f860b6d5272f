"""Each piece of news as a frozen dataclass of primitives. Its class name in snake_case is its topic."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BalancesChanged:
    """One transaction changed these wallets (row ids); readers look the figures up, so order does not matter."""

    wallet_ids: list[int]


@dataclass(frozen=True, slots=True)
class ThresholdCrossed:
    """A change took a wallet to or below `percent` of its reference balance, or to or below `amount`; unique by wallet and
    number. percent_before, amount_before: the lowest thresholds it was below already (100 and empty: none); …_now: with it."""

    wallet_id: int
    number: int
    percent: int | None
    balance: str
    reference_balance: str
    currency: str
    amount: str = ""
    percent_before: int = 100
    amount_before: str = ""
    percent_now: int = 100
    amount_now: str = ""


@dataclass(frozen=True, slots=True)
class BalanceRecovered:
    """A wallet is back above thresholds; unique by wallet and number. percent, amount: the highest of them. resumed: it was
    used up. clear: above all of them. percent_now, amount_now: the lowest it is still below (100 and empty: none)."""

    wallet_id: int
    number: int
    percent: int | None
    amount: str
    balance: str
    currency: str
    resumed: bool
    clear: bool
    percent_now: int = 100
    amount_now: str = ""


@dataclass(frozen=True, slots=True)
class LotExpired:
    """A credit lot reached its end with this much unused: money, or of an allowance units of `meter`. kind: of the lot."""

    wallet_id: int
    lot: str
    amount: str
    currency: str
    meter: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class ApiKeyIssued:
    """Somebody made a key; account_id: the only account it sees. scopes: joined by commas."""

    account_id: int | None
    prefix: str
    name: str
    scopes: str
    actor: str


@dataclass(frozen=True, slots=True)
class AccountsChanged:
    """State, policy or default wallet of these accounts (row ids) changed; readers look again, so order does not matter."""

    account_ids: list[int]


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """A subscription went from one state to another (both the same: something else about it changed). before: empty for a new
    one."""

    subscription: str
    account_id: int
    plan: str
    before: str
    after: str
    what: str


@dataclass(frozen=True, slots=True)
class TopUpSucceeded:
    """Money arrived and its credit was granted. total: what was charged, with tax and fee."""

    wallet_id: int
    top_up: str
    amount: str
    total: str
    currency: str
    origin: str


@dataclass(frozen=True, slots=True)
class TopUpFailed:
    """A top-up ended without money. reason: as the customer is told."""

    wallet_id: int
    top_up: str
    amount: str
    total: str
    currency: str
    origin: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class CardExpiring:
    """A saved card expires this month or next; told once a month. label: Visa •••• 4242. part: `default`, `backup` or empty."""

    account_id: int
    card: str
    label: str
    exp_month: int
    exp_year: int
    part: str


@dataclass(frozen=True, slots=True)
class MemberInvited:
    """Somebody is asked by e-mail to become a member; also when the mail is asked for again. invitation: `inv_…`."""

    account_id: int
    invitation: str
    email: str
    role: str
    actor: str


@dataclass(frozen=True, slots=True)
class MemberAdded:
    """Somebody became a member. actor: who invited them."""

    account_id: int
    email: str
    role: str
    actor: str


@dataclass(frozen=True, slots=True)
class SpendCapReached:
    """What was charged under a spend cap reached its limit: of `value` (empty: the account's), in the window that began then.
    used, limit: money of the cap's currency, or units of its meter."""

    cap: str
    account_id: int
    value: str
    window_start: str
    used: str
    limit: str


@dataclass(frozen=True, slots=True)
class RechargeDue:
    """A change of the balance took a wallet below what it recharges at. number: the wallet's version then."""

    wallet_id: int
    number: int
    balance: str
    below: str
    currency: str


@dataclass(frozen=True, slots=True)
class RechargeNotDone:
    """A wallet that should have recharged did not. reason: a code (`wallets/recharge/states.py`). next_at: when it is
    possible again, ISO 8601; empty: not before somebody does something."""

    wallet_id: int
    decision: str
    reason: str
    balance: str
    below: str
    currency: str
    next_at: str


@dataclass(frozen=True, slots=True)
class RechargeBreakerOpened:
    """A card was declined so often that it is not charged by itself any more. reason: as the customer is told."""

    wallet_id: int
    card: str
    declines: int
    reason: str


@dataclass(frozen=True, slots=True)
class RechargeNeedsAuthentication:
    """The bank wants the card's holder to confirm a recharge: on the top-up's own page."""

    wallet_id: int
    top_up: str
    total: str
    currency: str


@dataclass(frozen=True, slots=True)
class StatementIssued:
    """A wallet's statement of a period is there. period_start, period_end: RFC 3339, UTC, the end exclusive."""

    wallet_id: int
    account_id: int
    statement: str
    number: str
    period_start: str
    period_end: str
    closing_balance: str
    currency: str


@dataclass(frozen=True, slots=True)
class RefundSucceeded:
    """The money of a refund has left. credit: what was taken back; total: the money, with tax and fee."""

    wallet_id: int
    refund: str
    top_up: str
    credit: str
    total: str
    currency: str
    origin: str


@dataclass(frozen=True, slots=True)
class RefundFailed:
    """A refund ended without money, or the bank sent it back; its credit is back. code: the provider's."""

    wallet_id: int
    refund: str
    top_up: str
    credit: str
    total: str
    currency: str
    origin: str
    code: str


@dataclass(frozen=True, slots=True)
class DisputeChanged:
    """A payment is disputed, or its dispute ended. state: inquiry, open, won, lost or closed. frozen: credit that was left and
    is out of the wallet; owed: what was used already. evidence_due_at: ISO 8601, or empty."""

    wallet_id: int
    dispute: str
    top_up: str
    state: str
    total: str
    frozen: str
    owed: str
    currency: str
    reason: str
    evidence_due_at: str


@dataclass(frozen=True, slots=True)
class WithdrawalRequested:
    """A customer asks for unused credit and has to confirm by a link (`confirmation_link` of the withdrawal) until confirm_by
    (ISO 8601). email: of who asked."""

    wallet_id: int
    withdrawal: str
    amount: str
    currency: str
    email: str
    confirm_by: str


@dataclass(frozen=True, slots=True)
class WithdrawalWentOn:
    """A withdrawal took a step. state: confirmed (finance has it), or approved (paid after payable_at, ISO 8601)."""

    wallet_id: int
    withdrawal: str
    state: str
    amount: str
    currency: str
    payable_at: str


@dataclass(frozen=True, slots=True)
class WithdrawalEnded:
    """A withdrawal came to its end. state: paid, failed, declined, cancelled or lapsed. paid: money, with tax. reason: why it
    was not paid."""

    wallet_id: int
    withdrawal: str
    state: str
    amount: str
    paid: str
    currency: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProofFailed:
    """The nightly proof found what is wrong. run: its row id; findings: the first sentences; frozen: wallets, by their ids."""

    run: int
    failed: int
    proofs: int
    findings: str
    frozen: str


News = (
    BalancesChanged
    | ThresholdCrossed
    | BalanceRecovered
    | LotExpired
    | ApiKeyIssued
    | AccountsChanged
    | SubscriptionChanged
    | TopUpSucceeded
    | TopUpFailed
    | CardExpiring
    | MemberInvited
    | MemberAdded
    | SpendCapReached
    | RechargeDue
    | RechargeNotDone
    | RechargeBreakerOpened
    | RechargeNeedsAuthentication
    | StatementIssued
    | RefundSucceeded
    | RefundFailed
    | DisputeChanged
    | WithdrawalRequested
    | WithdrawalWentOn
    | WithdrawalEnded
    | ProofFailed
)
