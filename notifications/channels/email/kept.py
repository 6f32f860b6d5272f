"""Mail of a site without a mail server: kept in a table, with a page that shows it. A mail is kept once for its Message-ID,
so that giving it twice keeps one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import models


class KeptMail(models.Model):
    """A mail that would have been sent."""

    message_id = models.CharField(max_length=200, unique=True)
    address = models.CharField(max_length=500)
    subject = models.CharField(max_length=500)
    text = models.TextField()
    html = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    kept_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "notifications"
        verbose_name = "sent mail"
        verbose_name_plural = "sent mail"
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["-kept_at"], name="kept_mail_newest")]

    def __str__(self) -> str:
        return self.subject


class KeepingBackend(BaseEmailBackend):
    """`EMAIL_URL=keptmail://`."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep each; how many."""
        for mail in email_messages:
            headers = {name: str(value) for name, value in mail.message().items()}
            alternatives = mail.alternatives if isinstance(mail, EmailMultiAlternatives) else []
            KeptMail.objects.bulk_create(
                [
                    KeptMail(
                        message_id=headers["Message-ID"],
                        address=", ".join(mail.recipients()),
                        subject=str(mail.subject),
                        text=str(mail.body),
                        html=next((str(body) for body, kind in alternatives if kind == "text/html"), ""),
                        headers=headers,
                    )
                ],
                ignore_conflicts=True,
            )
        return len(email_messages)
