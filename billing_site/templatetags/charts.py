"""Lays out charts for templates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django import template
from django.utils.formats import date_format
from django.utils.timezone import localtime

from billing_site.step_chart import StepChart
from billing_site.step_chart import step_chart as lay_out

register = template.Library()


@register.simple_tag
def step_chart(steps: Sequence[tuple[datetime, Decimal]], until: datetime) -> StepChart | None:
    """A stepped line through `steps` (time, level), each level kept until the next; None for fewer than two."""
    return lay_out(steps, until=until, label=lambda moment: date_format(localtime(moment), "j M"))
