"""One message as a mail: subject, text and HTML from `templates/email`, in the recipient's language and time zone. Amounts
read as in the portal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import formats, timezone, translation
from django.utils.translation import gettext, ngettext

from notifications.channels.contract import Message
from wallets.amount_text import headline_text
from wallets.brand.read import brand

AMOUNTS: Final = frozenset(
    {
        *(
            "amount",
            "balance",
            "before",
            "below",
            "closing_balance",
            "credit",
            "limit",
            "per_day",
            "reference_balance",
            "threshold",
        ),
        *("total", "used"),
    }
)
"""Facts that are amounts of the fact `currency`, or units of the fact `unit`."""
MOMENTS: Final = frozenset(
    ("confirm_by", "expires_at", "next_at", "payable_at", "respond_by", "runs_out_at", "since", "window_start")
)
DATES: Final = frozenset(("period_start", "period_end"))
_BLANK: Final = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Mail:
    """What is sent."""

    subject: str
    text: str
    html: str


def render_mail(message: Message) -> Mail:
    """The mail of a message."""
    with translation.override(message.language), timezone.override(zone_of(message.time_zone)):
        values = _values(message)
        head, _, text = render_to_string(f"email/{message.topic}.txt", values).partition("\n--\n")
        subject = " ".join(head.split())
        preheader = next((line for line in text.splitlines() if line.strip()), "")
        html = render_to_string(f"email/{message.topic}.html", {**values, "subject": subject, "preheader": preheader})
    return Mail(subject, _BLANK.sub("\n\n", text).strip() + "\n", html)


def render_subject(message: Message) -> str:
    """What a message says, in a line."""
    with translation.override(message.language), timezone.override(zone_of(message.time_zone)):
        return _subject(render_to_string(f"email/{message.topic}.txt", _values(message)))


def _subject(text: str) -> str:
    return " ".join(text.partition("\n--\n")[0].split())


def links_for(account: str) -> dict[str, str]:
    """Pages of an account in the portal, by what they are for."""
    return {name: link.replace("{account}", quote(account, safe="")) for name, link in settings.PORTAL_LINKS.items()}


def _values(message: Message) -> dict[str, Any]:
    """What the templates use. f: the facts as people read them."""
    about = message.account_name or message.account or brand().name
    return {
        "f": read_facts(message.facts) | {"account_name": about, "wallet": message.wallet},
        "account_name": about,
        "address": message.address,
        "brand": brand(),
        "sender": brand().name,
        "happened": _moment(message.happened_at),
        "mandatory": message.mandatory,
        "links": links_for(message.account),
        "unsubscribe": message.unsubscribe,
    }


def read_facts(facts: Mapping[str, str]) -> dict[str, str]:
    """Facts as people read them, in the language and zone in force."""
    unit = facts.get("currency") or facts.get("unit") or ""
    read = {name: _read(name, str(value), unit) for name, value in facts.items()}
    if "days" in facts and facts["days"].isdigit():
        days = int(facts["days"])
        read["about"] = ngettext("in about %(days)d day", "in about %(days)d days", days) % {"days": days}
        read["days_words"] = ngettext("in %(days)d day", "in %(days)d days", days) % {"days": days}
    if facts.get("exp_month", "").isdigit() and "exp_year" in facts:
        read["expires"] = f"{int(facts['exp_month']):02d}/{facts['exp_year']}"
    if "url" in facts:
        read["host"] = urlsplit(facts["url"]).hostname or ""
    for name in ("before", "after"):
        if facts.get(name, "").isupper():
            read[f"{name}_words"] = facts[name].lower().replace("_", " ")
    if facts.get("next_at"):
        read["next_at_sentence"] = gettext("It is possible again %(when)s.") % {"when": read["next_at"]}
    return read


def _read(name: str, value: str, unit: str) -> str:
    if name in AMOUNTS:
        try:
            return str(headline_text(Decimal(value), unit))
        except InvalidOperation:
            return value
    if name in MOMENTS or name in DATES:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        return _moment(moment) if name in MOMENTS else formats.date_format(timezone.localtime(moment), "j M Y")
    return value


def _moment(moment: datetime) -> str:
    here = timezone.localtime(moment)
    return f"{formats.date_format(here, 'j M Y, H:i')} {here:%Z}"


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name; UTC for one nobody knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
