"""Price books: what a group of accounts pays, from when; and the way to a new version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.forms import BooleanField, CharField, ChoiceField, DecimalField, Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from pricing.admin.price_files import run_import_page
from pricing.admin.price_rows import price_groups
from pricing.books.draft import create_price_book, draft_version
from pricing.books.models import Assignment, PriceBook, PriceVersion
from pricing.books.price_files import Row
from pricing.books.price_terms import PriceTerms
from pricing.books.queries import published_of, version_at
from pricing.books.roll_forward import roll_forward
from pricing.meters.models import Meter
from wallets.admin.action_page import ActionPage, run_action_page
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.clock import now

Status = PriceVersion.Status
VERSIONS_SHOWN: Final = 50
ASSIGNMENTS_SHOWN: Final = 50
STATUS_CHIPS: Final = {"in force": "good", "draft": "soon", "published": "info"}


class NewBookForm(Form):
    """A price book to be."""

    name = CharField(max_length=200, widget=UnfoldAdminTextInputWidget())
    currency = CharField(max_length=16, initial="USD", widget=UnfoldAdminTextInputWidget(), help_text="USD, EUR, a credit unit")
    is_default = BooleanField(
        required=False, widget=UnfoldBooleanSwitchWidget(), help_text="Accounts without a book of their own pay these prices."
    )


class NextVersionForm(Form):
    """What a new draft is called."""

    note = CharField(
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="What changes, for those who see the list.",
    )


class FirstVersionForm(NextVersionForm):
    """The first price of a book without any; others are added in the editor."""

    field_order = ["meter", "unit_price", "note"]

    meter = ChoiceField(widget=UnfoldAdminSelectWidget())
    unit_price = DecimalField(
        min_value=0, max_digits=30, decimal_places=12, widget=UnfoldAdminTextInputWidget(),
        help_text="What one unit costs, to begin with.",
    )  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        codes = Meter.objects.filter(archived_at__isnull=True).order_by("code").values_list("code", flat=True)
        self.fields["meter"].choices = [(code, code) for code in codes]  # type: ignore[attr-defined]


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
            "-effective_at", "-published_at", "-id"
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
        book = self._book(object_id)
        at = now()
        versions = list(
            PriceVersion.objects.filter(book=book).annotate(price_count=Count("prices")).order_by("-number")[:VERSIONS_SHOWN]
        )
        in_force = version_at(published_of(book.pk), at)
        assignments = Assignment.objects.filter(book=book).select_related("account").order_by("-effective_at", "-id")
        context = self.page_context(
            request,
            book,
            book=book,
            as_of=at,
            in_force=in_force,
            groups=price_groups(in_force, examples=False),
            versions=[(version, version_status(version, in_force, at=at)) for version in versions],
            assignments=list(assignments[:ASSIGNMENTS_SHOWN]),
            negotiated=list(PriceBook.objects.filter(base=book).select_related("account").order_by("id")[:ASSIGNMENTS_SHOWN]),
            actions_detail=self._buttons(request, book),
        )
        return TemplateResponse(request, "admin/price_book_page.html", context)

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        return [
            *self.action_urls(
                ("new/", self.new_view, "new"),
                ("<int:pk>/draft/", self.draft_view, "draft"),
                ("<int:pk>/import/", self.import_view, "import"),
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to a new book."""
        response: HttpResponse = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context is not None and self.allows(request, "add"):
            context["actions_list"] = [_button("New price book", reverse("admin:pricing_pricebook_new"), "add", "primary")]
        return response

    def new_view(self, request: HttpRequest) -> HttpResponse:
        """Make a book without prices."""
        if not self.allows(request, "add"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> HttpResponse:
            book = create_price_book(at=now(), **answers)
            self.log_addition(request, book, "Created")
            messages.info(request, f"{book.name} is made. Draft its first version.")
            return HttpResponseRedirect(reverse("admin:pricing_pricebook_change", args=[book.pk]))

        back = reverse("admin:pricing_pricebook_changelist")
        page = ActionPage("New price book", "Create price book", NewBookForm, back, perform)
        return run_action_page(request, page, self.page_context(request, None))

    def draft_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin a new version: with the prices in force, else with a first price."""
        book = self._book(pk)
        self._may_draft(request, book)
        published = published_of(book.pk)
        before = version_at(published, now()) or (published[-1] if published else None)

        def perform(answers: dict[str, Any]) -> HttpResponse:
            if before is not None:
                version = roll_forward(book=book, version=before, at=now(), note=answers["note"])
            else:
                first = PriceTerms(meter=answers["meter"], unit_price=answers["unit_price"])
                version = draft_version(book=book, prices=[first], at=now(), note=answers["note"])
            self.log_change(request, book, f"Drafted version {version.number}")
            return HttpResponseRedirect(reverse("admin:pricing_priceversion_edit", args=[version.pk]))

        back = reverse("admin:pricing_pricebook_change", args=[pk])
        page = ActionPage(
            "New version", "Draft version", NextVersionForm if before else FirstVersionForm, back, perform,
            warning=f"It begins with the prices of version {before.number}. Nobody pays them until it is published."
            if before else "Nobody pays these prices until the version is published.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, book))

    def import_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Draft a version from a file."""
        book = self._book(pk)
        self._may_draft(request, book)

        def take(rows: Sequence[Row], note: str) -> HttpResponse:
            version = draft_version(book=book, prices=[row.terms for row in rows], at=now(), note=note)
            self.log_change(request, book, f"Imported version {version.number}")
            messages.info(request, f"{len(rows)} prices are imported as a draft.")
            return HttpResponseRedirect(reverse("admin:pricing_priceversion_compare", args=[version.pk]))

        back = reverse("admin:pricing_pricebook_change", args=[pk])
        return run_import_page(
            request, self.page_context(request, book, title="Import prices", back=back, asks_note=True), take
        )

    def _buttons(self, request: HttpRequest, book: PriceBook) -> list[dict[str, Any]]:
        if book.base_id is not None or not request.user.has_perm("pricing.change_priceversion"):
            return []
        return [
            _button("Import", reverse("admin:pricing_pricebook_import", args=[book.pk]), "upload"),
            _button("New version", reverse("admin:pricing_pricebook_draft", args=[book.pk]), "add", "primary"),
        ]

    def _may_draft(self, request: HttpRequest, book: PriceBook) -> None:
        if book.base_id is not None or not request.user.has_perm("pricing.change_priceversion"):
            raise PermissionDenied

    def _book(self, pk: int | str) -> PriceBook:
        books = PriceBook.objects.select_related("account", "base")
        book = books.filter(pk=pk).first() if str(pk).isdecimal() else None
        if book is None:
            raise Http404
        return book


def _button(title: str, link: str, icon: str, variant: str = "default") -> dict[str, Any]:
    return {"title": title, "path": link, "icon": icon, "variant": variant, "attrs": {}}


def version_status(version: PriceVersion, in_force: PriceVersion | None, *, at: datetime) -> str:
    """`draft`, `published` (takes effect later), `in force` or `superseded`."""
    if version.status == Status.DRAFT or version.effective_at is None:
        return "draft"
    if in_force is not None and version.pk == in_force.pk:
        return "in force"
    return "published" if version.effective_at > at else "superseded"
