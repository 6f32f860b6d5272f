"""The brand is how the vendor shows to customers: name, logo, colour, whom to ask, legal texts, and which pages may show the
widget. There is one (constraint brand_is_the_only_one), or none yet: then the seller's name stands everywhere.

The logo is kept here as it was checked (`logo.py`), so that every process serves the same; its hash is part of its address.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Brand(models.Model):
    """How the vendor shows to customers."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=80, blank=True, help_text="empty: the seller's name (SELLER_NAME)")
    colour = models.CharField(
        max_length=7, blank=True, help_text="as #0f766e; made darker or lighter where it could not be read; empty: ours"
    )
    support_email = models.CharField("support e-mail", max_length=254, blank=True)
    support_url = models.CharField("support page", max_length=500, blank=True)
    terms_url = models.CharField("address of the terms", max_length=500, blank=True)
    terms_text = models.TextField("or the terms themselves", blank=True)
    privacy_url = models.CharField("address of the privacy policy", max_length=500, blank=True)
    privacy_text = models.TextField("or the privacy policy itself", blank=True)
    refunds_url = models.CharField("address of the refund policy", max_length=500, blank=True)
    refunds_text = models.TextField("or the refund policy itself", blank=True)
    embed_origins = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, verbose_name="pages that may show the widget",
        help_text="origins, with commas between: https://app.example.com",
    )  # fmt: skip
    logo = models.BinaryField(null=True, editable=False)
    logo_type = models.CharField(max_length=20, blank=True, editable=False)
    logo_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    logo_width = models.SmallIntegerField(default=0, editable=False)
    logo_height = models.SmallIntegerField(default=0, editable=False)
    changed_at = models.DateTimeField(editable=False)

    class Meta:
        app_label = "wallets"
        verbose_name = "brand"
        verbose_name_plural = "brand"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(id=1), name="brand_is_the_only_one"),
            models.CheckConstraint(condition=Q(colour="") | Q(colour__regex="^#[0-9a-f]{6}$"), name="brand_colour_is_a_colour"),
            models.CheckConstraint(
                condition=Q(logo__isnull=True, logo_type="") | Q(logo__isnull=False, logo_type__in=["image/png", "image/webp"]),
                name="brand_logo_is_a_picture",
            ),
        ]

    def __str__(self) -> str:
        return self.name or "brand"
