"""People who sign in: staff with their roles, customers with their accounts. They sign in with an e-mail address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.paginator import Paginator
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from wallets.accounts.models import Member, User
from wallets.admin.read_only import PER_PAGE
from wallets.admin.recorded import RecordedForms
from wallets.clock import now

if TYPE_CHECKING:
    _UserAdmin = DjangoUserAdmin[User]
else:
    _UserAdmin = DjangoUserAdmin


class PersonCreationForm(UserCreationForm):
    """A new person: an address and a password."""

    class Meta:
        model = User
        fields = ("email",)


class MemberInline(TabularInline):
    """The accounts of a person."""

    model = Member
    fields = ("account", "role")
    autocomplete_fields = ("account",)
    extra = 0


@admin.register(User)
class PersonAdmin(RecordedForms, _UserAdmin, ModelAdmin):
    """People: found by e-mail address or name."""

    form = UserChangeForm
    add_form = PersonCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "first_name", "last_name", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    inlines = (MemberInline,)
    list_per_page = PER_PAGE
    paginator = Paginator
    list_fullwidth = True
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "time_zone")}),
        ("Back office", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Superusers are changed by superusers only, their passwords too."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:  # noqa: ARG002 - Django's signature
        """People stay, since the books name them; they are made inactive."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Nobody gives themselves a right, and nobody but a superuser makes another one."""
        if request.user.is_superuser:
            return ()
        mine = ("is_active", "is_staff", "groups") if obj is not None and obj.pk == request.user.pk else ()
        return ("is_superuser", *mine)

    def save_formset(self, request: Any, form: Any, formset: Any, change: Any) -> None:  # noqa: ARG002 - Django's
        """A new membership begins now."""
        for member in formset.save(commit=False):
            if member.created_at is None:
                member.created_at = now()
            member.save()
        for gone in formset.deleted_objects:
            gone.delete()
        formset.save_m2m()


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(RecordedForms, DjangoGroupAdmin, ModelAdmin):
    """Roles: named sets of permissions, by the table in `billing_site/backoffice/roles.py`; shown here, changed there."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """By the table."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:  # noqa: ARG002 - as above
        """By the table."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:  # noqa: ARG002 - as above
        """By the table."""
        return False
