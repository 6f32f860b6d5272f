"""Know again who sits there, before money leaves: by the password, and by the second factor of whoever has one.

The second factor is checked by the function the setting SECOND_FACTOR_CHECK names, (user, code) -> bool | None, so that
whatever signs people in (an authenticator app, a passkey) can say so: None means that this person has none.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.utils.module_loading import import_string

from wallets.accounts.models import User
from wallets.errors import Conflict


class PasswordWrong(Conflict):
    """The password is not the one of who signed in."""

    code = "password_wrong"


class SecondFactorWrong(Conflict):
    """The code is missing or wrong."""

    code = "second_factor_wrong"


def reauthenticate(*, user: User, password: str, code: str = "") -> bool:
    """Whether a second factor was asked and right, too. Raises PasswordWrong, SecondFactorWrong."""
    if not user.is_active or not user.check_password(password):
        raise PasswordWrong("This is not your password.", fields={"password": "your password"})
    second: Callable[[User, str], bool | None] = import_string(settings.SECOND_FACTOR_CHECK)
    answer = second(user, code)
    if answer is False:
        raise SecondFactorWrong("The code is wrong or has expired.", fields={"code": "the code your device shows now"})
    return answer is True


def has_second_factor(*, user: User) -> bool:
    """Whether a code has to be asked for."""
    second: Callable[[User, str], bool | None] = import_string(settings.SECOND_FACTOR_CHECK)
    return second(user, "") is not None


def no_second_factor(user: User, code: str) -> bool | None:  # noqa: ARG001 - the signature of SECOND_FACTOR_CHECK
    """Nobody has one."""
    return None
