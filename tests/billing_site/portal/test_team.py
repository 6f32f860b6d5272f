"""The team of an account: invited by mail, given roles, never without an owner; nobody else's."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing_site.portal.access import MAY, Customer
from tests.cast import PASSWORD, Company
from tests.factories.alerts import newest_mail
from tests.factories.browsers import sign_in
from tests.factories.shop import browser_of, text_of
from wallets import clock
from wallets.accounts.invite_member import INVITATION_DAYS, invitation_link, invite_member
from wallets.accounts.models import Invitation, Member, User
from wallets.accounts.remove_member import remove_member
from wallets.accounts.team import LastOwner
from wallets.audit.models import AuditEvent
from wallets.clock import now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]

TEAM = "/team/acme"
NEW = "new@acme.example"


def member(company: Company, role: str, name: str = "member") -> User:
    person = User.objects.create_user(f"{name}@acme.example", PASSWORD)
    Member.objects.create(account=company.account, user=person, role=role, created_at=now())
    return person


def mailed_invitation() -> str:
    """The path of the link in the newest mail, in its text and its HTML."""
    address, mail = newest_mail("member_invited", at=now())
    link = re.search(r"/invitation/\S+/", mail.text)
    assert link
    assert address == NEW
    assert link[0] in mail.html
    return link[0]


def invite(browser: Client, **more: str) -> Any:
    return browser.post(TEAM, {"what": "invite", "email": NEW, "role": "BILLING"} | more)


def test_an_invited_stranger_signs_up_and_joins(acme: Company, globex: Company) -> None:
    owner = browser_of(acme.owner)
    assert invite(owner).status_code == 302
    assert NEW in text_of(owner.get(TEAM))
    link = mailed_invitation()

    newcomer = Client()
    page = newcomer.get(link)
    assert "Join Acme" in text_of(page)
    assert acme.owner.email in text_of(page)
    assert newcomer.post(link).status_code == 200, "who is nobody joins nothing"
    answers = {"email": NEW, "password1": "a quite good one", "password2": "a quite good one", "next": link}
    assert newcomer.post("/signup/", answers)["Location"] == link, "the address needs no second proof"
    assert newcomer.get("/").status_code == 200
    assert newcomer.post(link)["Location"] == "/?account=acme"
    assert Member.objects.get(user__email=NEW).role == Member.Role.BILLING
    assert newcomer.get(TEAM).status_code == 200
    assert newcomer.get("/team/globex").status_code == 404

    assert newcomer.post(link).status_code == 404, "a link works once"
    events = AuditEvent.objects.filter(account=acme.account).order_by("id")
    assert [one.action for one in events] == ["Team: invite", "Team: join"]
    assert "@" not in "".join(one.subject for one in events), "people are named by row"


def test_somebody_known_joins_another_account_with_the_same_login(acme: Company, globex: Company) -> None:
    invitation = invite_member(account=acme.account, email=globex.owner.email, role="VIEWER", by=acme.owner, at=now())
    browser, _ = sign_in(globex.owner)
    link = invitation_link(invitation).removeprefix(settings.SITE_URL)
    browser.post(link)
    page = browser.get("/", {"account": "acme"}).content.decode()
    assert "?account=globex" in page, "one switches between one's accounts"
    customer = Customer(globex.owner)
    assert customer.may("read", acme.account)
    assert not customer.may("pay", acme.account)
    assert customer.may("close", globex.account), "a role is of one account"


def test_a_link_ends_by_time_by_withdrawal_by_a_newer_one_and_when_forged(acme: Company) -> None:
    browser = browser_of(acme.owner)
    invite(browser)
    old = mailed_invitation()
    invite(browser)
    new = mailed_invitation()
    assert browser.get(old).status_code == 404, "the newer one counts"
    assert browser.get(new).status_code == 200
    assert browser.get(new.replace("inv_", "inv_x")).status_code == 404
    with clock.set_to(now() + timedelta(days=INVITATION_DAYS)):
        assert browser.get(new).status_code == 404
    browser.post(TEAM, {"what": "revoke", "invitation": Invitation.objects.get(state="PENDING").public_id})
    assert browser.get(new).status_code == 404
    assert browser.post(new).status_code == 404


def test_the_last_owner_stays(acme: Company) -> None:
    browser = browser_of(acme.owner)
    for form in ({"what": "leave"}, {"what": "role", "member": str(acme.owner.pk), "role": "VIEWER"}):
        answer = browser.post(TEAM, form)
        assert answer.status_code == 422
        assert "at least one owner" in text_of(answer)
    other = member(acme, "OWNER")
    assert browser.post(TEAM, {"what": "leave"}).status_code == 302
    assert browser.get(TEAM).status_code == 404
    with pytest.raises(LastOwner):
        remove_member(account=acme.account, user_id=other.pk, by=other)


@pytest.mark.parametrize("role", ["ADMIN", "BILLING", "DEVELOPER", "VIEWER"])
def test_a_role_reaches_as_far_as_the_table_says(acme: Company, role: str) -> None:
    person, friend = member(acme, role), member(acme, "VIEWER", "friend")
    browser = browser_of(person)
    assert browser.get(TEAM).status_code == 200
    allowed = role in MAY["team"]
    assert (invite(browser).status_code == 302) == allowed
    assert ("Invite somebody" in text_of(browser.get(TEAM))) == allowed
    change = {"what": "role", "member": str(friend.pk), "role": "BILLING"}
    assert browser.post(TEAM, change).status_code == (302 if allowed else 403)
    for form in (
        change | {"role": "OWNER"},
        {"what": "remove", "member": str(acme.owner.pk)},
        {"what": "invite", "email": "x@y.example", "role": "OWNER"},
    ):
        assert browser.post(TEAM, form).status_code == (422 if allowed else 403), "only owners make and unmake owners"
    assert Member.objects.get(user=acme.owner).role == "OWNER"
    assert browser.post(TEAM, {"what": "leave"}).status_code == 302, "everybody may go"


def test_a_stranger_changes_no_team(acme: Company, globex: Company) -> None:
    stranger = browser_of(globex.owner)
    for form in (
        {"what": "leave"},
        {"what": "remove", "member": str(acme.owner.pk)},
        {"what": "invite", "email": NEW, "role": "OWNER"},
    ):
        assert stranger.post(TEAM, form).status_code == 404
    theirs = browser_of(globex.owner).post("/team/globex", {"what": "remove", "member": str(acme.owner.pk)})
    assert theirs.status_code == 422, "a member of another account is no member here"
    for form in (
        {"what": "role", "member": "9" * 40},
        {"what": "role", "member": "x"},
        {"what": "revoke"},
        {"what": "dance"},
        {},
    ):
        assert browser_of(acme.owner).post(TEAM, form).status_code == 422


@pytest.mark.parametrize("switch", ["open", "invitation"])
def test_who_signed_up_alone_opens_an_account_only_where_that_is_open(settings, switch) -> None:
    settings.SIGN_UP = switch
    person = User.objects.create_user("solo@person.example", PASSWORD)
    browser, answer = sign_in(person)
    if switch != "open":
        assert answer["Location"] == "/"
        assert browser.get("/start/").status_code == 404
        return
    assert answer["Location"] == reverse("portal:start")
    assert browser.post("/start/", {"name": "", "currency": "USD"}).status_code == 422
    opened = browser.post("/start/", {"name": "Solo Ltd", "currency": "EUR", "country": "de"})["Location"]
    page = browser.get(opened)
    assert "Solo Ltd" in text_of(page)
    account = person.memberships.get().account
    assert (account.currency, account.country) == ("EUR", "DE")
    assert browser.get("/start/").status_code == 404, "one each"


def test_a_larger_team_takes_no_more_queries(acme: Company) -> None:
    browser = browser_of(acme.owner)
    counts = []
    for number in (1, 2, 3):
        member(acme, "VIEWER", f"member{number}")
        invite_member(account=acme.account, email=f"{number}@x.example", role="VIEWER", by=acme.owner, at=now())
        with CaptureQueriesContext(connection) as queries:
            browser.get(TEAM)
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert counts[0] < 12
