"""The gate in the back office: spend caps set and removed with a reason, decisions as they fall, why a call was refused."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.test import Client
from django.urls import reverse
from redis import Redis

from metering.caps.models import SpendCap
from metering.caps.set_cap import CapTerms, set_cap
from metering.gate.check import check_account, lease_until
from metering.gate.decide import Call
from tests.factories.shop import NOW, Shop, text_of
from wallets.accounts.models import User

GATE = "admin:gate"
CAP = {
    "account": "acme", "scope": "user", "value": "", "window": "month", "limit": "20", "currency": "USD", "meter": "",
    "reason": "Asked for", "token": "t",
}  # fmt: skip


def test_a_cap_is_set_looked_at_and_removed(shop: Shop, finance: Client) -> None:
    set_page = reverse("admin:metering_spendcap_set")
    assert finance.post(set_page, CAP | {"step": "confirm", "currency": ""}).status_code == 422
    assert finance.post(set_page, CAP | {"step": "confirm"}).status_code == 302
    cap = SpendCap.objects.get()
    assert (cap.account, cap.scope, cap.limit, cap.state) == (shop.acme.account, "user", D(20), "ACTIVE")
    page = text_of(finance.get(reverse("admin:metering_spendcap_change", args=[cap.pk])))
    assert "each for itself" in page
    account_page = reverse("admin:wallets_account_change", args=[shop.acme.account.pk])
    assert "each user month nothing yet 20.00 USD 1 Dec 2026" in text_of(finance.get(account_page))
    gone = finance.post(
        reverse("admin:metering_spendcap_remove", args=[cap.pk]), {"reason": "Over", "token": "u", "step": "confirm"}
    )
    assert gone.status_code == 302
    assert SpendCap.objects.get().state == "REMOVED"


def test_support_may_look_but_not_set(shop: Shop, sam: User) -> None:
    browser = Client()
    browser.force_login(sam)
    assert browser.get(reverse("admin:metering_spendcap_set")).status_code == 403
    assert browser.get(reverse(GATE)).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_gate_shows_what_it_decides_and_why_it_refused(shop: Shop, finance: Client, redis_server: Redis) -> None:
    account = shop.acme.account
    cap = set_cap(account=account, terms=CapTerms("user", "day", D("0.01"), currency="USD"), at=NOW)
    call = Call({"user": "u_1"})
    assert check_account(account_key="acme", amount=D("0.02"), at=NOW, call=call).reason == "spend_cap"
    lease = lease_until(NOW.replace(year=NOW.year + 1))
    assert check_account(account_key="acme", amount=D("0.01"), at=NOW, lease=lease).verdict == "allow"
    shown = text_of(finance.get(reverse(GATE)))
    assert "acme" in shown
    answer = finance.get(reverse(GATE), {"account": "acme"})
    why = text_of(answer)
    for part in ("spend_cap", "user u_1", "1 live lease of"):
        assert part in why
    assert cap.public_id in answer.content.decode()
    assert "There is no account nobody." in text_of(finance.get(reverse(GATE), {"account": "nobody"}))
