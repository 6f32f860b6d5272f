"""Become a member by an invitation's link."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from wallets.accounts.add_member import add_member
from wallets.accounts.invite_member import InvitationEnded, invitation_of_link
from wallets.accounts.models import Invitation, Member, User


def accept_invitation(*, token: str, user: User, at: datetime) -> Member:
    """Make `user`, who holds the link, a member with the role of the invitation; the link works once.

    Raises InvitationEnded, AlreadyAMember.
    """
    with transaction.atomic():
        invitation = invitation_of_link(token=token, at=at)
        taken = Invitation.objects.filter(pk=invitation.pk, state=Invitation.State.PENDING).update(
            state=Invitation.State.ACCEPTED, accepted_by=user, ended_at=at
        )
        if not taken:
            raise InvitationEnded("This invitation was used a moment ago.")
        return add_member(account=invitation.account, user=user, role=invitation.role, at=at, actor=invitation.invited_by.email)
