"""An API key lets a program act. Only its SHA-256 is stored (a key carries 256 random bits, so a slow hash would add
nothing); `prefix` is what people recognise it by. A key confined to an account sees nothing of any other. A personal key acts
as a person of the staff, who made it for themselves: with their rights, and what it asks or decides is theirs."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from wallets.accounts.models import Account, User

SCOPES = (
    "events:write",
    "gate:check",
    "holds:write",
    "accounts:read",
    "accounts:write",
    "wallets:write",
    "pricing:read",
    "pricing:write",
    "reports:read",
    "approvals:read",
    "approvals:write",
)


class ApiKey(models.Model):
    """One key: its name, what it may do, and for whom."""

    prefix = models.CharField(max_length=16, unique=True)
    key_hash = models.BinaryField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    scopes = ArrayField(models.CharField(max_length=32))
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.PROTECT, related_name="api_keys")
    person = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="api_keys", help_text="whom a personal key acts as"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "wallets"
        verbose_name = "API key"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(scopes__contained_by=list(SCOPES)), name="api_key_scopes_are_known"),
            models.CheckConstraint(
                condition=models.Q(person__isnull=True) | models.Q(account__isnull=True), name="api_key_acts_for_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
