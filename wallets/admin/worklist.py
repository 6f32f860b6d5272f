"""What worklists share: a filter that shows by default only what still waits for somebody, and who did what when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.urls import reverse

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST_DEEDS: Final = 20


class WaitingFirstFilter(admin.SimpleListFilter):
    """What waits by default; the other choices by their names, and all. Subclasses say what each choice means."""

    default: ClassVar[tuple[str, Q]]
    others: ClassVar[Mapping[str, tuple[str, Q]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - Django's signature
        """The choices besides the default."""
        return [*((name, title) for name, (title, _) in self.others.items()), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        """Django names its default choice, the first, All."""
        choices = super().choices(changelist)
        yield {**next(choices), "display": self.default[0]}
        yield from choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 - Django's signature
        """The rows of the choice."""
        chosen = self.value()
        if chosen == "all":
            return queryset
        return queryset.filter((self.others.get(chosen or "") or self.default)[1])


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did what to a record, and why."""

    at: datetime
    who: str
    what: str


def deeds_on(record: Model) -> list[Deed]:
    """What people did to a record through the back office, the latest first. One query (and the content type's, once)."""
    entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(record), object_id=str(record.pk))
    latest = entries.select_related("user").order_by("-action_time", "-id")[:MOST_DEEDS]
    return [Deed(entry.action_time, entry.user.email, entry.get_change_message()) for entry in latest]


def buttons_of(buttons: Iterable[tuple[str, str, str, str]], pk: int) -> list[dict[str, Any]]:
    """Buttons of Unfold's header for a record: (title, model_action, icon, variant)."""
    return [
        {"title": title, "path": reverse(f"admin:wallets_{name}", args=[pk]), "icon": icon, "variant": variant, "attrs": {}}
        for title, name, icon, variant in buttons
    ]
