"""The vendor's brand: one page. Everything on it is public."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.forms import BooleanField, FileField, ModelForm, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanSwitchWidget

from wallets.admin.rules_page import RulesAdmin
from wallets.brand.change import change_brand, check_brand
from wallets.brand.colour import accents_of
from wallets.brand.logo import EXPECTED, MOST_BYTES, check_logo
from wallets.brand.models import Brand
from wallets.clock import now
from wallets.errors import InvalidInput

if TYPE_CHECKING:
    _BrandForm = ModelForm[Brand]
else:
    _BrandForm = ModelForm


class BrandForm(_BrandForm):
    """The fields, and a file for the logo."""

    logo_file = FileField(label="Logo", required=False, widget=UnfoldAdminFileFieldWidget, help_text=f"{EXPECTED}.")
    without_logo = BooleanField(label="Without a logo", required=False, widget=UnfoldBooleanSwitchWidget)

    class Meta:
        model = Brand
        exclude: ClassVar[tuple[str, ...]] = ()

    def clean(self) -> dict[str, Any]:
        """What the verb refuses is said at its field."""
        found = super().clean() or self.cleaned_data
        file = found.get("logo_file")
        try:
            found["logo"] = check_logo(file.read(MOST_BYTES + 1)) if isinstance(file, UploadedFile) else None
        except InvalidInput as refusal:
            self._say(refusal, {"logo": "logo_file"})
        try:
            found |= check_brand(found)
        except InvalidInput as refusal:
            self._say(refusal, {})
        return found

    def _say(self, refusal: InvalidInput, names: dict[str, str]) -> None:
        for name, expected in refusal.fields.items():
            self.add_error(names.get(name, name), ValidationError(f"Expected: {expected}."))


@admin.register(Brand)
class BrandAdmin(RulesAdmin):
    """The list is the page: there is one brand."""

    form = BrandForm
    list_display = ("name", "colours_column", "logo_column", "changed_at")
    readonly_fields = ("colours_column", "logo_column", "changed_at")
    ordering = ("id",)
    fieldsets = (
        (None, {"fields": ("name", ("logo_file", "without_logo"), "logo_column", "colour", "colours_column")}),
        ("Whom customers ask", {"fields": (("support_email", "support_url"),)}),
        (
            "Legal texts",
            {"fields": ("terms_url", "terms_text", "privacy_url", "privacy_text", "refunds_url", "refunds_text")},
        ),
        ("Widget", {"fields": ("embed_origins", "changed_at")}),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Straight to it."""
        if self.has_view_permission(request):
            if Brand.objects.filter(pk=1).exists():
                return HttpResponseRedirect(reverse("admin:wallets_brand_change", args=[1]))
            if self.has_add_permission(request):
                return HttpResponseRedirect(reverse("admin:wallets_brand_add"))
        return super().changelist_view(request, extra_context)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Once."""
        if self.has_add_permission(request) and Brand.objects.filter(pk=1).exists():
            return HttpResponseRedirect(reverse("admin:wallets_brand_change", args=[1]))
        return super().add_view(request, form_url, extra_context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Fields are emptied instead."""
        return False

    def save_model(self, request: HttpRequest, obj: Brand, form: Any, change: bool) -> None:  # noqa: ARG002, FBT001 - Django's signature
        """By the verb."""
        found = form.cleaned_data
        row = change_brand(values=found, logo=found["logo"], without_logo=found.get("without_logo", False), at=now())
        obj.pk, obj.changed_at = row.pk, row.changed_at

    @display(description="On pages")
    def colours_column(self, row: Brand) -> str:
        """What was made of the colour."""
        if not row.colour:
            return "our own"
        light, dark = accents_of(row.colour)
        return f"{light.accent} on light pages, {dark.accent} on dark ones"

    @display(description="Logo now")
    def logo_column(self, row: Brand) -> SafeString | str:
        """As customers see it."""
        if not row.logo_sha256:
            return "none"
        address = reverse("brand_logo", args=[f"{row.logo_sha256[:20]}.{row.logo_type.removeprefix('image/')}"])
        return format_html('<img src="{}" alt="Logo" height="40">', address)
