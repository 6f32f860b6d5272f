"""Numbers of documents run without a gap within a kind of document, a legal entity and a year (constraint
number_series_once). A number is taken in the transaction that uses it: rolled back, it is free again."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class NumberSeries(models.Model):
    """The last number given."""

    document = models.CharField(max_length=20, help_text="receipt, statement")
    entity = models.CharField(max_length=40)
    year = models.SmallIntegerField()
    last_number = models.IntegerField(default=0)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["document", "entity", "year"], name="number_series_once"),
        ]

    def __str__(self) -> str:
        return f"{self.document} {self.entity} {self.year}"
