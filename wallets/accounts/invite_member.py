"""Ask somebody by e-mail to become a member. The link is signed, goes to that address only and stands in no table; it works
once, for INVITATION_DAYS."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core import signing
from django.db import transaction

from wallets.accounts.add_member import AlreadyAMember
from wallets.accounts.models import Account, Invitation, Member, User
from wallets.accounts.open import is_email
from wallets.accounts.team import check_owner_acts, check_role, lock_team
from wallets.errors import Conflict, InvalidInput
from wallets.ids import new_public_id
from wallets.outbox.topics import MemberInvited
from wallets.outbox.write import add_news

INVITATION_DAYS: Final = 7
MOST_PENDING: Final = 50
"""Open invitations of one account: nobody sends mail to the world through us."""
_SALT: Final = "wallets.accounts.invitation"


class TooManyInvitations(Conflict):
    """The account has as many open invitations as it may."""

    code = "too_many_invitations"


class InvitationEnded(Conflict):
    """The invitation was accepted, revoked or is past its time."""

    code = "invitation_ended"


def invite_member(*, account: Account, email: str, role: str, by: User, at: datetime) -> Invitation:
    """Invite an address, whoever it belongs to; an open invitation of the same address is replaced.

    Raises InvalidInput, AlreadyAMember, OwnersOnly, TooManyInvitations.
    """
    email = email.strip().lower()
    if not is_email(email):
        raise InvalidInput("Give an e-mail address.", fields={"email": "an e-mail address"})
    check_role(role)
    with transaction.atomic():
        lock_team(account.pk)
        check_owner_acts(account=account, by=by, roles=(role,))
        if Member.objects.filter(account=account, user__email=email).exists():
            raise AlreadyAMember(f"{email} is a member already.")
        pending = Invitation.objects.filter(account=account, state=Invitation.State.PENDING)
        pending.filter(email=email).update(state=Invitation.State.REVOKED, ended_at=at)
        if pending.filter(expires_at__gt=at).count() >= MOST_PENDING:
            raise TooManyInvitations(f"There are {MOST_PENDING} open invitations. Withdraw some first.")
        invitation = Invitation.objects.create(
            public_id=new_public_id("inv"),
            account=account,
            email=email,
            role=role,
            invited_by=by,
            created_at=at,
            expires_at=at + timedelta(days=INVITATION_DAYS),
        )
        add_news([("", MemberInvited(account.pk, invitation.public_id, email, role, by.email))], at=at, bucket=account.bucket)
    return invitation


def revoke_invitation(*, account: Account, public_id: str, at: datetime) -> Invitation:
    """Withdraw an open invitation; its link stops working. Raises InvitationEnded."""
    found = Invitation.objects.filter(account=account, public_id=public_id)
    if not found.filter(state=Invitation.State.PENDING).update(state=Invitation.State.REVOKED, ended_at=at):
        raise InvitationEnded("This invitation is not open any more.")
    return found.get()


def invitation_link(invitation: Invitation) -> str:
    """The address that accepts it; only the mailbox it is sent to should ever see it."""
    return str(settings.INVITATION_URL).format(token=signing.Signer(salt=_SALT).sign(invitation.public_id))


def invitation_of_link(*, token: str, at: datetime) -> Invitation:
    """The open invitation of a link. Raises InvitationEnded, also for a link nobody signed."""
    try:
        public_id = signing.Signer(salt=_SALT).unsign(token)
    except signing.BadSignature:
        public_id = ""
    open_ones = Invitation.objects.select_related("account", "invited_by").filter(
        state=Invitation.State.PENDING, expires_at__gt=at, account__closed_at__isnull=True
    )
    invitation = open_ones.filter(public_id=public_id).first()
    if invitation is None:
        raise InvitationEnded("This invitation is not open any more: it was used, withdrawn or is too old. Ask for a new one.")
    return invitation
