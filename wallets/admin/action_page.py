"""An action on money or rights, in three steps: a form that asks for what is needed and for a reason, a look at what will
happen in numbers before and after, and the confirmation that calls the verb. Nothing happens behind one click, and a
confirmation sent twice happens once (its token is claimed in the transaction of the verb). It goes to the audit log in that
transaction too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from django.contrib import messages
from django.db import transaction
from django.db.models import Model
from django.forms import CharField, ChoiceField, Field, Form
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminTextareaWidget

from wallets.admin.recorded import recorded_action
from wallets.clock import now
from wallets.errors import Refusal
from wallets.idempotency.claim import claim_key, store_answer
from wallets.money import plain

if TYPE_CHECKING:
    from django.http import HttpRequest

TEMPLATE: Final = "admin/action_page.html"
MAX_REASON: Final = 500
DONE: Final = 200
LONGEST_TOKEN: Final = 64


class AlreadyDone(Refusal):
    """The confirmation was sent before and took effect then."""

    code = "already_done"


class ReasonForm(Form):
    """A form whose last question is why."""

    reason = CharField(
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Kept with the record, for whoever asks later.",
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One figure before and after. Amounts in `currency`; texts without one."""

    label: str
    before: Decimal | str
    after: Decimal | str
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ActionPage:
    """What an action page asks, shows and does.

    title: what is about to happen ("Grant credit"). button: the label of the confirmation, saying exactly that.
    perform: calls the verb with the cleaned form and answers with a sentence for the person, or with a page of its own.
    preview: figures before and after. warning: what cannot be undone.
    """

    title: str
    button: str
    form_class: type[Form]
    back: str
    perform: Callable[[dict[str, Any]], str | HttpResponse]
    preview: Callable[[dict[str, Any]], Sequence[Change]] = field(default=lambda _: ())
    warning: str = ""
    danger: bool = False
    initial: dict[str, Any] = field(default_factory=dict)


def run_action_page(request: HttpRequest, page: ActionPage, context: dict[str, Any]) -> HttpResponse:
    """Answer a request to an action page: ask, then show, then do."""
    if request.method != "POST":
        return _show(request, page, context, page.form_class(initial=page.initial), step="ask", token=uuid4().hex)
    form = page.form_class(request.POST, request.FILES)
    token = request.POST.get("token", "")[:LONGEST_TOKEN] or uuid4().hex
    if not form.is_valid() or request.POST.get("step") == "ask_again":
        return _show(request, page, context, form, step="ask", token=token)
    if request.POST.get("step") != "confirm":
        return _show(request, page, context, form, step="review", token=token)
    try:
        with transaction.atomic():
            claim = _claim(request, token)
            shown = [_said(change) for change in page.preview(form.cleaned_data)]
            with recorded_action(
                request, action=page.button, record=_subject(context), answers=form.cleaned_data, title=page.title, shown=shown
            ):
                answer = page.perform(form.cleaned_data)
            store_answer(claim_id=claim, status=DONE, headers={}, body=b"")
    except Refusal as refusal:
        _add_refusal(form, refusal)
        return _show(request, page, context, form, step="ask", token=uuid4().hex)
    if isinstance(answer, str):
        messages.info(request, answer)
        return HttpResponseRedirect(page.back)
    return answer


def _said(change: Change) -> list[str]:
    """A figure before and after, as text to keep."""
    sides = (change.before, change.after)
    return [change.label, *(f"{plain(one)} {change.currency}".rstrip() if isinstance(one, Decimal) else one for one in sides)]


def _subject(context: dict[str, Any]) -> Model | type[Model]:
    """What the page is about: a record, or the kind of thing it makes."""
    record: Model | None = context.get("original")
    return context["opts"].model if record is None else record


def _claim(request: HttpRequest, token: str) -> int:
    """Take the token of this confirmation; a second one waits for the first and is refused."""
    claim = claim_key(caller=f"admin:{request.user.pk}", key=token, body_hash=hashlib.sha256(token.encode()).digest(), at=now())
    if not isinstance(claim, int):
        raise AlreadyDone("This was confirmed before and is done; nothing was done twice.")
    return claim


def _add_refusal(form: Form, refusal: Refusal) -> None:
    for name, expected in refusal.fields.items():
        if name in form.fields:
            form.add_error(name, expected)
    form.add_error(None, refusal.message)


def _show(
    request: HttpRequest, page: ActionPage, context: dict[str, Any], form: Form, *, step: str, token: str
) -> TemplateResponse:
    answers: list[tuple[str, Any]] = []
    changes: Sequence[Change] = ()
    if step == "review":
        changes = page.preview(form.cleaned_data)
        answers = [
            (str(bound.label), _readable(bound.field, form.cleaned_data.get(bound.name)))
            for bound in form
            if form.cleaned_data.get(bound.name) not in (None, "", [])
        ]
        for asked in form.fields.values():
            asked.widget = asked.hidden_widget()
    status = 422 if form.errors else 200
    return TemplateResponse(
        request,
        TEMPLATE,
        {
            **context,
            "title": page.title,
            "page": page,
            "form": form,
            "step": step,
            "token": token,
            "changes": changes,
            "answers": answers,
        },
        status=status,
    )


def _readable(field: Field, value: Any) -> str:
    if isinstance(field, ChoiceField) and isinstance(value, str):
        return str(dict(field.choices).get(value, value))  # type: ignore[arg-type]
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
