"""Support looks at a customer's pages: all of them, changing nothing, for a while, and the customer knows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import DatabaseError, transaction
from django.test import Client

from tests.factories.shop import Shop, browser_of, text_of
from wallets import clock
from wallets.accounts.models import User
from wallets.audit.models import AuditEvent
from wallets.clock import now
from wallets.visits.models import SupportVisit
from wallets.visits.support import VISIT_MINUTES, MayNotVisit, begin_visit

pytestmark = pytest.mark.django_db

OPEN = "/support/open/acme"
PAGES = ("/?account=acme", "/team/acme", "/cards/acme", "/top-up/acme", "/caps/acme", "/withdraw/acme", "/statements/acme")


@pytest.fixture
def helper(sam: User) -> Client:
    """Sam's browser, with the right to look."""
    sam.user_permissions.add(Permission.objects.get(codename="add_supportvisit"))
    return browser_of(sam)


def test_support_sees_the_customers_pages_and_changes_nothing(shop: Shop, helper: Client) -> None:
    assert helper.get("/team/acme").status_code == 404, "nothing without a visit"
    assert helper.post(OPEN, {"reason": ""}).status_code == 422
    assert helper.post(OPEN, {"reason": "Ticket 12, wrong balance"})["Location"] == "/?account=acme"
    for page in PAGES:
        seen = helper.get(page)
        assert seen.status_code == 200, page
        assert "nothing can be changed" in text_of(seen)
    assert "Invite somebody" not in text_of(helper.get("/team/acme"))
    for page in (*PAGES, "/password/change/", "/start/", "/card/begin/acme", "/sessions/"):
        assert helper.post(page, {"what": "leave", "amount": "5", "total": "5"}).status_code == 403, page
    for page in ("/team/globex", "/?account=globex"):
        assert helper.get(page).status_code == 404, "one account, not all of them"
    assert helper.get("/security/").status_code == 403, "whose would it be"
    assert "/security/" not in helper.get("/team/acme").content.decode()

    mine = text_of(browser_of(shop.acme.owner).get("/security/"))
    assert "Ticket 12, wrong balance" in mine
    assert "Sam" in mine
    assert "Ticket 12" not in text_of(browser_of(shop.globex.owner).get("/security/"))
    event = AuditEvent.objects.get(action="Look at the portal")
    assert (event.account, event.reason) == (shop.acme.account, "Ticket 12, wrong balance")

    assert helper.post("/support/end/").status_code == 302
    assert helper.get("/team/acme").status_code == 404


def test_a_visit_ends_by_itself_and_with_the_right(shop: Shop, helper: Client, sam: User) -> None:
    helper.post(OPEN, {"reason": "Ticket 12"})
    with clock.set_to(now() + timedelta(minutes=VISIT_MINUTES)):
        assert helper.get("/team/acme").status_code == 404
    helper.post(OPEN, {"reason": "Ticket 12"})
    assert helper.get("/team/acme").status_code == 200
    sam.user_permissions.clear()
    assert helper.get("/team/acme").status_code == 404


def test_nobody_else_opens_them(shop: Shop, customer: Client, stranger: Client, support: Client, sam: User) -> None:
    for browser in (customer, stranger, support):
        assert browser.get(OPEN).status_code == 404
        assert browser.post(OPEN, {"reason": "just curious"}).status_code == 404
    assert Client().get(OPEN).status_code == 302
    with pytest.raises(MayNotVisit):
        begin_visit(account=shop.acme.account, user=sam, reason="just curious", address=None, at=now())
    assert not SupportVisit.objects.exists()


def test_a_visit_can_only_end(shop: Shop, helper: Client) -> None:
    helper.post(OPEN, {"reason": "Ticket 12"})
    visits = SupportVisit.objects.all()
    for change in ({"reason": "another"}, {"ends_at": now() + timedelta(days=1)}):
        with pytest.raises(DatabaseError, match="only ends"), transaction.atomic():
            visits.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        visits.delete()
