"""News going up: a row written in the transaction of the change it tells of. `deliver.py` hands each piece of news to its
readers at least once, in order per subject (a wallet, an account) and reader; a Delivery row says which reader has it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class News(models.Model):
    """A fact of the past: topic and payload (primitives)."""

    id = models.BigAutoField(primary_key=True)
    bucket = models.SmallIntegerField(default=0)
    topic = models.CharField(max_length=64)
    subject = models.CharField(max_length=64, blank=True, help_text="order is kept per subject")
    payload = models.JSONField()
    happened_at = models.DateTimeField()
    handed_out = models.BooleanField(default=False, help_text="each of its readers has a delivery")

    class Meta:
        app_label = "wallets"
        verbose_name_plural = "news"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["id"], condition=Q(handed_out=False), name="news_not_handed_out"),
            models.Index(fields=["topic", "happened_at"], name="news_by_topic_and_age"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.subject}"


class Delivery(models.Model):
    """One piece of news for one reader: waiting while `delivered_at` is empty."""

    news = models.ForeignKey(News, on_delete=models.CASCADE, related_name="deliveries")
    reader = models.CharField(max_length=120)
    subject = models.CharField(max_length=64, blank=True, help_text="of its news")
    attempts = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        app_label = "wallets"
        verbose_name_plural = "deliveries"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["news", "reader"], name="delivery_once_per_news_and_reader"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["news"], condition=Q(delivered_at__isnull=True), name="delivery_waiting"),
            models.Index(
                fields=["reader", "subject", "news"], condition=Q(delivered_at__isnull=True), name="delivery_waiting_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.news_id} to {self.reader}"
