"""Template filters for amounts, prices, quantities, shares and times. What they say is decided in `wallets.amount_text`."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

from wallets.amount_text import (
    AmountText,
    aligned_text,
    exact_text,
    headline_text,
    line_text,
    quantity_text,
    unit_price_text,
)
from wallets.clock import now

register = template.Library()

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


def _html(text: AmountText) -> SafeString:
    return mark_safe(text.__html__())  # noqa: S308 - escapes what it is given


@register.filter
def headline(amount: Decimal, currency: str) -> SafeString:
    """`{{ wallet.available|headline:wallet.currency }}`: minor units, cents smaller than units."""
    return _html(headline_text(amount, currency))


@register.filter
def line_amount(amount: Decimal, currency: str) -> SafeString:
    """An amount in a table: what matters of a small one."""
    return _html(line_text(amount, currency))


@register.filter
def bare_amount(amount: Decimal, currency: str) -> SafeString:
    """As `line_amount`, in a column whose heading says the currency."""
    return _html(line_text(amount, currency)._replace(currency=""))


@register.simple_tag
def aligned_amount(amount: Decimal, currency: str, places: int) -> SafeString:
    """An amount in a column of `places` decimals whose heading says the currency."""
    return _html(aligned_text(amount, currency, places=places)._replace(currency=""))


@register.simple_tag
def aligned_change(amount: Decimal, currency: str, places: int) -> SafeString:
    """As `aligned_amount`, with a plus when money came in."""
    text = aligned_amount(amount, currency, places)
    return format_html('<span class="came-in">+{}</span>', text) if amount > 0 else text


@register.filter
def exact_amount(amount: Decimal, currency: str) -> SafeString:
    """Every digit."""
    return _html(exact_text(amount, currency))


@register.simple_tag
def column_amount(amount: Decimal | None, currency: str, places: int) -> SafeString:
    """Every digit, filled up with pale zeros to `places` decimals so that a column lines up; nothing for None."""
    if amount is None:
        return mark_safe("")
    return _html(exact_text(amount, currency, places=places)._replace(currency=""))


@register.simple_tag
def unit_price(price: Decimal, currency: str, unit: str = "") -> str:
    """`10.00 USD per million tokens`."""
    return unit_price_text(price, currency, unit)


@register.filter
def quantity(amount: Decimal) -> str:
    """`1,204`."""
    return quantity_text(amount)


@register.filter
def count(number: int) -> str:
    """`10,482,113`."""
    return f"{number:,}"


@register.filter
def percent(share: Decimal) -> str:
    """A share of one as whole percent: `62 %`; `<1 %` for less."""
    whole = (share * 100).quantize(Decimal(1))
    if share > 0 and whole == 0:
        return "<1\N{NO-BREAK SPACE}%"
    return f"{whole}\N{NO-BREAK SPACE}%"


@register.filter
def plain_number(value: Any) -> str:
    """A number for an SVG attribute: two decimals, a point, whatever the language."""
    return f"{Decimal(str(value)):.2f}"


@register.filter
def times(value: Decimal, factor: Any) -> Decimal:
    """Value times factor, exact."""
    return value * Decimal(str(factor))


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """`23 Nov 2026, 10:04` in the viewer's zone; the exact time on hover."""
    if value is None:
        return ""
    here = localtime(value)
    return _time(here, date_format(here, "j M Y, H:i"))


@register.filter
def day(value: datetime | None) -> SafeString | str:
    """`23 Nov 2026` in the viewer's zone; the exact time on hover."""
    if value is None:
        return ""
    here = localtime(value)
    return _time(here, date_format(here, "j M Y"))


@register.filter
def ago(value: datetime | None) -> SafeString | str:
    """`4 min ago`, `3 h ago`, then the date; the exact time on hover."""
    if value is None:
        return ""
    here, age = localtime(value), now() - value
    if age < timedelta(0) or age >= DAY:
        text = date_format(here, "j M, H:i") if abs(age) < 180 * DAY else date_format(here, "j M Y")
    elif age >= HOUR:
        text = f"{age // HOUR} h ago"
    elif age >= MINUTE:
        text = f"{age // MINUTE} min ago"
    else:
        text = "just now"
    return _time(here, text)


@register.filter
def until(value: datetime | None) -> SafeString | str:
    """`in 12 days`, `in 5 h`, then the date; the exact time on hover."""
    if value is None:
        return ""
    here, left = localtime(value), value - now()
    if timedelta(0) <= left < DAY:
        text = f"in {max(left // HOUR, 1)} h"
    elif DAY <= left < 60 * DAY:
        days = left // DAY
        text = f"in {days} day{'' if days == 1 else 's'}"
    else:
        text = date_format(here, "j M Y")
    return _time(here, text)


def _time(here: datetime, text: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        here.isoformat(),
        f"{date_format(here, 'j F Y, H:i:s')} {here:%Z}",
        text,
    )
