"""What people change through the back office goes to the audit log, in the transaction of the change: action pages
(`run_action_page`), pages of their own (`recorded_action`), and Django's forms (`RecordedForms`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Model, QuerySet

from wallets.accounts.models import Account, User
from wallets.audit.record import record_change
from wallets.audit.rows import account_id_of, fields_of, kind_of, links_of, name_of
from wallets.clock import now

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest

    _Forms = ModelAdmin[Any]
else:
    _Forms = object

WHY: Final = ("reason", "note", "answer")
"""Answers that say why."""
CALLED: Final = ("account", "code", "name", "key")
"""Answers by which a thing that is made is called."""


def address_of(request: HttpRequest) -> str | None:
    """Where a request comes from; None where no address is known (a local socket)."""
    told = request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(told))
    except ValueError:
        return None


@contextmanager
def recorded_action(
    request: HttpRequest, *, action: str, record: Model | type[Model], answers: Mapping[str, Any], title: str = "", **shown: Any
) -> Iterator[None]:
    """Around what a page does: notes it with the row of `record` before and after. record: what it is done to, or the kind of
    thing that is made. answers: the cleaned form. In the transaction of the action, or it may be noted without being done."""
    row = record if isinstance(record, Model) else None
    before = fields_of(row)
    yield
    said = {name: answer for name, answer in answers.items() if answer not in (None, "", [])}
    key = said.get("account")
    about = Account.objects.filter(key=key).first() if row is None and isinstance(key, str) else None
    assert isinstance(request.user, User), action
    record_change(
        actor=request.user,
        action=action,
        subject_kind=kind_of(record),
        subject=name_of(row) if row is not None else next((str(said[name]) for name in CALLED if said.get(name)), ""),
        before=before,
        after=fields_of(row),
        reason=": ".join(str(said.pop(name)) for name in WHY if name in said),
        at=now(),
        account=account_id_of(row or about),
        details=({"page": title} if title and title != action else {})
        | dict(request.GET.items())
        | {name: str(answer) if isinstance(answer, Model) else answer for name, answer in said.items()}
        | shown,
        address=address_of(request),
    )


class RecordedForms(_Forms):
    """Django's own forms: added, changed and deleted rows, with what they link to."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row; as it is before the form changes it."""
        found = super().get_object(request, object_id, from_field)
        if found is not None and request.method == "POST":
            request.row_before = fields_of(found) | links_of(found)  # type: ignore[attr-defined]
        return found

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """It is added."""
        _record_form(request, "Add", obj, before={}, after=fields_of(obj) | links_of(obj))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """It is changed."""
        before = getattr(request, "row_before", {})
        _record_form(request, "Change", obj, before=before, after=fields_of(obj) | links_of(obj), message=message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """They are about to be deleted."""
        for one in queryset:
            _record_form(request, "Delete", one, before=fields_of(one) | links_of(one), after={})
        return super().log_deletions(request, queryset)


def _record_form(
    request: HttpRequest, verb: str, record: Model, *, before: Mapping[str, Any], after: Mapping[str, Any], message: Any = ()
) -> None:
    assert isinstance(request.user, User), verb
    record_change(
        actor=request.user,
        action=f"{verb} {record._meta.verbose_name}",  # noqa: SLF001 - Django's own way to ask
        subject_kind=kind_of(record),
        subject=name_of(record),
        before=before,
        after=after,
        reason="",
        at=now(),
        account=account_id_of(record),
        details={"form": message} if message else {},
        address=address_of(request),
    )
