"""The back office's pages on what this app holds; importing this registers them."""

from wallets.admin import (
    accounts,
    adjustments,
    api_keys,
    approvals,
    holds,
    journal,
    lots,
    mirror,
    people,
    risk,
    wallets,
)

__all__ = [
    "accounts",
    "adjustments",
    "api_keys",
    "approvals",
    "holds",
    "journal",
    "lots",
    "mirror",
    "people",
    "risk",
    "wallets",
]
