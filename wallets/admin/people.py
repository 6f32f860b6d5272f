"""People who sign in: staff with their roles, customers with their accounts. They sign in with an e-mail address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.paginator import Paginator
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from wallets.accounts.models import Member, User
from wallets.admin.read_only import PER_PAGE
from wallets.clock import now


class PersonCreationForm(UserCreationForm):
    """A new person: an address and a password."""

    class Meta:
        model = User
        fields = ("email",)


class MemberInline(TabularInline):
    """The accounts of a person."""

    model = Member
    fields: ClassVar[Sequence[str]] = ("account", "role")
    autocomplete_fields: ClassVar[Sequence[str]] = ("account",)
    extra = 0


@admin.register(User)
class PersonAdmin(DjangoUserAdmin, ModelAdmin):
    """People: found by e-mail address or name."""

    form = UserChangeForm
    add_form = PersonCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display: ClassVar[Sequence[str]] = ("email", "first_name", "last_name", "is_staff", "is_active", "last_login")
    list_filter: ClassVar[Sequence[Any]] = ("is_staff", "is_active", "groups")
    search_fields: ClassVar[Sequence[str]] = ("email", "first_name", "last_name")
    ordering: ClassVar[Sequence[str]] = ("email",)
    inlines: ClassVar[Sequence[Any]] = (MemberInline,)
    list_per_page: ClassVar[int] = PER_PAGE
    paginator = Paginator
    list_fullwidth = True
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "time_zone")}),
        ("Back office", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
    )
    add_fieldsets: ClassVar[Any] = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    def save_formset(self, request: Any, form: Any, formset: Any, change: Any) -> None:
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
class RoleAdmin(DjangoGroupAdmin, ModelAdmin):
    """Roles: named sets of permissions (`billing_site/backoffice/roles.py`)."""
