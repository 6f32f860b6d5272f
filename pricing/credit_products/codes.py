"""Voucher codes: made, read as people type them, and kept as hashes only. Pure.

A code we make has 80 random bits in Crockford's alphabet (no I, L, O, U); one that is chosen (`WELCOME10`) is public anyway.
Reading is forgiving: case, blanks and dashes do not matter, O is 0, I and L are 1, on both sides.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS: Final = 4
GROUP_LENGTH: Final = 4
SHORTEST: Final = 6
LONGEST: Final = 40
LONGEST_TYPED: Final = 120
_READ_AS: Final = str.maketrans("OIL", "011", " -\u2010\u2011\u2012\u2013_")


def new_code() -> str:
    """`7QXK-91MN-0ZRB-4T5W`."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))


def read_code(typed: str) -> str:
    """A code in the one form in which it is compared; empty when it cannot be one."""
    if len(typed) > LONGEST_TYPED:
        return ""
    code = typed.strip().upper().translate(_READ_AS)
    fine = SHORTEST <= len(code) <= LONGEST and code.isascii() and code.isalnum()
    return code if fine else ""


def code_hash(code: str) -> bytes:
    """What is kept of a code that was read."""
    return sha256(b"voucher:" + code.encode()).digest()


def code_hint(code: str) -> str:
    """What may be shown of a code, to tell it from others: its last four characters."""
    return code[-GROUP_LENGTH:]
