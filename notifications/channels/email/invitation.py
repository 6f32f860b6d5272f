"""The mail that invites somebody to an account. It carries the link, so it goes to that address and to nobody else, and the
link stands in no table."""

from __future__ import annotations

from datetime import datetime

from notifications.channels.contract import Message
from notifications.channels.email.send import compose
from wallets.accounts.invite_member import invitation_link
from wallets.accounts.models import Invitation


def mail_invitation(*, invitation_id: str, news: int, at: datetime) -> bool:
    """Mail the link of an invitation (`inv_…`) that is still open; whether it was sent. news: once for each piece."""
    invitations = Invitation.objects.select_related("account", "invited_by")
    invitation = invitations.filter(public_id=invitation_id, state=Invitation.State.PENDING, expires_at__gt=at).first()
    if invitation is None:
        return False
    message = Message(
        delivery=f"{invitation.public_id}-{news}",
        event=invitation.public_id,
        topic="member_invited",
        happened_at=invitation.created_at,
        address=invitation.email,
        account=invitation.account.key,
        account_name=invitation.account.name,
        mandatory=True,
        facts={
            "role": invitation.get_role_display().lower(),
            "actor": invitation.invited_by.email,
            "link": invitation_link(invitation),
            "expires_at": invitation.expires_at.isoformat(),
        },
        time_zone=invitation.account.time_zone,
    )
    compose(message, at=at).send()
    return True
