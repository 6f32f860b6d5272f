"""The one thing to do next. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SOON_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands, for whoever looks. can_pay, can_make_keys, can_set_alerts: their role allows it, and it can be
    done here. days_left: until the balance is used up at this pace; None when nobody knows. ends_soon: credit expires in a
    fortnight."""

    stopped: bool
    fresh: bool
    empty: bool
    days_left: int | None
    can_pay: bool
    can_make_keys: bool
    can_set_alerts: bool
    has_key: bool
    has_card: bool
    recharges: bool
    recharge_asks: bool
    recharge_failed: bool
    somebody_is_told: bool
    ends_soon: bool


# Step -> the page it leads to (a URL's name in the portal).
LEADS_TO: Final = {
    "confirm": "payments",
    "first_credit": "top_up",
    "top_up": "top_up",
    "other_card": "cards",
    "first_key": "developers",
    "recharge": "auto_recharge",
    "top_up_soon": "top_up",
    "use_credit": "credit",
    "be_told": "alerts",
}


def next_step(standing: Standing) -> str:
    """The most pressing of LEADS_TO that this person can do something about; '' when nothing is to be done, or not by them."""
    one = standing
    runs_out = one.empty or (one.days_left is not None and one.days_left <= SOON_DAYS)
    steps = (
        (one.recharge_asks and one.can_pay, "confirm"),
        (one.stopped, ""),  # nothing they do helps; the page says what does
        (one.fresh and one.can_pay, "first_credit"),
        (one.recharge_failed and one.can_pay, "other_card"),
        (one.empty and one.can_pay, "top_up"),
        (not one.has_key and one.can_make_keys, "first_key"),
        (runs_out and one.can_pay and one.has_card and not one.recharges, "recharge"),
        (runs_out and one.can_pay and not one.recharges, "top_up_soon"),
        (one.ends_soon, "use_credit"),
        (not one.somebody_is_told and one.can_set_alerts, "be_told"),
        (one.can_pay and one.has_card and not one.recharges, "recharge"),
    )
    return next((step for holds, step in steps if holds), "")
