"""What is kept, everything as a file, and the end of an account and of a name; the books stay."""

from __future__ import annotations

import io
import json
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test import Client
from django.urls import reverse

from billing_site.privacy.register import PERSONAL
from notifications.alerts.models import Alert, Recipient
from tests.cast import PASSWORD, Company
from tests.factories.browsers import sign_in, with_app
from tests.factories.shop import Shop, browser_of, text_of
from wallets.accounts.invite_member import invite_member
from wallets.accounts.models import Account, Member, User
from wallets.accounts.suspend import AccountNotSuspended, reinstate_account
from wallets.audit.models import AuditEvent
from wallets.clock import now
from wallets.credit.grant import grant_credit
from wallets.payments.manual import record_payment
from wallets.visits.models import SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]

PAGE = "/privacy/acme"


def unpacked(response: Any) -> dict[str, Any]:
    """File -> what it says."""
    assert response.streaming
    with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def test_everything_of_the_account_comes_as_a_file(shop: Shop, customer: Client) -> None:
    assert "ten years" in text_of(customer.get(PAGE))
    files = unpacked(customer.get("/privacy/data/acme"))
    assert {one["event_id"] for one in files["events.json"]} == {"req_1", "req_2", "req_void", "req_parked"}
    assert len(files["journal.json"]) == files["journal.json"][-1]["wallet_version"]
    assert Decimal(files["journal.json"][-1]["balance_after"]) == Decimal(files["wallets.json"][0]["balance"])
    assert [one["email"] for one in files["person.json"]] == [shop.acme.owner.email]
    assert files["refunds.json"] == []
    whole = json.dumps(files)
    assert "globex" not in whole
    assert shop.acme.owner.password not in whole
    assert AuditEvent.objects.filter(action="Download the data", user=shop.acme.owner).count() == 1


def test_an_account_is_closed_when_nothing_is_left_to_settle(shop: Shop, globex: Company) -> None:
    browser = browser_of(globex.owner)
    close = "/privacy/close/globex"
    assert browser.post(close, {"key": "glob"}).status_code == 422, "said by mistake"
    record_payment(wallet=globex.wallet, amount=Decimal(5), means="wire", reference="1", at=now(), actor="fiona")
    refused = browser.post(close, {"key": "globex"})
    assert refused.status_code == 422
    assert "Withdraw it first" in text_of(refused)
    assert Account.objects.get(key="globex").closed_at is None, "all of it or nothing"
    assert globex.api.get("/accounts/globex").status_code == 200


def test_closing_ends_what_goes_on_by_itself(shop: Shop, globex: Company) -> None:
    browser = browser_of(globex.owner)
    friend = User.objects.create_user("friend@globex.example", PASSWORD)
    invitation = invite_member(account=globex.account, email=friend.email, role="VIEWER", by=globex.owner, at=now())
    grant_credit(wallet_id=globex.wallet.pk, amount=Decimal(5), kind="promotional", at=now(), reason="Welcome")
    assert browser.post("/privacy/close/globex", {"key": "globex"}).status_code == 302
    account = Account.objects.get(key="globex")
    assert account.closed_at is not None
    assert globex.api.get("/accounts/globex").status_code == 401, "its keys are revoked"
    invitation.refresh_from_db()
    assert invitation.state == "REVOKED"
    assert browser.get("/statements/globex").status_code == 200, "what was stays readable"
    assert browser.get("/top-up/globex").status_code == 403
    assert browser.post("/team/globex", {"what": "invite", "email": "a@b.example", "role": "VIEWER"}).status_code == 403
    with pytest.raises(AccountNotSuspended):
        reinstate_account(account=account, at=now())
    assert browser.post("/privacy/close/globex", {"key": "globex"}).status_code == 422, "once"

    Recipient.objects.create(account=account, email="tell@globex.example", created_at=now())
    Alert.objects.create(
        account=account, topic="member_added", key="k", facts={"email": friend.email, "role": "VIEWER"}, raised_at=now()
    )
    assert browser.post("/privacy/close/globex", {"key": "globex", "what": "erase"}).status_code == 302
    account.refresh_from_db()
    assert (account.email, account.name[:7]) == ("", "Deleted")
    assert not Recipient.objects.filter(account=account).exists()
    assert Alert.objects.get(key="k").facts == {"role": "VIEWER"}


def test_a_person_is_forgotten_and_the_books_stay(shop: Shop) -> None:
    acme = shop.acme
    browser, _ = sign_in(acme.owner)
    with_app(acme.owner)
    address = acme.owner.email
    delete = {"email": address}
    assert browser.post("/privacy/delete/acme", delete).status_code == 422, "the last owner stays"
    assert "at least one owner" in text_of(browser.post("/privacy/delete/acme", delete))
    other = User.objects.create_user("other@acme.example", PASSWORD)
    Member.objects.create(account=acme.account, user=other, role="OWNER", created_at=now())
    assert browser.post("/privacy/delete/acme", {"email": "x"}).status_code == 422
    assert browser.post("/privacy/delete/acme", delete)["Location"] == reverse("portal:login")

    forgotten = User.objects.get(pk=acme.owner.pk)
    assert not forgotten.is_active
    assert address not in json.dumps(list(User.objects.values("email", "first_name", "last_name")))
    assert not forgotten.memberships.exists()
    assert set(SignIn.objects.filter(user=forgotten).values_list("address", "agent")) == {(None, "")}
    assert browser.get("/").status_code == 302
    assert sign_in(forgotten)[1].status_code == 200, "no way in is left"
    assert AuditEvent.objects.get(action="Delete oneself").user == forgotten, "that it was done stays"


def test_staff_and_others_do_not_end_what_is_not_theirs(shop: Shop, finance: Client, fiona: User, stranger: Client) -> None:
    Member.objects.create(account=shop.acme.account, user=fiona, role="ADMIN", created_at=now())
    assert finance.post("/privacy/delete/acme", {"email": fiona.email}).status_code == 422
    assert finance.post("/privacy/close/acme", {"key": "acme"}).status_code == 403, "an owner closes"
    viewer = User.objects.create_user("viewer@acme.example", PASSWORD)
    Member.objects.create(account=shop.acme.account, user=viewer, role="VIEWER", created_at=now())
    assert browser_of(viewer).get("/privacy/data/acme").status_code == 403
    for path in ("/privacy/close/acme", "/privacy/delete/acme"):
        assert stranger.post(path, {"key": "acme"}).status_code == 404


def test_the_end_asks_again_who_is_there(settings, shop: Shop) -> None:
    settings.REAUTHENTICATION_MINUTES = 15
    old = browser_of(shop.acme.owner)
    assert old.post("/privacy/close/acme", {"key": "acme"})["Location"].startswith("/reauthenticate/")
    assert old.post("/privacy/delete/acme", {"email": shop.acme.owner.email})["Location"].startswith("/reauthenticate/")


def test_the_register_knows_every_column_that_holds_an_address() -> None:
    listed = {column for one in PERSONAL for column in one.columns}
    ours = ("wallets", "pricing", "metering", "notifications", "account", "usersessions")
    columns = {
        f"{model._meta.label_lower}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in ours
        for field in model._meta.local_fields
        if isinstance(field, models.EmailField | models.GenericIPAddressField)
    }
    assert not columns - listed
    known = {f"{model._meta.label_lower}.{field.name}" for model in apps.get_models() for field in model._meta.local_fields}
    assert not listed - known, "the register names a column that is not there"
