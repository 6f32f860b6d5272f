"""The pages of paying: what is charged is what the button said, once, and whatever became of it is said."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from tests.cast import OPENED_AT, Company
from tests.factories.payments import AT, saved_card, topped_up
from tests.fakes.faulty_provider import FaultyProvider
from wallets import clock
from wallets.accounts.models import Member
from wallets.accounts.open import open_account
from wallets.balances.open import open_wallet
from wallets.payments.models import PaymentMethod, TopUp
from wallets.payments.offer_models import BonusSlab, RefundPolicy, TaxRate, TopUpTerms
from wallets.payments.reconcile import reconcile_in_flight

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Any:
    with clock.set_to(AT):
        yield


@pytest.fixture
def client(acme: Company) -> Client:
    signed_in = Client()
    signed_in.force_login(acme.owner)
    return signed_in


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def pay(client: Client, **changes: str) -> Any:
    """Press the button."""
    return client.post("/top-up/acme", {"amount": "50", "total": "50.00", "token": "t1"} | changes)


def page_after(client: Client, response: Any) -> str:
    assert response.status_code == 302, text(response)
    return text(client.get(response["Location"]))


def test_the_page_says_what_it_costs_and_the_button_charges_that(
    acme: Company, client: Client, card: PaymentMethod, provider: FaultyProvider
) -> None:
    acme.account.country = "DE"
    acme.account.save()
    TaxRate.objects.create(country="DE", name="VAT", percent=D(19), effective_at=OPENED_AT)
    terms = TopUpTerms.objects.create(
        currency="USD", minimum=D(10), maximum=D(1000), suggested=[D(50)], fee_percent=D(2), fee_fixed=D(0)
    )
    BonusSlab.objects.create(terms=terms, from_amount=D(100), percent=D(5))
    page = client.get("/top-up/acme?amount=100")
    for part in ("VAT 19 %", "Payment fee", 'name="total" value="121.38"', "of credit on top, from us", "5 % from"):
        assert part in text(page), part
    paid = page_after(client, pay(client, amount="100", total="121.38"))
    assert provider.charged == [D("121.38")]
    for part in ("Receipt MAIN-2026-000001", "paid", "Your balance is"):
        assert part in paid, part


def test_the_button_pressed_twice_charges_once(
    acme: Company, client: Client, card: PaymentMethod, provider: FaultyProvider
) -> None:
    first, second = pay(client), pay(client)
    assert first["Location"] == second["Location"]
    assert provider.charged == [D(50)]
    pay(client, token="t2")
    assert provider.charged == [D(50), D(50)]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"total": "49.00"}, "has changed since the page was shown"),
        ({"amount": "1", "total": "1"}, "Choose an amount from 5 to 10000 USD"),
        ({"amount": "5.001", "total": "5.001"}, "in steps of 0.01"),
        ({"amount": "a lot"}, "Choose an amount"),
        ({"amount": "-50", "total": "-50"}, "Choose an amount"),
        ({"amount": "1e3", "total": "1000"}, "Choose an amount"),
        ({"card": "card_of_somebody_else"}, "There is no card"),
        ({"policy": "2"}, "The refund policy has changed"),
        ({"policy": ""}, "Accept the refund policy"),
    ],
)
def test_what_is_not_as_the_page_said_charges_nothing(
    client: Client, card: PaymentMethod, provider: FaultyProvider, changes: dict[str, str], says: str
) -> None:
    if "policy" in changes:
        RefundPolicy.objects.create(version=1, sentence="Within 30 days.", effective_at=OPENED_AT)
    answer = pay(client, **changes)
    assert answer.status_code == 422
    assert says in text(answer), text(answer)
    assert (provider.charged, TopUp.objects.count()) == ([], 0)


def test_the_accepted_policy_stands_on_the_receipt(acme: Company, client: Client, card: PaymentMethod) -> None:
    RefundPolicy.objects.create(version=1, sentence="Within 30 days.", text="In full.", effective_at=OPENED_AT)
    RefundPolicy.objects.create(version=2, sentence="Never.", effective_at=AT + timedelta(days=1))
    page = text(client.get("/top-up/acme?amount=50"))
    assert "I accept the refund policy: Within 30 days." in page
    assert "version 1, in full" in page
    assert 'Within 30 days. <span class="faint">version 1, accepted' in page_after(client, pay(client, policy="1"))


def test_a_declined_card_says_why_and_what_to_do(client: Client, card: PaymentMethod, provider: FaultyProvider) -> None:
    provider.declines[card.provider_id] = "insufficient_funds"
    page = page_after(client, pay(client))
    assert "Nothing was charged.</strong> There is not enough money on the card. Choose a smaller amount" in page
    assert "Try again" in page


def test_a_provider_that_does_not_answer_is_no_reason_to_pay_again(
    acme: Company, client: Client, card: PaymentMethod, provider: FaultyProvider
) -> None:
    provider.faults.append(("confirm_payment", "after"))
    answer = pay(client)
    assert "The payment is on its way." in page_after(client, answer)
    look = client.post(f"{answer['Location']}look/")
    assert "Receipt MAIN-2026-000001" in page_after(client, look)
    provider.down = True
    answer = pay(client, token="t2")
    assert "you will not be charged twice" in page_after(client, answer)
    assert "on its way" in page_after(client, client.post(f"{answer['Location']}look/"))
    provider.down = False
    reconcile_in_flight(at=AT + timedelta(minutes=5))
    assert "The payment was given up before any money moved." in text(client.get(answer["Location"]))
    assert provider.charged == [D(50)]


@pytest.mark.parametrize("role", [Member.Role.DEVELOPER, Member.Role.VIEWER])
def test_whoever_may_not_pay_may_look(
    acme: Company, client: Client, card: PaymentMethod, provider: FaultyProvider, role: str
) -> None:
    Member.objects.filter(user=acme.owner).update(role=role)
    assert client.get("/top-up/acme").status_code == 403
    assert pay(client).status_code == 403
    assert client.get("/cards/acme").status_code == 403
    listed = client.get("/payments/acme")
    assert listed.status_code == 200
    assert "Top up</a>" not in text(listed).partition("<main")[2]
    assert provider.charged == []


def test_payments_are_listed_in_one_query_and_go_on_over_pages(
    acme: Company, client: Client, card: PaymentMethod, provider: FaultyProvider, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        topped_up(acme.wallet, request_key=f"k{number}")
    provider.declines[card.provider_id] = "expired_card"
    topped_up(acme.wallet, origin=TopUp.Origin.RECHARGE, request_key="declined")
    client.get("/payments/acme")
    with django_assert_num_queries(6):  # session, person, account, payments, what they may open, banner
        page = text(client.get("/payments/acme"))
    assert page.count("MAIN-2026-") == 3
    assert "auto-recharge: The card has expired." in page
    before = TopUp.objects.order_by("id")[1].public_id
    assert text(client.get(f"/payments/acme?before={before}")).count("MAIN-2026-") == 1


def test_another_accounts_payment_is_no_place_in_the_list(
    acme: Company, globex: Company, client: Client, card: PaymentMethod
) -> None:
    topped_up(acme.wallet)
    saved_card(globex.account)
    theirs = topped_up(globex.wallet, request_key="theirs").top_up
    assert client.get(f"/payments/acme?before={theirs.public_id}").status_code == 404


def test_yen_have_no_decimals(acme: Company, client: Client, provider: FaultyProvider) -> None:
    account = open_account(key="tokyo", name="Tokyo", at=OPENED_AT, currency="JPY")
    open_wallet(account=account, currency="JPY", at=OPENED_AT)
    Member.objects.create(account=account, user=acme.owner, role=Member.Role.OWNER, created_at=OPENED_AT)
    saved_card(account)
    page = text(client.get("/top-up/tokyo?amount=5000"))
    assert 'name="total" value="5000"' in page
    answer = client.post("/top-up/tokyo", {"amount": "5000", "total": "5000", "token": "t"})
    assert answer.status_code == 302
    assert provider.charged == [D(5000)]


def test_a_card_is_saved_chosen_and_removed(acme: Company, client: Client, provider: FaultyProvider) -> None:
    begun = client.post("/card/begin/acme").json()
    assert client.post("/card/keep/acme", {"set_up": begun["id"]}).status_code == 302
    assert client.post("/card/keep/acme", {"set_up": "seti_cus_globex"}).status_code == 422
    (kept,) = PaymentMethod.objects.all()
    assert "charged first" in text(client.get("/cards/acme"))
    provider.down = True
    gone = client.post("/card/change/acme", {"card": kept.public_id, "what": "remove"})
    assert "cannot be reached" in text(gone)
    assert "No card is saved." in text(client.get("/cards/acme")), "it is removed here all the same"
