"""Tokens of the widget: a browser shows balance and usage of one account with it, and nothing else."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.core import signing

from wallets.accounts.models import Account
from wallets.errors import NotFound

SALT: Final = "wallets.widget"
TOKEN_SECONDS: Final = 3_600


class WidgetOver(NotFound):
    """The token is not ours, or its hour is over."""

    code = "widget_over"


def widget_token(*, account: Account) -> str:
    """What opens the widget of this account for TOKEN_SECONDS."""
    return signing.dumps(account.key, salt=SALT)


def widget_url(token: str) -> str:
    """Where the widget is."""
    return settings.WIDGET_URL.replace("{token}", token)


def account_of_widget(token: str) -> Account:
    """Whose widget it is. Raises WidgetOver."""
    try:
        key = signing.loads(token, salt=SALT, max_age=TOKEN_SECONDS)
    except (signing.BadSignature, ValueError):
        raise WidgetOver("This view is over. Load the page you see it on again.") from None
    account = Account.objects.filter(key=str(key), closed_at__isnull=True).first()
    if account is None:
        raise WidgetOver("The account is closed.")
    return account
