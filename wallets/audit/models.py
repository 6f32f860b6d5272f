"""An audit event says that somebody changed something: who, what, which fields before and after, why, when, from where. Events
are only ever added (triggers audit_event_is_append_only, audit_event_is_not_truncated), in the transaction of the change they
tell of, so that one cannot exist without the other. Secrets are never in them (`clean.py`).

The person is named by row, not by address: who is forgotten as a person is forgotten here too.
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from wallets.accounts.models import Account, User
from wallets.append_only import append_only


class AuditEvent(models.Model):
    """Somebody changed something."""

    at = models.DateTimeField()
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="audit_events")
    actor = models.CharField(max_length=120, blank=True, help_text="api:key_… or system:…; empty: a person")
    action = models.CharField(max_length=120, help_text="Grant credit; POST /wallets/{wallet_id}/credits; system: what ran")
    subject_kind = models.CharField(max_length=60, help_text="wallets.wallet, pricing.plan …")
    subject = models.CharField(max_length=120, blank=True, help_text="its public id, key or code")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    before = models.JSONField(default=dict, blank=True, help_text="the fields that changed, as they were")
    after = models.JSONField(default=dict, blank=True, help_text="the fields that changed, as they are")
    details = models.JSONField(default=dict, blank=True, help_text="what was asked for")
    reason = models.CharField(max_length=500, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        app_label = "wallets"
        verbose_name = "audit event"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=(Q(user__isnull=False) & Q(actor="")) | (Q(user__isnull=True) & ~Q(actor="")),
                name="audit_event_says_who",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-at", "-id"], name="audit_by_time"),
            models.Index(fields=["account", "-at", "-id"], name="audit_of_account"),
            models.Index(fields=["subject_kind", "subject", "-id"], name="audit_of_subject"),
            models.Index(fields=["subject"], name="audit_by_subject", opclasses=["text_pattern_ops"]),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = append_only("audit_event")

    def __str__(self) -> str:
        return f"{self.action} {self.subject}".strip()

    @property
    def who(self) -> str:
        """The person's address, the key or the job. Reads `user`."""
        return self.user.email if self.user is not None else self.actor
