"""A stored answer: the first answer to a request with an Idempotency-Key, with the hash of its body, written in the
transaction of its effect (so effect and answer exist together or not at all). Kept 30 days."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class StoredAnswer(models.Model):
    """One request that was answered; unique by caller and key."""

    caller = models.CharField(max_length=64, help_text="API key prefix")
    key = models.CharField(max_length=255)
    body_hash = models.BinaryField(max_length=32)
    status = models.SmallIntegerField(default=0, help_text="0 while the first request is under way")
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["caller", "key"], name="answer_once_per_caller_and_key"),
        ]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"
