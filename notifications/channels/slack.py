"""One line to a Slack-compatible incoming webhook, for finance: the mail's subject and first sentences, with a link."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from notifications.channels.contract import Message, Sent
from notifications.channels.email.render import links_for, render_mail
from notifications.channels.safe_request import post

_MARK_UP: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
MARKS: Final = {"info": "", "warning": ":warning: ", "critical": ":rotating_light: "}


def send_slack(message: Message, *, at: datetime, handing_over: Callable[[], None]) -> Sent:  # noqa: ARG001 - at least once
    """POST it. The address is the secret."""
    return post(message.address, body=slack_body(message).encode(), headers={"Content-Type": "application/json"})


def slack_body(message: Message) -> str:
    """What Slack shows; what a customer wrote is no mark-up, no mention and no link."""
    mail = render_mail(message)
    lead = re.split(r"\n\s*\n", mail.text, maxsplit=1)[0]
    text = f"{MARKS.get(message.severity, '')}*{_plain(mail.subject)}*\n{_plain(lead)}"
    if message.account:
        text += f"\n<{links_for(message.account)['balance']}|{_plain(message.account_name or message.account)}>"
    return json.dumps({"text": text}, ensure_ascii=False)


def _plain(text: str) -> str:
    return text.translate(_MARK_UP).replace("*", "").replace("|", "/")
