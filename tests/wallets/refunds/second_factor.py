"""A second factor that everybody has."""

from wallets.accounts.models import User


def check(user: User, code: str) -> bool | None:
    """Whether it is 123456."""
    return bool(user.pk) and code == "123456"
