"""What happens to an account's calls while neither Redis nor the API can be asked: its own policy, as it was last published.

    closed   no call is let through
    open     calls are let through until their amounts reach the account's offline allowance

The allowance is counted in each process by itself: a service of N processes lets through N times as much at the most. It is
whole again once a decision has come through. An account no policy was ever seen of, as after a restart, is closed.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

MAX_ACCOUNTS: Final = 100_000
CLOSED: Final = "closed"
OPEN: Final = "open"
ZERO: Final = Decimal(0)


@dataclass(slots=True)
class _Known:
    """An account's policy and what its allowance has been used for."""

    read_at: float
    on_outage: str = CLOSED
    allowance: Decimal = ZERO
    used: Decimal = ZERO


class Outage:
    """The policies this process has seen; thread-safe."""

    def __init__(self, *, call_counts_for: Decimal | None = None) -> None:
        """call_counts_for: what a call of unknown cost takes of the allowance; None: it is not let through."""
        self._call_counts_for = call_counts_for
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def age_seconds(self, account: str) -> float:
        """How old what is known of the account is; infinite when nothing is."""
        known = self._known.get(account)
        return math.inf if known is None else time.monotonic() - known.read_at

    def remember(self, account: str, *, on_outage: str, allowance: Decimal) -> None:
        """What was published of the account."""
        with self._lock:
            known = self._known.setdefault(account, _Known(0.0))
            known.read_at, known.on_outage, known.allowance = time.monotonic(), on_outage, allowance
            self._known.move_to_end(account)
            while len(self._known) > MAX_ACCOUNTS:
                self._known.popitem(last=False)

    def over(self, account: str) -> None:
        """A decision about the account has come through: its allowance is whole again."""
        known = self._known.get(account)
        if known is not None and known.used:
            known.used = ZERO

    def lets_through(self, account: str, amount: Decimal | None) -> bool:
        """Whether a call of this amount (None: unknown) may go ahead; takes it off the allowance."""
        counts = self._call_counts_for if amount is None else amount
        with self._lock:
            known = self._known.get(account)
            if known is None or known.on_outage != OPEN or counts is None or known.used + counts > known.allowance:
                return False
            known.used += counts
            return True

    def left(self, account: str) -> Decimal:
        """What is left of the account's allowance."""
        known = self._known.get(account)
        return ZERO if known is None or known.on_outage != OPEN else known.allowance - known.used
