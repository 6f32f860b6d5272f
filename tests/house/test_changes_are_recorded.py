"""Whatever changes something through the API or the back office goes to the audit log: found by walking, so that a new door
cannot be forgotten."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import admin  # noqa: TID251 - what is registered is what is tested
from django.urls import URLPattern, URLResolver, get_resolver

from billing_site.api.recording import CHANGES, NOT_RECORDED, records
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.admin.recorded import RecordedForms

# A view of the admin changes something only through one of these.
RECORDED = re.compile(r"\b(?:run_action_page|recorded_action|run_import_page|edit_draft|customer_page)\(")
READS = {
    "ledger",  # the general ledger
    "autocomplete", "compare", "csv", "dashboard", "done", "events", "export", "file", "find", "gate", "index", "jsi18n",
    "list", "live", "line", "login", "logout", "pdf", "period", "periods", "report", "reports", "search", "site", "template",
    "xlsx",
}  # fmt: skip
"""Last words of the names of pages that only show, or sign people in and out."""
OWN = {
    "simulate": "asks a worker for a simulation, which is a row with its actor",
    "password_change": "a person's own password",
    "prove-period": "run_action_page, in backoffice/periods.py",
    "close-period": "run_action_page, in backoffice/periods.py",
    "reopen-period": "run_action_page, in backoffice/periods.py",
}


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, route)
        else:
            yield route, pattern


def test_every_writing_endpoint_is_recorded_or_says_why_not() -> None:
    assert settings.MIDDLEWARE[-1] == "billing_site.api.idempotency.AnswerOnce"
    names = set()
    for route, pattern in patterns(get_resolver()):
        view = getattr(pattern.callback, "cls", None)
        if not route.startswith("api/v1/") or view is None:
            continue
        for method in CHANGES:
            if hasattr(view, method.lower()):
                names.add(pattern.name)
                assert records(pattern.name, view, method) or NOT_RECORDED.get(pattern.name or ""), f"{method} {route}"
    assert not NOT_RECORDED.keys() - names
    assert len(names) > 40


def test_every_form_of_the_admin_is_recorded() -> None:
    unrecorded = [
        model.__name__ for model, one in admin.site._registry.items() if not isinstance(one, ReadOnlyAdmin | RecordedForms)
    ]
    assert not unrecorded


def test_every_page_of_the_admin_that_changes_something_is_recorded() -> None:
    of_django = re.compile(r"_(?:changelist|add|change|delete|history)$|^auth_user_password_change$|_password_change$")
    found = 0
    unrecorded = []
    for route, pattern in patterns(get_resolver()):
        name = pattern.name or ""
        if not route.startswith("admin/") or not name or of_django.search(name) or name in OWN:
            continue
        source = source_of(inspect.unwrap(pattern.callback))
        if "request.POST" not in source and RECORDED.search(source):
            found += 1
        elif name.rsplit("_", maxsplit=1)[-1] not in READS:
            unrecorded.append(f"{name}: through run_action_page or recorded_action, or among READS when it only shows")
    assert not unrecorded
    assert found > 40


def source_of(view: Any) -> str:
    """A view's source, with that of its own methods it calls."""
    source, owner = inspect.getsource(view), getattr(view, "__self__", None)
    called = [getattr(owner, name, None) for name in re.findall(r"self\.(_\w+)\(", source)]
    return "\n".join([source, *(inspect.getsource(one) for one in called if inspect.ismethod(one))])


def test_actions_on_lists_lead_to_pages_that_ask() -> None:
    """An action on chosen rows goes to an action page with their ids; it changes nothing by itself."""
    own = []
    for one in admin.site._registry.values():
        for name in one.actions or ():
            action = getattr(one, str(name), name)
            if "HttpResponseRedirect(" not in inspect.getsource(action) or RECORDED.search(inspect.getsource(action)):
                own.append(f"{type(one).__name__}.{name}")
    assert not own
