"""The audit log in the back office: what people do there is in it, with why; found, opened, taken along."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from tests.cast import PASSWORD
from tests.factories.prices import llm_prices
from tests.factories.shop import NOW, Shop, text_of
from wallets.accounts.models import User
from wallets.adjustments.models import ReasonCode
from wallets.audit.models import AuditEvent
from wallets.audit.record import record_change

pytestmark = pytest.mark.django_db
LIST = reverse("admin:wallets_auditevent_changelist")
EXPORT = reverse("admin:wallets_auditevent_export")


def freeze(shop: Shop, browser: Client, **said: str) -> Any:
    address = reverse("admin:wallets_wallet_freeze", args=[shop.acme.wallet.pk])
    return browser.post(address, {"step": "confirm", "token": "t", "reason": "=HYPERLINK(1)"} | said)


def test_an_action_is_recorded_with_the_row_before_and_after(shop: Shop, finance: Client, fiona: User) -> None:
    assert freeze(shop, finance).status_code == 302
    event = AuditEvent.objects.get()
    assert (event.user, event.action, event.subject, event.account, event.at) == (
        fiona, "Freeze wallet", shop.acme.wallet.public_id, shop.acme.account, NOW,
    )  # fmt: skip
    assert (event.before["status"], event.after["status"]) == ("ACTIVE", "FROZEN")
    assert (event.reason, event.address) == ("=HYPERLINK(1)", "127.0.0.1")
    assert event.details["shown"][0] == ["Status", "ACTIVE", "FROZEN"]


def test_what_is_refused_or_sent_twice_is_not_recorded(shop: Shop, finance: Client, support: Client) -> None:
    assert freeze(shop, support).status_code == 403
    assert freeze(shop, finance, reason="").status_code == 422
    assert freeze(shop, finance).status_code == 302
    assert freeze(shop, finance).status_code == 422
    assert AuditEvent.objects.count() == 1


def test_djangos_own_forms_are_recorded_with_roles_and_without_passwords(finance: Client, fiona: User, sam: User) -> None:
    role = Group.objects.create(name="night watch")
    page = reverse("admin:wallets_user_change", args=[sam.pk])
    inline = {f"memberships-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    told = {"email": sam.email, "time_zone": "UTC", "is_active": "on", "is_staff": "on", "groups": [role.pk], **inline}
    assert finance.post(page, told).status_code == 302, finance.post(page, told).content
    event = AuditEvent.objects.get()
    assert (event.action, event.subject, event.before["groups"], event.after["groups"]) == (
        "Change user", sam.email, [], ["night watch"],
    )  # fmt: skip
    password = reverse("admin:auth_user_password_change", args=[sam.pk])
    new = {"password1": f"{PASSWORD} 2", "password2": f"{PASSWORD} 2", "usable_password": "true"}
    assert finance.post(password, new).status_code == 302
    event = AuditEvent.objects.latest("id")
    assert event.before == event.after == {"password": "(hidden)"}
    code = ReasonCode.objects.order_by("id").first()
    assert code is not None
    finance.post(reverse("admin:wallets_reasoncode_change", args=[code.pk]), {"title": "Another", "is_active": "on"})
    event = AuditEvent.objects.latest("id")
    assert (event.action, event.subject, event.before, event.after) == (
        "Change reason code", code.code, {"title": code.title}, {"title": "Another"},
    )  # fmt: skip


def test_prices_edited_in_a_draft_are_recorded(finance: Client) -> None:
    version = llm_prices(input_tokens="0.00001", output_tokens="0.0001")
    copied = reverse("admin:pricing_priceversion_copy", args=[version.pk])
    assert finance.post(copied, {"step": "confirm", "token": "t"}).status_code == 302
    assert AuditEvent.objects.get().action == "Draft version"


def test_the_log_is_searched_opened_and_exported(shop: Shop, finance: Client, fiona: User, acme: Any) -> None:
    freeze(shop, finance)
    for number in range(3):
        record_change(
            actor="expire_lots", action="Expire", subject_kind="wallets.creditlot", subject=f"lot_{number}", before={},
            after={}, reason="", at=NOW,
        )  # fmt: skip
    wallet = shop.acme.wallet.public_id
    for term, count in (
        (wallet, 1),
        (wallet[:12], 1),
        ("acme", 1),
        (fiona.email, 1),
        ("expire_lots", 3),
        ("lot_", 3),
        ("x", 0),
    ):
        page = finance.get(LIST, {"q": term}).content.decode()
        assert page.count("field-subject_column") == count, term
    for who, count in (("people", 1), ("jobs", 3), ("keys", 0)):
        assert finance.get(LIST, {"who": who}).content.decode().count("field-subject_column") == count
    event = AuditEvent.objects.get(user=fiona)
    page = text_of(finance.get(reverse("admin:wallets_auditevent_change", args=[event.pk])))
    for words in ("Freeze wallet", "fiona@vendor.example", "=HYPERLINK(1)", "FROZEN", wallet):
        assert words in page
    answer = finance.get(EXPORT, {"q": "acme"})
    rows = list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))  # type: ignore[attr-defined]
    assert [(row["who"], row["action"], row["reason"]) for row in rows] == [
        ("fiona@vendor.example", "Freeze wallet", "'=HYPERLINK(1)")
    ]


def test_only_who_may_look_sees_it(support: Client, customer: Client, shop: Shop) -> None:
    newcomer = Client()
    newcomer.force_login(User.objects.create_user("new@vendor.example", PASSWORD, is_staff=True))
    for address in (LIST, EXPORT):
        assert newcomer.get(address).status_code == 403
        assert customer.get(address).status_code == 302
        assert support.get(address).status_code == 200
        assert support.post(address).status_code in {200, 403}
