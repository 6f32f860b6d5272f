"""Versions of price books: looked at by meter, edited while drafts, compared, published with a reason, withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.forms import DateTimeField, DateTimeInput
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.timezone import localtime
from unfold.decorators import display
from unfold.widgets import INPUT_CLASSES

from pricing.admin.price_books import NextVersionForm, version_status
from pricing.admin.price_compare import change_name, compare, side_text
from pricing.admin.price_editor import edit_draft
from pricing.admin.price_files import download, run_import_page
from pricing.admin.price_rows import MOST_SHOWN, price_groups
from pricing.books.models import PriceVersion
from pricing.books.price_files import Row
from pricing.books.publish import publish_version, withdraw_version
from pricing.books.queries import live_version, published_of, version_at, version_before
from pricing.books.roll_forward import replace_prices, roll_forward
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.clock import now

Status = PriceVersion.Status
MOST_CHANGES: Final = 30


class PublishForm(ReasonForm):
    """From when a draft is the price."""

    field_order = ["effective_at", "reason"]

    effective_at = DateTimeField(
        required=False,
        widget=DateTimeInput(attrs={"type": "datetime-local", "step": "1", "class": " ".join(INPUT_CLASSES)}),
        help_text="In your time zone. Empty: now. Usage before this moment keeps its old price.",
    )


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
        """The actions' pages."""
        return [
            *self.action_urls(
                ("<int:pk>/publish/", self.publish_view, "publish"),
                ("<int:pk>/withdraw/", self.withdraw_view, "withdraw"),
                ("<int:pk>/copy/", self.copy_view, "copy"),
                ("<int:pk>/edit/", self.edit_view, "edit"),
                ("<int:pk>/compare/", self.compare_view, "compare"),
                ("<int:pk>/import/", self.import_view, "import"),
                ("<int:pk>/prices.<str:kind>", self.file_view, "file"),
            ),
            *super().get_urls(),
        ]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """A version with its prices by meter."""
        version = self._version(object_id)
        at = now()
        in_force = live_version(book=version.book, at=at)
        status = version_status(version, in_force, at=at)
        groups = price_groups(version)
        context = self.page_context(
            request,
            version,
            version=version,
            status=status,
            groups=groups,
            count=version.prices.count(),
            most=MOST_SHOWN,
            actions_detail=self._buttons(request, version, status),
        )
        return TemplateResponse(request, "admin/price_version_page.html", context)

    def edit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change a draft's prices."""
        version = self._version(pk)
        self._may_change(request, version)
        if version.status != Status.DRAFT:
            messages.warning(request, "A published version never changes: make a new one from it.")
            return HttpResponseRedirect(self._page_of(version))
        return edit_draft(self, request, version)

    def compare_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What differs from another version of the book, the one in force unless another is chosen."""
        version = self._version(pk)
        if not self.has_view_permission(request):
            raise PermissionDenied
        others = PriceVersion.objects.filter(book_id=version.book_id).exclude(pk=version.pk).order_by("-number")[:50]
        asked = request.GET.get("against", "")
        against = self._version(asked) if asked else self._before(version)
        if against is not None and against.book_id != version.book_id:
            raise Http404
        context = self.page_context(
            request,
            version,
            title=f"Version {version.number} compared",
            version=version,
            against=against,
            others=list(others),
            comparison=compare(against, version),
            actions_detail=self._buttons(request, version, "draft")[-1:] if version.status == Status.DRAFT else [],
        )
        return TemplateResponse(request, "admin/price_compare_page.html", context)

    def import_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let a draft hold the prices of a file."""
        version = self._version(pk)
        self._may_change(request, version)

        def take(rows: Sequence[Row], note: str) -> HttpResponse:  # noqa: ARG001 - a draft keeps its note
            replace_prices(version=version, prices=[row.terms for row in rows])
            self.log_change(request, version, "Imported prices")
            messages.info(request, f"The draft holds the {len(rows)} prices of the file.")
            return HttpResponseRedirect(reverse("admin:pricing_priceversion_compare", args=[pk]))

        context = self.page_context(request, version, title="Import prices", back=self._page_of(version), replaces=True)
        return run_import_page(request, context, take)

    def file_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """A version's prices as CSV or JSON."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return download(self._version(pk), kind)

    def copy_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin a new version with these prices."""
        version = self._version(pk)
        self._may_change(request, version)

        def perform(answers: dict[str, Any]) -> HttpResponse:
            draft = roll_forward(book=version.book, version=version, at=now(), note=answers["note"])
            self.log_change(request, draft, f"Drafted from version {version.number}")
            return HttpResponseRedirect(reverse("admin:pricing_priceversion_edit", args=[draft.pk]))

        page = ActionPage(
            f"New version from version {version.number}", "Draft version", NextVersionForm, self._page_of(version), perform,
            warning="Prices left as they are keep counting where they are: their tiers do not begin again.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, version))

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make a draft the price from a moment on."""
        version = self._version(pk)
        self._may_change(request, version)

        def preview(answers: dict[str, Any]) -> list[Change]:
            start = answers["effective_at"]
            begin = "now" if start is None else f"{localtime(start):%d %b %Y %H:%M %Z}"
            at = now() if start is None else start
            comparison = compare(version_before(book=version.book, effective_at=at), version)
            changes = [Change(change_name(one), side_text(one.old), side_text(one.new)) for one in comparison.prices]
            more = len(changes) - MOST_CHANGES + comparison.more
            rest = [Change(f"and {more} more prices", "", "see the comparison")] if more > 0 else []
            return [Change("In force from", "draft", begin), *changes[:MOST_CHANGES], *rest]

        def perform(answers: dict[str, Any]) -> str:
            at = now()
            publish_version(version=version, effective_at=answers["effective_at"] or at, at=at)
            self.log_change(request, version, f"Published: {answers['reason']}")
            return f"Version {version.number} of {version.book.name} is published."

        page = ActionPage(
            f"Publish version {version.number}", "Publish version", PublishForm, self._page_of(version), perform, preview,
            warning="A published version never changes; a correction is a new version.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, version))

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keep a version published for later from taking effect."""
        version = self._version(pk)
        self._may_change(request, version)

        def perform(answers: dict[str, Any]) -> str:
            stands = withdraw_version(version=version, at=now(), reason=answers["reason"])
            self.log_change(request, version, f"Withdrawn: {answers['reason']}")
            return f"Version {version.number} will not take effect: version {stands.number} does in its place."

        def preview(_: dict[str, Any]) -> list[Change]:
            before = version_before(book=version.book, effective_at=version.effective_at) if version.effective_at else None
            name = f"the prices of version {before.number}" if before else "no prices"
            when = f"{localtime(version.effective_at):%d %b %Y %H:%M %Z}" if version.effective_at else ""
            return [Change(f"From {when}", f"version {version.number}", name)]

        page = ActionPage(
            f"Withdraw version {version.number}", "Withdraw version", ReasonForm, self._page_of(version), perform, preview,
            danger=True,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, version))

    def _buttons(self, request: HttpRequest, version: PriceVersion, status: str) -> list[dict[str, Any]]:
        """What can be done with a version, the likeliest last."""
        may = self.allows(request, "change") and version.book.base_id is None
        found = [("Compare", "compare", "compare_arrows", "default")]
        if may and status == "draft":
            found += [
                ("Import", "import", "upload", "default"),
                ("Edit prices", "edit", "edit", "default"),
                ("Publish", "publish", "publish", "primary"),
            ]
        elif may:
            found += [("Withdraw", "withdraw", "undo", "danger")] if status == "published" else []
            found += [("New version from this", "copy", "add", "primary")]
        buttons = [
            {
                "title": title,
                "path": reverse(f"admin:pricing_priceversion_{view}", args=[version.pk]),
                "icon": icon,
                "variant": variant,
                "attrs": {},
            }
            for title, view, icon, variant in found
        ]
        if request.user.has_perm("metering.view_hourlyusage"):
            page = f"{reverse('admin:simulate')}?version={version.public_id}"
            simulate = {"title": "Simulate", "path": page, "icon": "calculate", "variant": "default", "attrs": {}}
            buttons.insert(0, simulate)
        return buttons

    def _before(self, version: PriceVersion) -> PriceVersion | None:
        """What a version is compared with: the one before it, of a draft the one in force."""
        if version.effective_at is not None and version.status == Status.PUBLISHED:
            return version_before(book=version.book, effective_at=version.effective_at)
        published = published_of(version.book_id)
        return version_at(published, now()) or (published[-1] if published else None)

    def _may_change(self, request: HttpRequest, version: PriceVersion) -> None:
        if not self.allows(request, "change") or version.book.base_id is not None:
            raise PermissionDenied

    def _page_of(self, version: PriceVersion) -> str:
        return reverse("admin:pricing_priceversion_change", args=[version.pk])

    def _version(self, pk: int | str) -> PriceVersion:
        versions = PriceVersion.objects.select_related("book", "book__account", "derived_from__book")
        version = versions.filter(pk=pk).first() if str(pk).isdecimal() else None
        if version is None:
            raise Http404
        return version
