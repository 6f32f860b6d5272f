"""A price book is the prices a group of accounts pays, in its currency and others. Its versions are drafts until
published; a published version and its prices never change (triggers), so an event is rated with the version in force for
its account at the event's time (I8), for ever. Of several versions that take effect at one time the one published last
counts: that is how a version is replaced or withdrawn before anything was rated with it. An assignment says which book an
account uses from when; without one, the default book. A pin holds an account at one version until a date.

A negotiated book belongs to one account. Each of its versions is made of a version of its base (less `percent_off`, some
prices replaced), in the transaction that publishes either, so a charge names a price that never changes, and the price
names the list price it came from.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Final

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.functions import MD5, Cast

from pricing.meters.models import Meter, renew_catalogue_token
from wallets.accounts.models import Account
from wallets.ids import new_pin_id, new_price_book_id, new_price_version_id

TIERED: Final = ["graduated", "volume", "stairstep", "graduated_percentage"]
PER_EVENT: Final = ["percentage", "dynamic"]


class PriceBook(models.Model):
    """Prices of a group of accounts."""

    public_id = models.CharField(max_length=32, unique=True, default=new_price_book_id)
    name = models.CharField(max_length=200, unique=True)
    currency = models.CharField(max_length=16)
    is_default = models.BooleanField(default=False, help_text="used by accounts without a book of their own")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, blank=True, related_name="negotiated_books", help_text="whose it is alone"
    )
    base = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="negotiated",
        help_text="the list prices it is made of",
    )
    created_at = models.DateTimeField()

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="price_book_one_default"),
            models.UniqueConstraint(
                fields=["account", "base"], condition=Q(base__isnull=False), name="price_book_negotiated_once_per_account"
            ),
            models.CheckConstraint(
                condition=Q(account__isnull=True, base__isnull=True)
                | Q(account__isnull=False, base__isnull=False, is_default=False),
                name="price_book_negotiated_has_its_base",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.ReadOnly(name="price_book_currency_stays", fields=["currency", "account", "base"]),
            renew_catalogue_token(),
        ]

    def __str__(self) -> str:
        return self.name


class PriceVersion(models.Model):
    """One edition of a price book."""

    class Status(models.TextChoices):
        DRAFT = "DRAFT"
        PUBLISHED = "PUBLISHED"

    public_id = models.CharField(max_length=32, unique=True, default=new_price_version_id)
    book = models.ForeignKey(PriceBook, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    effective_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    derived_from = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="derived",
        help_text="the base's version it is made of",
    )
    percent_off = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0), help_text="of the base's prices")
    created_at = models.DateTimeField()

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["book", "number"], name="version_number_once_per_book"),
            models.CheckConstraint(
                condition=Q(percent_off__gte=0, percent_off__lte=100), name="version_percent_off_is_a_percentage"
            ),
            models.CheckConstraint(
                condition=Q(status="DRAFT") | Q(status="PUBLISHED", effective_at__isnull=False, published_at__isnull=False),
                name="version_published_has_its_times",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(
                name="version_published_never_changes",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__status="PUBLISHED"),
            ),
            renew_catalogue_token(),
        ]

    def __str__(self) -> str:
        return f"{self.book.name} version {self.number}"


class Price(models.Model):
    """What one unit of a meter costs when the event's properties match and the schedule is open. The most specific match
    wins; of equally specific ones a scheduled price, then an override.

    continues: the price whose counter this one goes on with: the first of a chain of versions that left its terms as they
    were, so that a new version does not start the tiers of a period again.
    """

    class Model(models.TextChoices):
        PER_UNIT = "per_unit"
        PACKAGE = "package"
        GRADUATED = "graduated"
        VOLUME = "volume"
        STAIRSTEP = "stairstep"
        PERCENTAGE = "percentage"
        GRADUATED_PERCENTAGE = "graduated_percentage"
        DYNAMIC = "dynamic"

    version = models.ForeignKey(PriceVersion, on_delete=models.CASCADE, related_name="prices")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="prices")
    currency = models.CharField(max_length=16)
    match = models.JSONField(default=dict, blank=True, help_text="property -> value; empty: every event of the meter")
    schedule = models.JSONField(default=dict, blank=True, help_text="time zone and windows; empty: always")
    model = models.CharField(max_length=20, choices=Model, default=Model.PER_UNIT)
    unit_price = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))
    unit_cost = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0), help_text="what one unit costs us")
    minimum_charge = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True, help_text="per event")
    free_units = models.DecimalField(
        max_digits=30, decimal_places=12, default=Decimal(0), help_text="the first of a period; no tier or package counts them"
    )
    package_size = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True)
    package_price = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True)
    tiers = models.JSONField(
        default=list,
        blank=True,
        help_text="in order: up_to (null in the last), unit_price or rate, flat_price; decimal strings",
    )
    percentage = models.JSONField(
        null=True, blank=True, help_text="rate, fixed, free_amount, minimum, maximum as decimal strings; free_events"
    )
    price_property = models.CharField(max_length=120, blank=True, help_text="where an event carries its own price")
    continues = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="continued_by",
        help_text="the first price with these terms: its running totals go on in this one",
    )
    derived_from = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="derived",
        help_text="the list price it is made of",
    )
    is_override = models.BooleanField(default=False, help_text="negotiated for itself")

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # By hash: an entry of PostgreSQL's B-tree holds 2,704 bytes, a match may be longer.
            models.UniqueConstraint(
                "version",
                "meter",
                "currency",
                MD5(Cast("match", TextField())),
                MD5(Cast("schedule", TextField())),
                name="price_once_per_meter_currency_match_and_schedule",
            ),
            models.CheckConstraint(condition=~Q(currency=""), name="price_currency_is_named"),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="price_unit_price_not_negative"),
            models.CheckConstraint(condition=Q(unit_cost__gte=0), name="price_unit_cost_not_negative"),
            models.CheckConstraint(
                condition=Q(minimum_charge__isnull=True) | Q(minimum_charge__gte=0), name="price_minimum_charge_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(model__in=["per_unit", "package", *TIERED, *PER_EVENT]), name="price_model_is_known"
            ),
            models.CheckConstraint(
                condition=Q(model="per_unit") | Q(unit_price=0), name="price_unit_price_goes_with_its_model"
            ),
            models.CheckConstraint(
                condition=Q(free_units=0) | Q(free_units__gt=0) & ~Q(model__in=PER_EVENT),
                name="price_free_units_go_with_its_model",
            ),
            models.CheckConstraint(
                condition=Q(model="package", package_size__isnull=False, package_price__isnull=False)
                & Q(package_size__gt=0, package_price__gte=0)
                | ~Q(model="package") & Q(package_size__isnull=True, package_price__isnull=True),
                name="price_package_goes_with_its_model",
            ),
            models.CheckConstraint(
                condition=Q(model__in=TIERED) & ~Q(tiers=[]) | ~Q(model__in=TIERED) & Q(tiers=[]),
                name="price_tiers_go_with_its_model",
            ),
            models.CheckConstraint(
                condition=Q(model="percentage", percentage__isnull=False) | ~Q(model="percentage") & Q(percentage__isnull=True),
                name="price_percentage_goes_with_its_model",
            ),
            models.CheckConstraint(
                condition=Q(model="dynamic") & ~Q(price_property="") | ~Q(model="dynamic") & Q(price_property=""),
                name="price_property_goes_with_its_model",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Trigger(
                name="price_of_published_version_never_changes",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF EXISTS (
                        SELECT 1 FROM pricing_priceversion
                        WHERE id IN (COALESCE(NEW.version_id, OLD.version_id), COALESCE(OLD.version_id, NEW.version_id))
                          AND status = 'PUBLISHED'
                    ) THEN
                        RAISE EXCEPTION 'prices of a published version never change' USING ERRCODE = 'check_violation';
                    END IF;
                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="price_continues_the_same_terms",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__continues__isnull=False),
                declare=[("first", "pricing_price%ROWTYPE")],
                # By its key and nothing else, so that a table the planner knows nothing of yet is not searched for it.
                func="""
                    SELECT * INTO first FROM pricing_price WHERE id = NEW.continues_id;
                    IF first.id IS NULL OR first.id = NEW.id OR first.continues_id IS NOT NULL
                       OR ROW(first.meter_id, first.currency, first.model, first.unit_price, first.free_units, first.tiers,
                              first.package_size, first.package_price, first.percentage, first.price_property,
                              first.minimum_charge)
                          IS DISTINCT FROM
                          ROW(NEW.meter_id, NEW.currency, NEW.model, NEW.unit_price, NEW.free_units, NEW.tiers,
                              NEW.package_size, NEW.package_price, NEW.percentage, NEW.price_property,
                              NEW.minimum_charge)
                    THEN
                        RAISE EXCEPTION 'price % does not continue price %: that is the first with the same terms',
                            NEW.id, NEW.continues_id USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.meter_id} {self.match} {self.unit_price}"


class Assignment(models.Model):
    """From `effective_at` on, `account` pays the prices of `book`."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="price_book_assignments")
    book = models.ForeignKey(PriceBook, on_delete=models.PROTECT, related_name="assignments")
    effective_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["account", "effective_at"], name="assignment_one_per_account_and_time"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [renew_catalogue_token()]

    def __str__(self) -> str:
        return f"{self.account_id} {self.book_id}"


class VersionPin(models.Model):
    """From `effective_at` until before `until`, `account` pays the prices of `version`, whatever its book does meanwhile."""

    public_id = models.CharField(max_length=32, unique=True, default=new_pin_id)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="version_pins")
    version = models.ForeignKey(PriceVersion, on_delete=models.PROTECT, related_name="pins")
    effective_at = models.DateTimeField()
    until = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=254, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(until__gte=F("effective_at")), name="pin_ends_after_it_begins"),
            # The account as a range of one, so that no extension is needed. An empty range meets nothing.
            ExclusionConstraint(
                name="pins_of_an_account_do_not_overlap",
                expressions=[
                    (Func(F("account"), F("account"), Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
                    (
                        Func(F("effective_at"), F("until"), function="tstzrange", output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="pin_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="pin_stays_but_for_its_end", fields=["account", "version", "effective_at", "created_at"]),
            renew_catalogue_token(),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.version_id}"
