"""An account is a customer company. The vendor's own key for it (`acme`) is its public name, on the wire and in every
page. A user is a person who signs in (finance staff or a customer); a member is a user with a role in an account.

An invitation asks somebody by e-mail to become a member; it is PENDING, then ACCEPTED or REVOKED, once (one table of moves,
INVITATION_MOVES), or past its `expires_at`.

`bucket` is given once, when the account is opened (crc32 of its key modulo HOT_BUCKETS), and stands on every row the hot
path touches, so that one machine can become many (constraint account_key_is_printable keeps keys comparable).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, Final

import pgtrigger
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Upper


class PersonManager(UserManager["User"]):
    """Creates users by e-mail address instead of user name."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:  # type: ignore[override]
        """A person with this e-mail address (stored in lower case)."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:  # type: ignore[override]
        """An administrator with every right."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """A person; signs in with an e-mail address."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail", unique=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    signed_up_at = models.DateTimeField(
        null=True, blank=True, help_text="empty: made by staff or a program, who vouch for the address"
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[PersonManager] = PersonManager()

    class Meta:
        app_label = "wallets"

    def __str__(self) -> str:
        return self.email


def usual_percents() -> list[int]:
    """Of the reference balance: what an account is told of unless somebody says otherwise."""
    return [5, 20, 50]


class Account(models.Model):
    """A customer company."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE"
        SUSPENDED = "SUSPENDED"

    class OnOutage(models.TextChoices):
        CLOSED = "closed"
        OPEN = "open"

    class CaptureAbove(models.TextChoices):
        EXCESS = "excess"
        REFUSE = "refuse"
        CAP = "cap"

    class FinalUnitAction(models.TextChoices):
        TERMINATE = "terminate"
        REDIRECT = "redirect"
        RESTRICT = "restrict"

    bucket = models.SmallIntegerField()
    key = models.CharField(max_length=120, unique=True)
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    currency = models.CharField(max_length=16, default="USD", help_text="of its first wallet")
    time_zone = models.CharField(max_length=64, default="UTC", help_text="IANA name; periods of this account end there")
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2")
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    on_outage = models.CharField(max_length=6, choices=OnOutage, default=OnOutage.CLOSED)
    offline_allowance = models.DecimalField(
        max_digits=30, decimal_places=12, default=Decimal(0), help_text="let through while the stores cannot be reached"
    )
    capture_above = models.CharField(max_length=6, choices=CaptureAbove, default=CaptureAbove.EXCESS)
    final_unit_action = models.CharField(max_length=9, choices=FinalUnitAction, default=FinalUnitAction.TERMINATE)
    final_unit_url = models.CharField(max_length=500, blank=True, help_text="empty: the top-up page")
    threshold_percents = ArrayField(
        models.SmallIntegerField(), default=usual_percents, blank=True, help_text="of wallets that have none of their own"
    )
    final_unit_meters = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, help_text="by its owner, for good; it is suspended, too")

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True) | models.Q(status="SUSPENDED"), name="account_closed_is_suspended"
            ),
            models.CheckConstraint(condition=models.Q(on_outage__in=["closed", "open"]), name="account_on_outage_is_known"),
            models.CheckConstraint(condition=models.Q(offline_allowance__gte=0), name="account_offline_allowance_not_negative"),
            models.CheckConstraint(
                condition=models.Q(capture_above__in=["excess", "refuse", "cap"]), name="account_capture_above_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(final_unit_action__in=["terminate", "redirect", "restrict"]),
                name="account_final_unit_action_is_known",
            ),
            models.CheckConstraint(condition=models.Q(status__in=["ACTIVE", "SUSPENDED"]), name="account_status_is_known"),
            models.CheckConstraint(
                condition=models.Q(key__regex=r"^[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,119}$"),
                name="account_key_is_printable",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(OpClass(Upper("name"), "text_pattern_ops"), name="account_by_name"),
            models.Index(OpClass(Upper("email"), "text_pattern_ops"), name="account_by_email"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.ReadOnly(name="account_bucket_and_key_stay", fields=["bucket", "key"]),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"


class Member(models.Model):
    """A person's role in an account; one person may be in several."""

    class Role(models.TextChoices):
        OWNER = "OWNER"
        ADMIN = "ADMIN"
        BILLING = "BILLING"
        DEVELOPER = "DEVELOPER"
        VIEWER = "VIEWER"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    created_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["account", "user"], name="member_once_per_account"),
            models.CheckConstraint(
                condition=models.Q(role__in=["OWNER", "ADMIN", "BILLING", "DEVELOPER", "VIEWER"]),
                name="member_role_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} of {self.account_id}"


INVITATION_MOVES: Final = (("PENDING", "ACCEPTED"), ("PENDING", "REVOKED"))


class Invitation(models.Model):
    """Somebody is asked by e-mail to become a member of an account."""

    class State(models.TextChoices):
        PENDING = "PENDING"
        ACCEPTED = "ACCEPTED"
        REVOKED = "REVOKED"

    public_id = models.CharField(max_length=40, unique=True, help_text="inv_…")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField("e-mail")
    role = models.CharField(max_length=10, choices=Member.Role)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    accepted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["account", "email"], condition=models.Q(state="PENDING"), name="one_pending_invitation_of_an_address"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["PENDING", "ACCEPTED", "REVOKED"]), name="invitation_state_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["OWNER", "ADMIN", "BILLING", "DEVELOPER", "VIEWER"]),
                name="invitation_role_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(state="ACCEPTED", accepted_by__isnull=False)
                | models.Q(~models.Q(state="ACCEPTED"), accepted_by__isnull=True),
                name="invitation_accepted_by_somebody",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.FSM(
                name="invitation_moves",
                field="state",
                transitions=list(INVITATION_MOVES),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.account_id}"
