"""One message as a mail. Its Message-ID is the delivery's id.

SMTP cannot be asked what became of a mail, so a choice is made: before the body is handed over nothing has happened and the
attempt can be made again; from then on a mail is never sent twice. A worker that dies in between, or a server that hangs up
there, leaves a delivery UNCERTAIN for a person to look at. A mail that is kept in our own table (`kept.py`) cannot be doubled.
"""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parseaddr
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.smtp import EmailBackend

from notifications.channels.contract import SLOWEST, Message, Outcome, Sent
from notifications.channels.email.render import render_mail

TAKEN: Final = 250
PERMANENT: Final = 500
KEPT_CHARACTERS: Final = 500


def send_mail(message: Message, *, at: datetime, handing_over: Callable[[], None]) -> Sent:
    """Try once."""
    began = time.monotonic()
    try:
        link, late = _connection(handing_over)
    except smtplib.SMTPException as error:
        return Sent(Outcome.AGAIN, answer=repr(error)[:KEPT_CHARACTERS], milliseconds=_since(began))
    try:
        compose(message, at=at, connection=link).send()
    except smtplib.SMTPRecipientsRefused as refused:
        status, words = next(iter(refused.recipients.values()))
        outcome = Outcome.NEVER if status >= PERMANENT else Outcome.AGAIN
        return Sent(outcome, status, _text(words), _since(began))
    except smtplib.SMTPResponseException as refused:
        outcome = Outcome.NEVER if refused.smtp_code >= PERMANENT and late else Outcome.AGAIN
        return Sent(outcome, refused.smtp_code, _text(refused.smtp_error), _since(began))
    except (smtplib.SMTPException, OSError) as error:
        outcome = Outcome.UNCERTAIN if late else Outcome.AGAIN
        return Sent(outcome, answer=(str(error) or repr(error))[:KEPT_CHARACTERS], milliseconds=_since(began))
    return Sent(Outcome.TAKEN, TAKEN, "accepted", _since(began))


def compose(message: Message, *, at: datetime, connection: Any = None) -> EmailMultiAlternatives:
    """The mail, with what lets a mail program unsubscribe in one click (RFC 8058) where that is possible."""
    mail = render_mail(message)
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    headers = {
        "Message-ID": f"<{message.delivery}@{domain}>",
        "Date": format_datetime(at.astimezone(UTC)),
        "Auto-Submitted": "auto-generated",
        "X-Alert": message.event,
    }
    if message.unsubscribe:
        headers |= {"List-Unsubscribe": f"<{message.unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    made = EmailMultiAlternatives(mail.subject, mail.text, to=[message.address], headers=headers, connection=connection)
    made.attach_alternative(mail.html, "text/html")
    return made


def _connection(handing_over: Callable[[], None]) -> tuple[Any, list[bool]]:
    """A connection that tells before it hands a body over; the list is not empty from then on."""
    late: list[bool] = []

    def tell() -> None:
        handing_over()
        late.append(True)

    if settings.EMAIL_BACKEND != "django.core.mail.backends.smtp.EmailBackend":
        if not settings.EMAIL_BACKEND.endswith("KeepingBackend"):
            tell()
        return get_connection(), late
    return _Telling(tell, timeout=min(settings.EMAIL_TIMEOUT or SLOWEST, SLOWEST)), late


class _Telling(EmailBackend):
    """Django's own, with a word before the body."""

    def __init__(self, tell: Callable[[], None], **options: Any) -> None:
        super().__init__(**options)
        self._tell = tell

    @property
    def connection_class(self) -> Any:
        """The class of smtplib for this kind of connection, with a word before DATA."""
        tell = self._tell

        class Telling(smtplib.SMTP_SSL if self.use_ssl else smtplib.SMTP):  # type: ignore[misc] # one of two
            def data(self, msg: Any) -> Any:
                tell()
                return super().data(msg)

        return Telling


def _text(words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return "".join(letter if letter.isprintable() else " " for letter in text)[:KEPT_CHARACTERS]


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
