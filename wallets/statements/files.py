"""A statement as a file to be saved, named by its number: what every door answers."""

from __future__ import annotations

from django.http import HttpResponse

from wallets.statements.document import Document
from wallets.statements.render_csv import render_csv
from wallets.statements.render_pdf import render_pdf


def pdf_response(document: Document) -> HttpResponse:
    """The PDF."""
    return file_response(render_pdf(document), "application/pdf", f"{document.number}.pdf")


def csv_response(document: Document) -> HttpResponse:
    """The table of its lines."""
    return file_response(render_csv(document).encode(), "text/csv; charset=utf-8", f"{document.number}.csv")


def file_response(content: bytes, content_type: str, name: str) -> HttpResponse:
    """A file with this name, to be saved."""
    return HttpResponse(content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
