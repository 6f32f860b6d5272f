"""Price books and their versions: what one unit costs, from when, and the step that publishes a draft."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.forms import DateTimeField, DateTimeInput
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.timezone import localtime
from unfold.decorators import display
from unfold.widgets import INPUT_CLASSES

from pricing.admin.price_rows import PriceRow, price_rows
from pricing.books.models import Assignment, PriceBook, PriceVersion
from pricing.books.publish import publish_version
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.clock import now

Status = PriceVersion.Status
VERSIONS_SHOWN: Final = 50
ASSIGNMENTS_SHOWN: Final = 50
STATUS_LABELS: Final[dict[str, str | None]] = {
    "in force": "success",
    "published": "info",
    "superseded": None,
    "draft": "warning",
}


class PublishForm(ReasonForm):
    """From when a draft is the price."""

    field_order = ["effective_at", "reason"]

    effective_at = DateTimeField(
        required=False,
        widget=DateTimeInput(attrs={"type": "datetime-local", "step": "1", "class": " ".join(INPUT_CLASSES)}),
        help_text="In your time zone. Empty: now. Usage before this moment keeps its old price.",
    )


@admin.register(PriceBook)
class PriceBookAdmin(ReadOnlyAdmin):
    """Price books by name."""

    list_display = (
        "name",
        "currency",
        "default_column",
        "version_column",
        "accounts_column",
        "created_at",
    )
    search_fields = ("name__icontains", "public_id__exact")
    search_help_text = "Name or id"
    ordering = ("name", "id")
    paginator = Paginator
    show_full_result_count = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[PriceBook]:
        """Books with the version in force and how many assignments name them."""
        in_force = PriceVersion.objects.filter(book=OuterRef("pk"), status=Status.PUBLISHED, effective_at__lte=now()).order_by(
            "-effective_at", "-id"
        )
        books: QuerySet[PriceBook] = super().get_queryset(request)
        return books.annotate(
            in_force=Subquery(in_force.values("number")[:1]), assigned=Count("assignments__account", distinct=True)
        )

    @display(description="Default", boolean=True, ordering="is_default")
    def default_column(self, book: PriceBook) -> bool:
        """Do accounts without a book of their own use it?"""
        return book.is_default

    @display(description="Version in force")
    def version_column(self, book: PriceBook) -> str:
        """Its number."""
        number = book.in_force  # type: ignore[attr-defined]
        return "none" if number is None else f"version {number}"

    @display(description="Accounts assigned")
    def accounts_column(self, book: PriceBook) -> int:
        """How many accounts were ever assigned to it."""
        return int(book.assigned)  # type: ignore[attr-defined]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """A book with its versions and who pays its prices."""
        book = PriceBook.objects.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        if book is None:
            raise Http404
        at = now()
        versions = list(
            PriceVersion.objects.filter(book=book).annotate(price_count=Count("prices")).order_by("-number")[:VERSIONS_SHOWN]
        )
        in_force = version_in_force(versions, at=at)
        assignments = Assignment.objects.filter(book=book).select_related("account").order_by("-effective_at", "-id")
        context = self.page_context(
            request,
            book,
            book=book,
            as_of=at,
            in_force=in_force,
            prices=price_rows(in_force) if in_force else [],
            versions=[(version, version_status(version, in_force, at=at)) for version in versions],
            assignments=list(assignments[:ASSIGNMENTS_SHOWN]),
        )
        return TemplateResponse(request, "admin/price_book_page.html", context)


@admin.register(PriceVersion)
class PriceVersionAdmin(ReadOnlyAdmin):
    """Editions of price books."""

    list_display = (
        "book_column",
        "number",
        "status_column",
        "effective_at",
        "published_at",
        "note",
    )
    list_display_links = ("book_column", "number")
    list_select_related = ("book",)
    list_filter = ("status",)
    search_fields = ("public_id__exact", "book__name__icontains", "note__icontains")
    search_help_text = "Version id, book or note"
    ordering = ("-created_at", "-id")
    paginator = Paginator
    show_full_result_count = True

    @display(description="Price book", ordering="book__name")
    def book_column(self, version: PriceVersion) -> str:
        """Of which book."""
        return version.book.name

    @display(description="Status", ordering="status", label={"PUBLISHED": "success", "DRAFT": "warning"})
    def status_column(self, version: PriceVersion) -> str:
        """Draft or published."""
        return version.status

    def get_urls(self) -> list[URLPattern]:
        """The action's page."""
        return [*self.action_urls(("<int:pk>/publish/", self.publish_view, "publish")), *super().get_urls()]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """A version with its prices."""
        version = self._version(object_id)
        at = now()
        published = PriceVersion.objects.filter(book_id=version.book_id, status=Status.PUBLISHED, effective_at__lte=at)
        in_force = published.order_by("-effective_at", "-id").first()
        buttons = []
        if version.status == Status.DRAFT and self.allows(request, "change"):
            link = reverse("admin:pricing_priceversion_publish", args=[version.pk])
            buttons.append({"title": "Publish", "path": link, "icon": "publish", "variant": "primary", "attrs": {}})
        context = self.page_context(
            request,
            version,
            version=version,
            status=version_status(version, in_force, at=at),
            prices=price_rows(version),
            actions_detail=buttons,
        )
        return TemplateResponse(request, "admin/price_version_page.html", context)

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make a draft the price from a moment on."""
        version = self._version(pk)
        if not self.allows(request, "change"):
            raise PermissionDenied

        def preview(answers: dict[str, Any]) -> list[Change]:
            start = answers["effective_at"]
            before = price_rows(_latest_published(version))
            return [
                Change("In force from", "draft", "now" if start is None else f"{localtime(start):%d %b %Y %H:%M %Z}"),
                *_changed_prices(before, price_rows(version)),
            ]

        def perform(answers: dict[str, Any]) -> str:
            at = now()
            publish_version(version=version, effective_at=answers["effective_at"] or at, at=at)
            self.log_change(request, version, f"Published: {answers['reason']}")
            return f"Version {version.number} of {version.book.name} is published."

        back = reverse("admin:pricing_priceversion_change", args=[version.pk])
        page = ActionPage(
            f"Publish version {version.number}", "Publish version", PublishForm, back, perform, preview,
            warning="A published version never changes; a correction is a new version.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, version))

    def _version(self, pk: int | str) -> PriceVersion:
        versions = PriceVersion.objects.select_related("book")
        version = versions.filter(pk=pk).first() if str(pk).isdecimal() else None
        if version is None:
            raise Http404
        return version


def version_in_force(versions: Sequence[PriceVersion], *, at: datetime) -> PriceVersion | None:
    """Of a book's versions, the published one that took effect last."""
    effective = [
        version
        for version in versions
        if version.status == Status.PUBLISHED and version.effective_at is not None and version.effective_at <= at
    ]
    return max(
        effective,
        key=lambda version: (version.effective_at or datetime.min.replace(tzinfo=UTC), version.pk),
        default=None,
    )


def version_status(version: PriceVersion, in_force: PriceVersion | None, *, at: datetime) -> str:
    """`draft`, `published` (takes effect later), `in force` or `superseded`."""
    if version.status == Status.DRAFT or version.effective_at is None:
        return "draft"
    if in_force is not None and version.pk == in_force.pk:
        return "in force"
    return "published" if version.effective_at > at else "superseded"


def _latest_published(version: PriceVersion) -> PriceVersion | None:
    published = PriceVersion.objects.filter(book_id=version.book_id, status=Status.PUBLISHED)
    return published.select_related("book").order_by("-effective_at", "-id").first()


MOST_CHANGES: Final = 30


def _changed_prices(before: Sequence[PriceRow], after: Sequence[PriceRow]) -> list[Change]:
    """The prices that differ, at most MOST_CHANGES."""
    texts = {(row.meter, row.match_text): row.price_text for row in before}
    changes = [
        Change(f"{row.meter} {row.match_text}".strip(), texts.get(key, "no price"), row.price_text)
        for row in after
        if texts.get(key := (row.meter, row.match_text)) != row.price_text
    ]
    gone = texts.keys() - {(row.meter, row.match_text) for row in after}
    changes += [Change(f"{meter} {match}".strip(), texts[meter, match], "no price") for meter, match in sorted(gone)]
    return changes[:MOST_CHANGES]
