"""Finance's recipients: added, changed and removed in the back office; what finance is told goes to them."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse

from notifications.alerts.models import Delivery, Recipient
from notifications.alerts.raise_alert import raise_alert
from notifications.alerts.recipients import RecipientTerms, add_recipient
from tests.cast import Company
from tests.factories.balances import AT
from tests.factories.shop import browser_of, text_of
from wallets.accounts.models import User
from wallets.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
TERMS = {"language": "de", "time_zone": "Europe/Berlin", "quiet_from": "22:00", "quiet_until": "07:00"}


def url(name: str, *args: int) -> str:
    return reverse(f"admin:notifications_recipient_{name}", args=args)


def test_somebody_is_added_changed_and_removed(acme: Company, fiona: User) -> None:
    fiona.is_superuser = True
    fiona.save()
    browser = browser_of(fiona)

    def do(address: str, **answers: object) -> str:
        return text_of(browser.post(address, {**answers, "step": "confirm", "token": uuid4().hex}, follow=True))

    assert "cfo@vendor.example is told from now on." in do(url("make"), email="cfo@vendor.example", **TERMS)
    assert "is told already" in do(url("make"), email="cfo@vendor.example", **TERMS)
    assert "a time zone such as" in do(url("make"), email="new@vendor.example", **TERMS | {"time_zone": "Mars"})
    recipient = Recipient.objects.get(email="cfo@vendor.example")
    assert recipient.account is None
    assert "quiet 22:00 to 07:00" in text_of(browser.get(url("changelist")))
    assert "Remove" in text_of(browser.get(url("change", recipient.pk)))
    raise_alert(topic="burn_rate_page", key="b1", account_id=acme.account.pk, wallet_id=acme.wallet.pk, audience="finance",
                facts={"currency": "USD"}, at=AT)  # fmt: skip
    assert list(Delivery.objects.values_list("address", flat=True)) == ["cfo@vendor.example"]
    assert "is told like this now" in do(url("terms", recipient.pk), **TERMS | {"language": "en"}, digest="on")
    recipient.refresh_from_db()
    assert (recipient.language, recipient.digest) == ("en", True)
    assert "is told no more" in do(url("remove", recipient.pk), reason="Left")
    assert not Recipient.objects.exists()
    assert AuditEvent.objects.filter(subject_kind="notifications.recipient").count() == 3


def test_customers_recipients_are_not_here(acme: Company, fiona: User, sam: User) -> None:
    theirs = add_recipient(account=acme.account, terms=RecipientTerms("dana@acme.example"), at=AT)
    fiona.is_superuser = True
    fiona.save()
    browser = browser_of(fiona)
    assert "dana@acme.example" not in text_of(browser.get(url("changelist")))
    assert browser.get(url("terms", theirs.pk)).status_code == 404
    assert browser_of(sam).get(url("make")).status_code == 403
