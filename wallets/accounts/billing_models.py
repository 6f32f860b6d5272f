"""What an account's statements and receipts say of whom they are for. They copy it when they are issued (`parties.py`), so
a change is for those to come. The country is the account's own: tax goes by it, too."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from wallets.accounts.models import Account


class BillingDetails(models.Model):
    """Who an account is on paper."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="billing_details")
    legal_name = models.CharField(max_length=200, blank=True, help_text="empty: the account's name")
    address = models.CharField(max_length=500, blank=True, help_text="a line each")
    tax_id = models.CharField(max_length=40, blank=True, help_text="as it was checked, without spaces")
    po_number = models.CharField(max_length=60, blank=True, help_text="of the customer's own purchase order")
    invoice_emails = ArrayField(models.EmailField(), default=list, blank=True, help_text="told of receipts and statements, too")
    changed_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        verbose_name_plural = "billing details"

    def __str__(self) -> str:
        return f"{self.account_id} {self.legal_name}".strip()
