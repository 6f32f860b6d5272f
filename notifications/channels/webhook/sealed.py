"""Signing secrets stand sealed in the database: a copy of the database alone signs nothing in our name. The key comes from
SECRET_KEY; what was sealed with one of SECRET_KEY_FALLBACKS still opens, until `manage.py reseal` has sealed it anew."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from wallets.errors import Conflict


class SecretLost(Conflict):
    """It was sealed with a SECRET_KEY that is gone."""

    code = "webhook_secret_lost"


def seal(text: str) -> str:
    """Close with the present key; nothing stays nothing."""
    return _box().encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str:
    """Open. Raises SecretLost."""
    try:
        return _box().decrypt(sealed.encode()).decode() if sealed else ""
    except InvalidToken:
        raise SecretLost("The secret was sealed with a SECRET_KEY that is gone; rotate it, or bring the key back.") from None


def seal_again(sealed: str) -> str:
    """Close with the present key what any of our keys opens. Raises SecretLost."""
    try:
        return _box().rotate(sealed.encode()).decode() if sealed else ""
    except InvalidToken:
        raise SecretLost("The secret was sealed with a SECRET_KEY that is gone; rotate it, or bring the key back.") from None


def _box() -> MultiFernet:
    return MultiFernet([_fernet(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"webhook signing secrets").derive(key.encode())
    return Fernet(urlsafe_b64encode(derived))
