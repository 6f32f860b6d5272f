"""What every page of the back office on records shares: look, find, but never edit a row by hand (I7). What may change
does so through a verb, behind a form that asks for a reason (`action_page.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.utils.functional import cached_property
from unfold import paginator as unfold_paginator
from unfold.admin import ModelAdmin

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

PER_PAGE: Final = 50
# Pages further on would make PostgreSQL walk over everything before them; whoever needs row 50,000 narrows the search.
MOST_PAGES: Final = 1_000


class InfinitePaginator(unfold_paginator.InfinitePaginator):
    """Previous and next, without counting: count(*) over ten million events takes seconds.

    Bears the name of Unfold's, which its templates ask for.
    """

    @cached_property
    def count(self) -> int:
        """An upper bound, not a count."""
        return PER_PAGE * MOST_PAGES


class ReadOnlyAdmin(ModelAdmin):
    """Records are looked at. `row_actions` and buttons lead to action pages."""

    list_per_page: ClassVar[int] = PER_PAGE
    paginator = InfinitePaginator
    show_full_result_count: ClassVar[bool] = False
    list_fullwidth: ClassVar[bool] = True
    actions = None
    show_facets = False

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
