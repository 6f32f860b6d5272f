"""Nobody sees another account's pages (I12): globex, signed in, asks for everything of acme's; so does nobody at all."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, reverse

from billing_site.portal import urls
from metering.usage.close_periods import close_periods
from notifications.channels.webhook.endpoints import EndpointTerms, make_endpoint
from notifications.channels.webhook.models import WebhookEndpoint
from tests.factories.balances import AT
from tests.factories.credit_notes import credited, usage_line
from tests.factories.events import event_pk
from tests.factories.refunds import withdrawal_of
from tests.factories.shop import Shop, text_of
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.clock import now
from wallets.payments.manual import record_payment
from wallets.payments.models import TopUp
from wallets.refunds.models import Withdrawal
from wallets.refunds.withdraw import confirmation_link
from wallets.statements.credit_note_models import CreditNote
from wallets.statements.models import Statement

pytestmark = pytest.mark.django_db

OPEN_TO_ALL = {"enter", "leave", "widget", "login", "logout", "unsubscribe", "invitation", "start", "support", "end_support"}
# What only changes something: posted to by the pages.
POSTS = ("dismiss", "close", "delete_me", "begin_card", "keep_card", "change_card", "look")
OF_ACCOUNT = (
    "top_up",
    "auto_recharge",
    "cards",
    "caps",
    "payments",
    "credit",
    "statements",
    "billing",
    "withdraw",
    "team",
    "privacy",
    "download",
    "webhooks",
    "developers",
    "usage",
    "usage_events",
    "usage_csv",
    "alerts",
)
STATEMENT = ("statement", "statement_pdf", "statement_csv", "statement_events")
CREDIT_NOTE = ("credit_note", "credit_note_pdf", "credit_note_csv")


@pytest.fixture(autouse=True)
def paid(shop: Shop) -> None:
    """acme has paid something, and its month has ended."""
    record_payment(
        wallet=Wallet.objects.select_related("account").get(pk=shop.acme.wallet.pk), amount=Decimal(5), means="wire",
        reference="1", at=AT, actor="fiona",
    )  # fmt: skip
    close_periods(at=AT + timedelta(days=15))
    credited(Statement.objects.get(), by=shop.acme.owner, at=AT + timedelta(days=15))
    withdrawal_of(shop.acme, "1", at=now())
    make_endpoint(account=shop.acme.account, terms=EndpointTerms(url="https://acme.example/hook"), at=AT)


def test_another_customer_changes_nothing(shop: Shop, stranger: Client) -> None:
    paid = TopUp.objects.get().public_id
    for name in POSTS:
        address = reverse(f"portal:{name}", args=[paid if name == "look" else "acme"])
        assert stranger.post(address, {"set_up": "seti_1", "card": "card_1", "what": "remove"}).status_code == 404, name
    assert stranger.post(reverse("portal:top_up", args=["acme"]), {"amount": "50", "total": "50"}).status_code == 404
    assert stranger.post(reverse("portal:auto_recharge", args=["acme"]), {"what": "off"}).status_code == 404
    hook = reverse("portal:webhook", args=[WebhookEndpoint.objects.get().public_id])
    assert [stranger.post(hook, {"what": what}).status_code for what in ("remove", "rotate", "test")] == [404] * 3
    assert stranger.post(reverse("portal:webhooks", args=["acme"]), {"url": "https://globex.example/"}).status_code == 404
    assert stranger.post(reverse("portal:caps", args=["acme"]), {"what": "remove", "cap": "cap_1"}).status_code == 404


def pages_of_acme(shop: Shop) -> list[str]:
    """Every customer page with acme's things in its address."""
    home = reverse("portal:balance")
    return [
        f"{home}?account=acme",
        f"{home}?account=acme&wallet={shop.acme.wallet.public_id}",
        f"{home}?account=globex&wallet={shop.acme.wallet.public_id}",
        f"{home}?wallet={shop.acme.wallet.public_id}",
        f"{reverse('portal:plan')}?account=acme",
        f"{reverse('portal:security')}?account=acme",
        *[reverse(f"portal:{name}", args=["acme"]) for name in OF_ACCOUNT],
        reverse("portal:receipt", args=[TopUp.objects.get().public_id]),
        *[reverse(f"portal:{name}", args=[Statement.objects.get().public_id]) for name in STATEMENT],
        reverse(
            "portal:statement_line", args=[Statement.objects.get().public_id, usage_line(Statement.objects.get()).position]
        ),
        *[reverse(f"portal:{name}", args=[CreditNote.objects.get().public_id]) for name in CREDIT_NOTE],
        *[reverse("portal:lot", args=[lot.public_id]) for lot in shop.acme.wallet.lots.all()],
        reverse("portal:webhook", args=[WebhookEndpoint.objects.get().public_id]),
        confirmation_link(Withdrawal.objects.get()).removeprefix(settings.SITE_URL),
        *[reverse("portal:charge", args=[event_pk(event_id)]) for event_id in ("req_1", "req_void", "req_parked")],
    ]


def test_every_page_has_its_stranger() -> None:
    names = {pattern.name for pattern in urls.urlpatterns}
    pages = {
        "balance",
        "charge",
        "plan",
        "security",
        "receipt",
        "confirm_withdraw",
        "webhook",
        "lot",
        *OF_ACCOUNT,
        *STATEMENT,
        "statement_line",
        *CREDIT_NOTE,
    }
    assert names - OPEN_TO_ALL == pages | set(POSTS), "add the new page to pages_of_acme, or to POSTS"
    assert get_resolver().reverse_dict is not None


def test_another_customer_finds_nothing(shop: Shop, stranger: Client) -> None:
    for address in pages_of_acme(shop):
        assert stranger.get(address).status_code == 404, address


def test_the_owner_finds_all_of_it(shop: Shop, customer: Client) -> None:
    for address in pages_of_acme(shop):
        expected = 404 if "wallet=" in address and "account=globex" in address else 200
        assert customer.get(address).status_code == expected, address


def test_staff_without_membership_are_strangers_too(shop: Shop, finance: Client) -> None:
    for address in pages_of_acme(shop):
        assert finance.get(address).status_code == 404, address


def test_whoever_did_not_sign_in_is_sent_to_sign_in(shop: Shop) -> None:
    for address in pages_of_acme(shop):
        response = Client().get(address)
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("portal:login"))


def test_what_is_not_there_looks_like_what_is_not_theirs(shop: Shop, stranger: Client) -> None:
    home = reverse("portal:balance")
    theirs = stranger.get(f"{home}?account=acme")
    missing = stranger.get(f"{home}?account=nobody")
    assert text_of(theirs) == text_of(missing)
    for pk in (0, 10**17):
        assert stranger.get(reverse("portal:charge", args=[pk])).status_code == 404
    assert stranger.get("/charges/99999999999999999999999999/").status_code == 404


def test_a_wallet_of_another_of_ones_own_accounts_is_not_mixed_up(shop: Shop, customer: Client) -> None:
    other = open_wallet(account=shop.globex.account, currency="EUR", at=AT)
    assert customer.get(reverse("portal:balance"), {"wallet": other.public_id}).status_code == 404
