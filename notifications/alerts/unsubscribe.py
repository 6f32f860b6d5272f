"""Unsubscribing with one click, without signing in: the link names the recipient and the topic, signed."""

from __future__ import annotations

from typing import Final

from django.core import signing
from django.db import connection

from notifications.alerts.models import Recipient
from notifications.channels.topics import TOPICS
from wallets.errors import NotFound

SALT: Final = "notifications.unsubscribe"


def unsubscribe_token(recipient: Recipient | None, topic: str) -> str:
    """What stands in the link; good for ever, and for nothing else."""
    assert recipient is not None, "somebody unsubscribes"
    return signing.dumps([recipient.pk, topic], salt=SALT)


def read_token(token: str) -> tuple[Recipient, str]:
    """The recipient and topic of a link. Raises NotFound."""
    try:
        pk, topic = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise NotFound("This link is not one of ours.") from None
    recipient = Recipient.objects.filter(pk=pk).first()
    if recipient is None or topic not in TOPICS:
        raise NotFound("This recipient is not told any more.")
    return recipient, topic


def unsubscribe(*, token: str) -> tuple[Recipient, str]:
    """Send the recipient nothing more of the topic; again is the same. Raises NotFound."""
    recipient, topic = read_token(token)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE notifications_recipient SET unsubscribed = array_append(unsubscribed, %s)
               WHERE id = %s AND NOT unsubscribed @> ARRAY[%s::varchar]""",
            [topic, recipient.pk, topic],
        )
    return recipient, topic
