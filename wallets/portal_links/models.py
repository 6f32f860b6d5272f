"""A portal link opens the customer's pages of one account, once: for a member who is named, or for a guest who looks. It is
made by a program, works until `expires_at`, and its session ends at `ends_at`. Only the hash of what stands in the link is
kept. What it was made for never changes, and it is used once (triggers portal_link_is_as_it_was_made,
portal_link_is_used_once)."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from wallets.accounts.models import Account, User


class PortalLink(models.Model):
    """A one-time link into the portal, and the session it began."""

    public_id = models.CharField(max_length=40, unique=True, help_text="pls_…")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="portal_links")
    user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.CASCADE, related_name="+", help_text="empty: a guest"
    )
    read_only = models.BooleanField()
    token_hash = models.CharField(max_length=64, unique=True)
    session_minutes = models.SmallIntegerField()
    return_url = models.CharField(max_length=500, blank=True)
    made_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="of the session")

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(user__isnull=False) | Q(read_only=True), name="portal_link_of_a_guest_only_reads"
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True, ends_at__isnull=True) | Q(used_at__isnull=False, ends_at__isnull=False),
                name="portal_link_used_has_an_end",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["account", "-created_at"], name="portal_links_of_account"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.ReadOnly(
                name="portal_link_is_as_it_was_made",
                fields=[
                    *("public_id", "account", "user", "read_only", "token_hash", "session_minutes", "return_url", "made_by"),
                    *("created_at", "expires_at"),
                ],
            ),
            pgtrigger.Protect(
                name="portal_link_is_used_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__used_at__isnull=False, new__used_at__df=pgtrigger.F("old__used_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
