"""Whom a personal key acts as."""

from __future__ import annotations

from wallets.accounts.models import User
from wallets.api_keys.verify import Caller
from wallets.errors import Refusal


class PersonalKeyNeeded(Refusal):
    """The key acts as no person of the staff, or as one who may not do this."""

    code = "personal_key_needed"


def person_behind(caller: Caller, *, permission: str | None = None) -> User:
    """The person of the staff a caller's key acts as, who has `permission` now. Raises PersonalKeyNeeded."""
    found = User.objects.filter(pk=caller.person_id or 0, is_active=True, is_staff=True).first()
    if found is None or (permission is not None and not found.has_perm(permission)):
        raise PersonalKeyNeeded("This takes the personal key of somebody of the staff who may do it.")
    return found
