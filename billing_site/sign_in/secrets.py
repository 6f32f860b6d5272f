"""Secrets of authenticator apps stand encrypted in the database: a copy of the database alone signs nobody in. The key comes
from SECRET_KEY; keys in SECRET_KEY_FALLBACKS still open what they closed."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


class EncryptingMFAAdapter(DefaultMFAAdapter):
    """allauth's, which stores them as they are."""

    def encrypt(self, text: str) -> str:
        """Close."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open."""
        return _box().decrypt(encrypted_text.encode()).decode()


def _box() -> MultiFernet:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(urlsafe_b64encode(sha256(f"second factor {key}".encode()).digest())) for key in keys])
