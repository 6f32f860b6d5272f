"""Who came in. A sign-in says when and from where somebody signed in, or tried to, kept SIGN_INS_KEPT_DAYS and shown to that
person. A support visit says that staff looked at a customer's pages as the customer sees them, until when and why, and is shown
to the customer.

Both are only added to: a sign-in changes in no way but to lose its address and browser when its person is forgotten (trigger
sign_in_is_kept), a visit only ends (trigger support_visit_only_ends).
"""

from __future__ import annotations

from typing import ClassVar, Final

import pgtrigger
from django.db import models

from wallets.accounts.models import Account, User

SIGN_INS_KEPT_DAYS: Final = 180


class SignIn(models.Model):
    """Somebody signed in, or failed to."""

    class Outcome(models.TextChoices):
        IN = "IN"
        REFUSED = "REFUSED"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="sign_ins")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=7, choices=Outcome)
    method = models.CharField(max_length=60, help_text="password, code, mfa: in the order they were given")
    address = models.GenericIPAddressField(null=True, blank=True)
    agent = models.CharField(max_length=200, blank=True, help_text="the browser, as it calls itself")

    class Meta:
        app_label = "wallets"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "-at"], name="sign_ins_of_a_person"),
            models.Index(fields=["at"], name="sign_ins_by_age"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(outcome__in=["IN", "REFUSED"]), name="sign_in_outcome_is_known"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Trigger(
                name="sign_in_is_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'DELETE' THEN
                        IF current_setting('billing.purges', true) = 'sign_ins' THEN RETURN OLD; END IF;
                    ELSIF NEW.address IS NULL AND NEW.agent = '' AND
                          (NEW.id, NEW.user_id, NEW.at, NEW.outcome, NEW.method) =
                          (OLD.id, OLD.user_id, OLD.at, OLD.outcome, OLD.method) THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'sign-ins are kept as they are until they are purged';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.outcome} {self.at}"


class SupportVisit(models.Model):
    """Staff look at a customer's pages; they change nothing."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="support_visits")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="support_visits")
    reason = models.CharField(max_length=200)
    began_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        app_label = "wallets"
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["account", "-began_at"], name="visits_of_an_account")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(ends_at__gte=models.F("began_at")), name="visit_ends_after_it_began"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="visit_has_a_reason"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="support_visit_is_kept", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="support_visit_only_ends",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF NEW.ends_at <= OLD.ends_at AND
                       (NEW.id, NEW.account_id, NEW.user_id, NEW.reason, NEW.began_at, NEW.address) IS NOT DISTINCT FROM
                       (OLD.id, OLD.account_id, OLD.user_id, OLD.reason, OLD.began_at, OLD.address) THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'a support visit only ends';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.account_id} from {self.began_at}"
