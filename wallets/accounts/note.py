"""Write a note about a customer."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from wallets.accounts.models import Account, User
from wallets.accounts.note_models import AccountNote
from wallets.errors import InvalidInput

LONGEST: Final = 2000


def write_note(*, account: Account, by: User, text: str, at: datetime) -> AccountNote:
    """Keep a note of `by` about the account; staff read it, the customer does not. Raises InvalidInput."""
    text = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if not text or len(text) > LONGEST or "\x00" in text:
        raise InvalidInput("Write something.", fields={"text": f"1 to {LONGEST} characters"})
    return AccountNote.objects.create(account=account, by=by, text=text, at=at)
