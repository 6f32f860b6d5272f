"""What can be told of, in one table: topic -> what it says, for whoever chooses event types, and whether it can be declined.

A topic is the name of an event on the wire (`webhook-endpoints`, `type` of the body), of its templates in `templates/email`
and of the alert; it never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Topic:
    """says: the choice in words. mandatory: cannot be unsubscribed from, is never held back or gathered. finance: the
    vendor's finance is told, not the customer. mailed: a mail to one address, no event to choose. group: heading it is chosen
    under. asked_for: mailed only to who names it."""

    says: str
    group: str
    mandatory: bool = False
    finance: bool = False
    mailed: bool = False
    asked_for: bool = False


TOPICS: Final[dict[str, Topic]] = {
    "threshold_crossed": Topic("The balance fell to or below a threshold", "Balance"),
    # The mail about the top-up has said so already.
    "balance_recovered": Topic("The balance is back above its thresholds", "Balance", asked_for=True),
    "rule_matched": Topic("A rule set for a threshold has acted", "Balance"),
    "wallet_exhausted": Topic("The balance is used up; calls may be refused", "Balance", mandatory=True),
    "wallet_resumed": Topic("There is credit again after the balance was used up", "Balance"),
    "run_out_forecast": Topic("The balance will be used up in a few days at the present rate", "Balance"),
    "burn_rate_doubled": Topic("Usage costs twice as much as in the week before", "Balance"),
    "burn_rate_page": Topic("A customer's usage costs twice as much as in the week before", "Balance", finance=True),
    "top_up_succeeded": Topic("A top-up was paid", "Payments", mandatory=True),
    "top_up_failed": Topic("A top-up was not paid", "Payments", mandatory=True),
    "recharge_needs_authentication": Topic("The bank asks to confirm an auto-recharge", "Payments", mandatory=True),
    "recharge_not_done": Topic("An auto-recharge was due and not made, as when its cap is reached", "Payments"),
    "recharge_breaker_opened": Topic("A card was declined too often to be charged again", "Payments", mandatory=True),
    "card_expiring": Topic("A saved card expires soon", "Payments"),
    "dispute_opened": Topic("A payment was disputed at the bank", "Payments", mandatory=True),
    "refund_succeeded": Topic("A refund was sent", "Payments", mandatory=True),
    "refund_failed": Topic("A refund could not be sent; its credit is back", "Payments", mandatory=True),
    "withdrawal_requested": Topic(
        "A withdrawal is to be confirmed by who asked for it", "Payments", mandatory=True, mailed=True
    ),
    "withdrawal_changed": Topic("A withdrawal was confirmed, approved, declined or paid", "Payments", mandatory=True),
    "lot_expiring": Topic("Credit expires in 30, 7 or 1 days", "Credit"),
    "lot_expired": Topic("Credit expired unused", "Credit"),
    "subscription_changed": Topic("A plan began, renewed, fell behind, changed or ended", "Credit"),
    "statement_issued": Topic("A statement is ready", "Credit"),
    "spend_cap_reached": Topic("A spend cap was reached", "Usage"),
    "api_key_issued": Topic("An API key was made", "Security", mandatory=True),
    "member_invited": Topic("Somebody is invited to the account", "Security", mandatory=True, mailed=True),
    "member_added": Topic("Somebody became a member of the account", "Security", mandatory=True),
    "endpoint_disabled": Topic("A webhook endpoint was disabled after failing for days", "Security", mandatory=True),
    "proof_failed": Topic("The nightly proof found that the books do not agree", "Books", finance=True),
    "digest": Topic("Several messages that could wait, in one mail", "Security", mailed=True),
    "test": Topic("A test, sent when you ask for one", "Security", mandatory=True),
}

MAY_DECLINE: Final = tuple(name for name, topic in TOPICS.items() if not topic.mandatory and not topic.mailed)
"""What somebody can do without."""
