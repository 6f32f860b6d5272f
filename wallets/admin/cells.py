"""Cells of the back office's lists: amounts with their digits in line, ids in their own type, links to records."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from wallets.amount_text import headline_text, line_text


def headline_cell(amount: Decimal, currency: str) -> SafeString:
    """An amount in minor units."""
    return mark_safe(headline_text(amount, currency).__html__())  # noqa: S308 - escapes what it is given


def line_cell(amount: Decimal, currency: str) -> SafeString:
    """An amount with what matters of it when it is small."""
    return mark_safe(line_text(amount, currency).__html__())  # noqa: S308 - escapes what it is given


def optional_cell(amount: Decimal, currency: str) -> SafeString:
    """An amount; nothing for zero."""
    return line_cell(amount, currency) if amount else mark_safe("")


def id_cell(text: str) -> SafeString:
    """An id, in a type that tells 0 from O."""
    return format_html('<code class="id">{}</code>', text)


def link_cell(view: str, pk: Any, text: object) -> SafeString:
    """A link to a record's page in the back office; `view` as `wallets_wallet`."""
    return format_html('<a class="link" href="{}">{}</a>', reverse(f"admin:{view}_change", args=[pk]), text)
