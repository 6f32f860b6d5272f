"""What every page of the back office on records shares: look, find, but never edit a row by hand (I7). What may change
does so through a verb, behind a form that asks for a reason (`action_page.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from django.contrib.admin import ShowFacets
from django.core.exceptions import PermissionDenied
from django.urls import URLPattern, path
from django.utils.functional import cached_property
from unfold import paginator as unfold_paginator
from unfold.admin import ModelAdmin

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as DjangoModelAdmin
    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse, HttpResponseBase

View = TypeVar("View", bound=Callable[..., Any])

PER_PAGE: Final = 50
# Pages further on would make PostgreSQL walk over everything before them; whoever needs row 50,000 narrows the search.
MOST_PAGES: Final = 1_000


if TYPE_CHECKING:
    _Base = DjangoModelAdmin[Any]  # Unfold's has no types; what it adds are class attributes
else:
    _Base = ModelAdmin


def moves_money(view: View) -> View:
    """Marks a page on which money, or the right to move it, is given away: the site asks again who sits there."""
    view.moves_money = True  # type: ignore[attr-defined]
    return view


class InfinitePaginator(unfold_paginator.InfinitePaginator):
    """Previous and next, without counting: count(*) over ten million events takes seconds.

    Bears the name of Unfold's, which its templates ask for.
    """

    @cached_property
    def count(self) -> int:
        """An upper bound, not a count."""
        return PER_PAGE * MOST_PAGES


class ReadOnlyAdmin(_Base):
    """Records are looked at. Buttons lead to action pages."""

    list_per_page = PER_PAGE
    paginator: ClassVar[Any] = InfinitePaginator
    show_full_result_count = False
    list_fullwidth = True
    actions: Any = None
    show_facets = ShowFacets.NEVER

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody adds a record by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Nobody edits a record."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Nobody deletes a record."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Django lets who may change look too, but asks our refusals above; ask the person's permissions instead."""
        name = f"{self.opts.app_label}.view_{self.opts.model_name}"
        return bool(request.user.has_perm(name))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Our page on the record, for those who may see it; Django's where we have none."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        page = self.record_page(request, object_id)
        return super().change_view(request, object_id, form_url, extra_context) if page is None else page

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:  # noqa: ARG002 - for subclasses
        """The page on one record, by its row id; None leaves it to Django. Raises Http404."""
        return None

    def action_urls(self, *pages: tuple[str, Callable[..., HttpResponseBase], str]) -> list[URLPattern]:
        """URLs of action pages, named after the model: (route, view, name) -> `admin:wallets_wallet_name`."""
        prefix = f"{self.opts.app_label}_{self.opts.model_name}"
        return [path(route, self.admin_site.admin_view(view), name=f"{prefix}_{name}") for route, view, name in pages]

    def allows(self, request: HttpRequest, verb: str) -> bool:
        """May this person do `verb` (`add`, `change`) to records of this kind through an action page?"""
        return bool(request.user.has_perm(f"{self.opts.app_label}.{verb}_{self.opts.model_name}"))

    def page_context(self, request: HttpRequest, obj: Model | None, **context: Any) -> dict[str, Any]:
        """What the site's page frame needs around `obj`, and `context`."""
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": obj,
            "model_admin": self,
            "title": str(obj) if obj is not None else str(self.opts.verbose_name_plural),
            **context,
        }
