"""What people do in a browser to sign in."""

from __future__ import annotations

import re
import time
from typing import Any, Final

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core import mail
from django.test import Client

from tests.cast import PASSWORD
from wallets.accounts.models import User

LINK: Final = re.compile(r"http://localhost:\d+(/\S+)|http://testserver(/\S+)")


def sign_in(person: User, *, password: str = PASSWORD, **more: str) -> tuple[Client, Any]:
    """A browser in which they gave their password, and the answer."""
    browser = Client()
    return browser, browser.post("/login/", {"login": person.email, "password": password, **more})


def mailed_link() -> str:
    """The path of the first link in the newest mail."""
    found = LINK.search(str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[1] or found[2]


def with_app(person: User) -> str:
    """The secret of an authenticator app set up for them."""
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    return secret


def code_of(secret: str, *, later: int = 0) -> str:
    """What the app shows now, or `later` periods from now."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))


def stored_secret(person: User) -> tuple[str, str]:
    """As it stands in the database, and as it is."""
    stored = Authenticator.objects.get(user=person, type=Authenticator.Type.TOTP).data["secret"]
    return stored, get_adapter().decrypt(stored)
