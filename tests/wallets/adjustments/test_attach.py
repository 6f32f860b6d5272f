"""Files are known by their first bytes, are kept as they came, and belong once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction

from tests.cast import Company
from tests.factories.adjustments import adjusted, may_alone
from tests.factories.balances import AT
from wallets.accounts.models import User
from wallets.adjustments.attach import LOOSE_FOR, MOST_BYTES, FileRefused, keep_attachment, loose_attachment, safe_name
from wallets.adjustments.models import Attachment
from wallets.errors import NotFound

PDF = b"%PDF-1.7\n..."


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("letter.pdf", PDF, "application/pdf"),
        ("scan.PNG", b"\x89PNG\r\n\x1a\n....", "image/png"),
        ("scan.jpeg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("mail.eml", "From: Zoë".encode(), "text/plain"),
    ],
)
def test_what_is_kept(name: str, content: bytes, media_type: str, fiona: User) -> None:
    kept = keep_attachment(name=name, content=content, by=fiona, at=AT)
    assert (kept.media_type, kept.size_bytes, bytes(kept.content)) == (media_type, len(content), content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.pdf", b""),
        ("page.html", b"<script>alert(1)</script>"),
        ("page.pdf", b"<script>alert(1)</script>"),
        ("drawing.svg", b"<svg onload='alert(1)'/>"),
        ("letter.pdf.exe", PDF),
        ("letter.txt", b"\x00\x01"),
        ("letter.txt", b"\xff\xfe"),
        ("large.pdf", b"%PDF-" + b"0" * MOST_BYTES),
    ],
)
def test_what_is_refused(name: str, content: bytes, fiona: User) -> None:
    with pytest.raises(FileRefused):
        keep_attachment(name=name, content=content, by=fiona, at=AT)
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\letter.pdf", "letter.pdf"),
        ('a"\r\nSet-Cookie: x=1.pdf', "a___Set-Cookie_ x_1.pdf"),
        ("x" * 300 + ".pdf", "x" * 140 + ".pdf"),
        ("..", "file"),
    ],
)
def test_names_are_made_harmless(given: str, kept: str) -> None:
    assert safe_name(given) == kept


def test_a_file_belongs_to_one_adjustment_of_who_uploaded_it(acme: Company, fiona: User, apollo: User) -> None:
    may_alone(fiona, "100")
    kept = keep_attachment(name="letter.pdf", content=PDF, by=fiona, at=AT)
    with pytest.raises(NotFound):
        loose_attachment(public_id=kept.public_id, by=apollo)
    with pytest.raises(NotFound):
        adjusted(acme.wallet, "1", by=apollo, attachments=[kept])
    adjustment = adjusted(acme.wallet, "1", by=fiona, attachments=[loose_attachment(public_id=kept.public_id, by=fiona)])
    assert [one.name for one in adjustment.attachments.all()] == ["letter.pdf"]  # type: ignore[attr-defined]
    with pytest.raises(NotFound):
        adjusted(acme.wallet, "1", by=fiona, attachments=[kept])
    for change in ({"content": b"other"}, {"adjustment": None}):
        with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
            Attachment.objects.filter(pk=kept.pk).update(**change)
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        Attachment.objects.filter(pk=kept.pk).delete()


def test_files_nobody_confirmed_are_dropped_after_a_day(fiona: User) -> None:
    keep_attachment(name="letter.pdf", content=PDF, by=fiona, at=AT)
    kept = keep_attachment(name="letter.pdf", content=PDF, by=fiona, at=AT + LOOSE_FOR + timedelta(seconds=1))
    assert Attachment.objects.get() == kept
