"""The back office's pages on what this app holds; importing this registers them."""

from wallets.admin import (
    accounts,
    adjustments,
    api_keys,
    approvals,
    bank_lines,
    cards,
    holds,
    journal,
    lots,
    mirror,
    payment_worklists,
    people,
    risk,
    top_up_terms,
    top_ups,
    wallets,
)

__all__ = [
    "accounts",
    "adjustments",
    "api_keys",
    "approvals",
    "bank_lines",
    "cards",
    "holds",
    "journal",
    "lots",
    "mirror",
    "payment_worklists",
    "people",
    "risk",
    "top_up_terms",
    "top_ups",
    "wallets",
]
