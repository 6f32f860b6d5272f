"""The spend caps of an account, for the back office's page on it."""

from __future__ import annotations

from django import template

from metering.caps.queries import CapStanding, caps_standing
from wallets.clock import now

register = template.Library()


@register.simple_tag
def caps_of(account_id: int) -> list[CapStanding]:
    """The account's caps in force, each with those who used most of it."""
    return caps_standing(account_id=account_id, at=now())
