"""The team of an account: who may do what, invitations by e-mail, leaving."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from billing_site.portal.access import MAY, Customer, customer_page
from billing_site.sign_in.where import address_of
from wallets.accounts.change_role import change_role
from wallets.accounts.invite_member import invite_member, revoke_invitation
from wallets.accounts.models import Account, Invitation, Member
from wallets.accounts.remove_member import remove_member
from wallets.audit.record import record_change
from wallets.clock import now
from wallets.errors import InvalidInput, Refusal

Role = Member.Role
ROLES: Final = {
    Role.OWNER: (_("Owner"), _("everything, also to close the account and to make owners")),
    Role.ADMIN: (_("Admin"), _("everything but that: people, money, keys, caps")),
    Role.BILLING: (_("Billing"), _("money: top-ups, cards, recharge, withdrawals, billing details, alerts")),
    Role.DEVELOPER: (_("Developer"), _("API keys, alerts and webhooks")),
    Role.VIEWER: (_("Viewer"), _("reads everything, changes nothing")),
}
MOST_SHOWN: Final = 500
# What the audit log calls them: by row, so that who is forgotten is forgotten there, too.
PERSON: Final = "wallets.user"
INVITED: Final = "wallets.invitation"


@dataclass(frozen=True, slots=True)
class MemberShown:
    """One member. me: whoever looks."""

    user_id: int
    email: str
    role: str
    role_name: str
    since: datetime
    me: bool
    may_change: bool


@dataclass(frozen=True, slots=True)
class InvitationShown:
    """One open invitation. over: past its time."""

    public_id: str
    email: str
    role_name: str
    by: str
    expires_at: datetime
    over: bool


@dataclass(frozen=True, slots=True)
class TeamPage:
    """Everything on the page. roles: value, name, what it may; of those whoever looks may give."""

    account_key: str
    account_name: str
    may_change: bool
    members: list[MemberShown]
    invitations: list[InvitationShown]
    roles: list[tuple[str, Any, Any]]
    problem: str = ""
    email: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def team(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """Show the team. POST invites (`what=invite`), withdraws an invitation (`revoke`), changes a role (`role`), takes somebody
    out (`remove`), or leaves (`leave`)."""
    owned = customer.account(account)
    if request.method != "POST":
        return render(request, "portal/team.html", {"page": read_team_page(customer, owned, at=now())})
    what = request.POST.get("what", "")
    if what != "leave":
        owned = customer.with_right("team", account)
    try:
        with transaction.atomic():
            _do(request, customer, owned, what, at=now())
    except Refusal as refusal:
        said = {"problem": refusal.message, "email": request.POST.get("email", "")[:254]}
        page = read_team_page(customer, owned, at=now(), **said)
        return render(request, "portal/team.html", {"page": page}, status=422)
    return redirect("portal:balance") if what == "leave" else redirect("portal:team", account=owned.key)


def read_team_page(customer: Customer, account: Account, *, at: datetime, problem: str = "", email: str = "") -> TeamPage:
    """The page as of `at`."""
    mine = customer.role_in(account)
    may_change = mine in MAY["team"]
    owner = mine == Role.OWNER
    members = Member.objects.filter(account=account).select_related("user").order_by("created_at", "id")[:MOST_SHOWN]
    invited = Invitation.objects.filter(account=account, state=Invitation.State.PENDING).select_related("invited_by")
    return TeamPage(
        account_key=account.key,
        account_name=account.name,
        may_change=may_change,
        members=[
            MemberShown(
                user_id=one.user_id,
                email=one.user.email,
                role=one.role,
                role_name=str(ROLES[Role(one.role)][0]),
                since=one.created_at,
                me=one.user_id == customer.user.pk,
                may_change=may_change and (owner or one.role != Role.OWNER),
            )
            for one in members
        ],
        invitations=[
            InvitationShown(
                one.public_id, one.email, str(ROLES[Role(one.role)][0]), one.invited_by.email, one.expires_at,
                over=one.expires_at <= at,
            )
            for one in invited.order_by("-created_at", "id")[:MOST_SHOWN]
        ]
        if may_change
        else [],
        roles=[(role.value, *words) for role, words in ROLES.items() if owner or role != Role.OWNER],
        problem=problem,
        email=email,
    )  # fmt: skip


def _do(request: HttpRequest, customer: Customer, account: Account, what: str, *, at: datetime) -> None:
    """The change, and its line in the audit log."""
    said = request.POST
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    if what == "invite":
        invitation = invite_member(
            account=account, email=said.get("email", ""), role=said.get("role", ""), by=customer.user, at=at
        )
        kind, subject, after = INVITED, invitation.public_id, {"invited": invitation.role}
    elif what == "revoke":
        invitation = revoke_invitation(account=account, public_id=said.get("invitation", ""), at=at)
        kind, subject, before = INVITED, invitation.public_id, {"invited": invitation.role}
    elif what == "role":
        user_id = _user_id(said.get("member", ""))
        before = {"role": Member.objects.filter(account=account, user_id=user_id).values_list("role", flat=True).first() or ""}
        member = change_role(account=account, user_id=user_id, role=said.get("role", ""), by=customer.user)
        kind, subject, after = PERSON, str(user_id), {"role": member.role}
    elif what in {"remove", "leave"}:
        user_id = customer.user.pk if what == "leave" else _user_id(said.get("member", ""))
        member = remove_member(account=account, user_id=user_id, by=customer.user)
        kind, subject, before = PERSON, str(user_id), {"role": member.role}
    else:
        raise InvalidInput("Choose what to do.")
    record_change(
        actor=customer.user, action=f"Team: {what}", subject_kind=kind, subject=subject, before=before,
        after=after, reason="", at=at, account=account, address=address_of(request),
    )  # fmt: skip


def _user_id(text: str) -> int:
    if not text.isdigit() or len(text) > 18:  # noqa: PLR2004 - what a bigint holds
        raise InvalidInput("Choose a member.", fields={"member": "one of the team"})
    return int(text)
