"""Keep a file that proves an adjustment. What it is is read from its first bytes, not from its name: PDF, PNG, JPEG, or plain
text. It is kept as it came and given back as a download only, so nothing in it ever runs in a browser."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from wallets.accounts.models import User
from wallets.adjustments.models import Adjustment, Attachment
from wallets.errors import InvalidInput, NotFound

MOST_BYTES: Final = 5 * 1024 * 1024  # a scanned page or two; the database is no archive
MOST_FILES: Final = 5
LOOSE_FOR: Final = timedelta(days=1)
_SIGNATURES: Final[Sequence[tuple[bytes, str, tuple[str, ...]]]] = (
    (b"%PDF-", "application/pdf", (".pdf",)),
    (b"\x89PNG\r\n\x1a\n", "image/png", (".png",)),
    (b"\xff\xd8\xff", "image/jpeg", (".jpg", ".jpeg")),
)
_TEXT: Final = (".txt", ".csv", ".eml")
EXPECTED: Final = "a PDF, PNG, JPEG, TXT, CSV or EML file of at most 5 MB"


class FileRefused(InvalidInput):
    """The file is empty, too large, or not of a kind that is kept."""

    code = "file_refused"


def keep_attachment(*, name: str, content: bytes, by: User, at: datetime) -> Attachment:
    """Keep a file (at most MOST_BYTES) until what it is for is confirmed. Loose ones are dropped after LOOSE_FOR.

    Raises FileRefused.
    """
    name = safe_name(name)
    media_type = media_type_of(name, content)
    Attachment.objects.filter(adjustment__isnull=True, uploaded_at__lt=at - LOOSE_FOR).delete()
    return Attachment.objects.create(
        name=name,
        media_type=media_type,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
        uploaded_by=by,
        uploaded_at=at,
    )


def loose_attachment(*, public_id: str, by: User) -> Attachment:
    """A file this person uploaded and has not used yet. Raises NotFound."""
    found = Attachment.objects.defer("content").filter(public_id=public_id, uploaded_by=by, adjustment__isnull=True).first()
    if found is None:
        raise NotFound("There is no such file any more; choose it again.")
    return found


def attach(adjustment: Adjustment, *, attachments: Sequence[Attachment], by: User) -> None:
    """Files become part of an adjustment, for good. Raises NotFound for one that is another's or was used."""
    for attachment in attachments:
        loose = Attachment.objects.filter(pk=attachment.pk, uploaded_by=by, adjustment__isnull=True)
        if not loose.update(adjustment=adjustment):
            raise NotFound("There is no such file any more; choose it again.")


def media_type_of(name: str, content: bytes) -> str:
    """What a file is, by its first bytes; its name must say the same. Raises FileRefused."""
    ending = f".{name.rpartition('.')[2].lower()}"
    if not 0 < len(content) <= MOST_BYTES:
        raise FileRefused("The file cannot be kept.", fields={"attachment": EXPECTED})
    for begins, media_type, endings in _SIGNATURES:
        if content.startswith(begins) and ending in endings:
            return media_type
    if ending in _TEXT and _is_text(content):
        return "text/plain"
    raise FileRefused("The file cannot be kept.", fields={"attachment": EXPECTED})


def safe_name(name: str) -> str:
    """A file's name without a path and without what a header or a shell would trip over."""
    last = re.split(r"[\\/]", name)[-1]
    cleaned = re.sub(r"[^\w.() -]", "_", last).strip(" .")
    stem, dot, ending = cleaned.rpartition(".")
    return f"{stem[:140]}{dot}{ending[:8]}" if dot else cleaned[:150] or "file"


def _is_text(content: bytes) -> bool:
    if b"\0" in content:
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
