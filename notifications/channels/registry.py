"""Name of a channel -> how it sends."""

from __future__ import annotations

from typing import Final

from notifications.channels.contract import Channel
from notifications.channels.email.send import send_mail
from notifications.channels.slack import send_slack
from notifications.channels.webhook.send import send_webhook

CHANNELS: Final[dict[str, Channel]] = {"email": send_mail, "webhook": send_webhook, "slack": send_slack}
