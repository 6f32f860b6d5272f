"""The mail that asks to confirm a withdrawal. It carries the link, so it goes to who asked and to nobody else, and the link
stands in no table."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.core.mail import send_mail

from wallets.amount_text import headline_text
from wallets.refunds.models import Withdrawal
from wallets.refunds.states import REQUESTED
from wallets.refunds.withdraw import confirmation_link

_TEXT = """You asked for {amount} of unused credit of {account} back.

Confirm it here by {until}; the link works once, for you, when you are signed in:
{link}

Until it is paid you can cancel it on the page Withdraw. If this was not you, do not follow the link: change your password,
and nothing is paid.
"""


def mail_confirmation(*, withdrawal_id: str, at: datetime) -> bool:
    """Mail the link of a withdrawal (`wdr_…`) that still waits for it; whether it was sent."""
    rows = Withdrawal.objects.select_related("wallet__account", "asked_by")
    withdrawal = rows.filter(public_id=withdrawal_id, state=REQUESTED, confirm_by__gt=at).first()
    if withdrawal is None:
        return False
    account = withdrawal.wallet.account
    amount = headline_text(withdrawal.amount, withdrawal.currency)
    until = withdrawal.confirm_by.astimezone(ZoneInfo(account.time_zone))
    text = _TEXT.format(
        amount=amount, account=account.name, until=f"{until:%d %b %Y %H:%M} ({account.time_zone})",
        link=confirmation_link(withdrawal),
    )  # fmt: skip
    send_mail(f"Confirm the withdrawal of {amount}", text, None, [withdrawal.asked_by.email])
    return True
