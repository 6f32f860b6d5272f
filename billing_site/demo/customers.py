"""Who the demo company sells to: invented companies, each with a habit of using and a habit of paying. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from billing_site.demo.habits import (
    AGENT,
    CALLS,
    CHAT,
    CONSUMER,
    CREATIVE,
    GROWING,
    LARGE,
    NIGHTLY,
    SEARCH,
    SMALL,
    SPIKY,
    STEADY,
    TRYING_OUT,
    Habit,
    Mix,
)

FIRST_DAY: Final = 0
STANDARD: Final = "standard"
ENTERPRISE: Final = "enterprise"
EUROPE: Final = "europe"


@dataclass(frozen=True, slots=True)
class Gift:
    """Credit that was not paid for. day: of the history, counted from the first (0); negative: from its end.
    valid_days: until it expires; 0: for ever.  starts_in_days: until it can be drawn."""

    kind: str
    amount: Decimal
    day: int = FIRST_DAY
    valid_days: int = 0
    starts_in_days: int = 0
    meters: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Paying:
    """How a customer pays. first: of the first day.  below, amount: tops up this amount when the balance falls below.
    until_day: stops topping up then; None: never stops.  valid_days: until paid credit expires; 0: never.
    leave_at: stops using when the balance is below this; None: goes on, into overdraft."""

    first: Decimal = Decimal(0)
    below: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    until_day: int | None = None
    valid_days: int = 0
    leave_at: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CustomerPlan:
    """One customer. from_day: when they came.  book: whose prices they pay.  on_empty, grace: their wallet's policy.
    reserve: put aside in a second wallet on day 15.  moves_on: day from which they have European prices and a wallet in EUR.
    ends: SUSPENDED or FROZEN by the end.  login: name of their person who signs in to the demo."""

    key: str
    name: str
    country: str
    time_zone: str
    habit: Habit | None
    mix: Mix
    paying: Paying = Paying()
    gifts: tuple[Gift, ...] = ()
    from_day: int = FIRST_DAY
    currency: str = "USD"
    book: str = STANDARD
    on_empty: str = "block"
    grace: Decimal = Decimal(0)
    reserve: Decimal = Decimal(0)
    moves_on: int | None = None
    ends: str = ""
    login: str = ""
    note: str = ""


def _usd(text: str) -> Decimal:
    return Decimal(text)


def refills(first: str, below: str, amount: str) -> Paying:
    """Pays, and tops up in time."""
    return Paying(_usd(first), _usd(below), _usd(amount))


CUSTOMERS: Final = (
    CustomerPlan("acme", "Acme Robotics", "US", "America/New_York", STEADY, AGENT, refills("500", "100", "500"),
                 (Gift("promotional", _usd("50"), valid_days=45, reason="Welcome credit"),
                  Gift("promotional", _usd("40"), day=-4, valid_days=30, meters=("llm.output_tokens",),
                       reason="Output tokens week")),
                 login="Ada Acme", note="steady, tops up in time, promotional credit for output tokens"),
    CustomerPlan("globex", "Globex Analytics", "GB", "Europe/London", SMALL, SEARCH, refills("50", "5", "25"),
                 login="Gil Globex", note="small and steady: the stranger who must not see Acme"),
    CustomerPlan("kestrel", "Kestrel Support Desk", "US", "America/Chicago", STEADY, CHAT, refills("100", "20", "100"),
                 note="steady"),
    CustomerPlan("lumen", "Lumen Health", "US", "America/Los_Angeles", STEADY, CHAT, refills("200", "25", "100"),
                 note="steady"),
    CustomerPlan("papertrail", "Papertrail Legal", "CA", "America/Toronto", STEADY, AGENT, refills("400", "80", "400"),
                 note="steady"),
    CustomerPlan("harbour", "Harbour Logistics", "NL", "Europe/Amsterdam", STEADY, CHAT, refills("100", "15", "100"),
                 currency="EUR", book=EUROPE, login="Hanna Harbour", note="steady, in EUR"),
    CustomerPlan("fjord", "Fjord Bank", "NO", "Europe/Oslo", LARGE, AGENT, refills("2000", "500", "2000"), book=ENTERPRISE,
                 login="Frida Fjord", note="large, enterprise prices"),
    CustomerPlan("meridian", "Meridian Insurance", "US", "America/New_York", LARGE, CHAT, refills("1000", "100", "500"),
                 book=ENTERPRISE, note="large, enterprise prices"),
    CustomerPlan("sprout", "Sprout Learning", "IN", "Asia/Kolkata", GROWING, CHAT, refills("50", "10", "50"), note="growing"),
    CustomerPlan("quill", "Quill Writers", "AU", "Australia/Sydney", GROWING, CREATIVE, refills("100", "20", "100"),
                 note="growing"),
    CustomerPlan("orbit", "Orbit Games", "SE", "Europe/Stockholm", SPIKY, CREATIVE, refills("150", "40", "200"),
                 note="spiky: quiet, then twelve times as busy for a day"),
    CustomerPlan("newsflash", "Newsflash Media", "US", "America/New_York", SPIKY, AGENT, refills("300", "100", "400"),
                 note="spiky"),
    CustomerPlan("tallyho", "Tallyho Tickets", "GB", "Europe/London", SPIKY, CHAT,
                 Paying(_usd("60"), _usd("3"), _usd("40"), leave_at=_usd("1")), on_empty="throttle",
                 note="spiky, throttled when empty"),
    CustomerPlan("nightowl", "Nightowl Archives", "DE", "Europe/Berlin", NIGHTLY, SEARCH, refills("60", "10", "60"),
                 note="batches at night"),
    CustomerPlan("ledgerly", "Ledgerly Accounting", "US", "America/Denver", NIGHTLY, CHAT, refills("150", "30", "150"),
                 note="batches at night"),
    CustomerPlan("campfire", "Campfire Dating", "US", "America/Los_Angeles", CONSUMER, CHAT, refills("120", "20", "120"),
                 note="evenings and weekends"),
    CustomerPlan("ringo", "Ringo Call Centres", "PH", "Asia/Manila", CONSUMER, CALLS, refills("80", "15", "80"),
                 note="calls transcribed, evenings and weekends"),
    CustomerPlan("tinywins", "Tinywins", "US", "America/Chicago", SMALL, CHAT, Paying(_usd("12"), leave_at=_usd("0.45")),
                 login="Tim Tinywins", note="nearly empty: stopped just before zero"),
    CustomerPlan("lastdrop", "Last Drop Coffee", "IT", "Europe/Rome", SMALL, CREATIVE,
                 Paying(_usd("20"), leave_at=_usd("0.60")),
                 note="nearly empty"),
    CustomerPlan("overreach", "Overreach Labs", "US", "America/Los_Angeles", STEADY, AGENT,
                 Paying(_usd("150"), _usd("20"), _usd("60"), until_day=-18), on_empty="grace", grace=_usd("400"),
                 login="Olga Overreach", note="overdrawn: no top-up for days, living on grace"),
    CustomerPlan("zephyr", "Zephyr Travel", "ES", "Europe/Madrid", CONSUMER, CHAT,
                 Paying(_usd("30"), _usd("5"), _usd("20"), until_day=-15),
                 on_empty="grace", grace=_usd("100"), note="overdrawn a little"),
    CustomerPlan("mosaic", "Mosaic Museums", "FR", "Europe/Paris", TRYING_OUT, CREATIVE, Paying(leave_at=_usd("0.20")),
                 (Gift("trial", _usd("25"), valid_days=30, reason="Trial"),
                  Gift("promotional", _usd("15"), day=-20, valid_days=30, reason="Museums' night"),
                  Gift("promotional", _usd("30"), day=-1, valid_days=60, starts_in_days=10, reason="Next month's programme")),
                 note="lives on promotional credit; a trial expired with a remainder, a gift is still to begin"),
    CustomerPlan("polyglot", "Polyglot Translations", "CH", "Europe/Zurich", STEADY, CHAT, refills("120", "20", "120"),
                 (Gift("compensation", _usd("10"), day=-15, reason="Slow answers last week"),),
                 reserve=_usd("40"), moves_on=-25, login="Petra Polyglot",
                 note="several wallets: USD, a USD reserve, EUR since it moved to European prices"),
    CustomerPlan("bandit", "Bandit Bots", "US", "America/Chicago", SPIKY, CHAT,
                 Paying(_usd("40"), _usd("5"), _usd("40"), until_day=-10),
                 ends="SUSPENDED", note="suspended for abuse, some credit left"),
    CustomerPlan("icebox", "Icebox Foods", "US", "America/New_York", SMALL, CHAT,
                 Paying(_usd("30"), valid_days=40, leave_at=_usd("0.50")),
                 ends="FROZEN", note="its paid credit expired with a remainder; wallet frozen on request"),
    CustomerPlan("greenfield", "Greenfield Ventures", "DK", "Europe/Copenhagen", None, CHAT, from_day=-1,
                 login="Greta Greenfield",
                 note="brand-new: an account and an empty wallet"),
)  # fmt: skip
"""In the order in which they came."""
