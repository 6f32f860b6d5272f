"""A meter turns an event of one type into a quantity: a count, or the sum of a property or of an expression of properties
(`max`, `unique` and `latest` charge the increase), for events that pass its filters; its dimensions are what usage is reported
by."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class CatalogueToken(models.Model):
    """One row whose token changes with every commit that touches meters, price books, versions or assignments; processes
    that keep them in memory compare it (`pricing/books/in_force.py`)."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    token = models.UUIDField()

    class Meta:
        app_label = "pricing"

    def __str__(self) -> str:
        return str(self.token)


def renew_catalogue_token() -> pgtrigger.Trigger:
    """The trigger by which a catalogue table renews the token, once a statement."""
    return pgtrigger.Trigger(
        name="renew_catalogue_token",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func="""
            INSERT INTO pricing_cataloguetoken (id, token) VALUES (1, gen_random_uuid())
                ON CONFLICT (id) DO UPDATE SET token = EXCLUDED.token;
            RETURN NULL;
        """,
    )


class Meter(models.Model):
    """What is counted."""

    class Aggregation(models.TextChoices):
        COUNT = "count"
        SUM = "sum"
        MAX = "max"
        UNIQUE = "unique"
        LATEST = "latest"

    code = models.CharField(max_length=120, unique=True)
    name = models.CharField(max_length=200, blank=True)
    unit = models.CharField(max_length=60, blank=True, help_text="what one is called: token, call, second")
    event_type = models.CharField(max_length=120, db_index=True)
    aggregation = models.CharField(max_length=8, choices=Aggregation)
    property = models.CharField(max_length=120, blank=True, help_text="measured property; empty for count")
    expression = models.CharField(
        max_length=500, blank=True, help_text="what is measured instead of a property: input_tokens - cached_tokens"
    )
    filters = models.JSONField(default=dict, blank=True, help_text="property -> value or list of values it must have")
    dimensions = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(aggregation="count", property="", expression="")
                | Q(aggregation="unique", expression="") & ~Q(property="")
                | Q(aggregation__in=["sum", "max", "latest"]) & (Q(property="") ^ Q(expression="")),
                name="meter_property_goes_with_its_aggregation",
            ),
            models.CheckConstraint(
                condition=Q(code__regex=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,119}$"), name="meter_code_is_printable"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="meter_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="meter_measure_stays",
                fields=["code", "event_type", "aggregation", "property", "expression", "filters", "dimensions"],
            ),
            renew_catalogue_token(),
        ]

    def __str__(self) -> str:
        return self.code
