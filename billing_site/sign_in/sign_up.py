"""Who may sign up: everybody, whoever was invited, or nobody (the setting SIGN_UP)."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest

OPEN: Final = "open"
INVITATION: Final = "invitation"
CLOSED: Final = "closed"
CHOICES: Final = (OPEN, INVITATION, CLOSED)
# In the session of somebody who followed an invitation's link: the address it was sent to.
INVITED: Final = "account_verified_email"


def may_sign_up(request: HttpRequest) -> bool:
    """Whether this browser may make a new person."""
    if settings.SIGN_UP == OPEN:
        return True
    return bool(settings.SIGN_UP == INVITATION and request.session.get(INVITED))
