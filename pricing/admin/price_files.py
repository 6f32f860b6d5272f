"""Prices as files in the back office: downloads, and a form that takes a CSV or JSON file and names what is wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.forms import CharField, FileField, Form
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from pricing.books.models import PriceVersion
from pricing.books.price_files import MAX_BYTES, Row, named_by_row, read_csv, read_json_file, write_csv, write_json
from pricing.books.queries import terms_of_version
from wallets.admin.recorded import recorded_action
from wallets.errors import Refusal

_KINDS: Final = {
    "csv": ("text/csv; charset=utf-8", write_csv),
    "json": ("application/json", write_json),
}


class PriceFileForm(Form):
    """A file of prices."""

    file = FileField()
    note = CharField(max_length=500, required=False)


class WrongCell(NamedTuple):
    """What is wrong in a file, and where."""

    row: str
    column: str
    expected: str


def download(version: PriceVersion, kind: str) -> HttpResponse:
    """A version's prices as a file of a kind (csv, json)."""
    if kind not in _KINDS:
        raise Http404
    content_type, write = _KINDS[kind]
    name = f"{version.public_id}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(write(terms_of_version(version)), content_type=content_type, headers=headers)


def run_import_page(
    request: HttpRequest, context: dict[str, Any], take: Callable[[Sequence[Row], str], HttpResponse]
) -> HttpResponse:
    """Ask for a file, hand its prices and the note to `take`, or show every cell that is wrong."""
    form = PriceFileForm(request.POST or None, request.FILES or None)
    wrong: list[WrongCell] = []
    message = ""
    if request.method == "POST" and form.is_valid():
        uploaded = form.cleaned_data["file"]
        raw = uploaded.read(MAX_BYTES + 1)
        try:
            rows = (read_json_file if uploaded.name.lower().endswith(".json") else read_csv)(raw)
            with (
                named_by_row(rows),
                transaction.atomic(),
                recorded_action(request, action="Import prices", record=context["original"], answers=_said(form, rows)),
            ):
                return take(rows, form.cleaned_data["note"])
        except Refusal as refusal:
            message = refusal.message
            wrong = [_wrong(name, expected) for name, expected in refusal.fields.items()]
    status = 422 if request.method == "POST" else 200
    context = {**context, "form": form, "wrong": wrong, "message": message}
    return TemplateResponse(request, "admin/price_import_page.html", context, status=status)


def _said(form: PriceFileForm, rows: Sequence[Row]) -> dict[str, Any]:
    return {"file": form.cleaned_data["file"].name, "prices": len(rows), "note": form.cleaned_data["note"]}


def _wrong(name: str, expected: str) -> WrongCell:
    parts = name.split(".", 2)
    if parts[0] != "rows" or len(parts) == 1:
        return WrongCell("", name, expected)
    return WrongCell(parts[1], parts[2] if len(parts) > 2 else "", expected)  # noqa: PLR2004 - rows, row, column
