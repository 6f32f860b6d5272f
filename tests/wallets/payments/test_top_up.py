"""One payment becomes credit once, for what was agreed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import DatabaseError, transaction

from tests.cast import OPENED_AT, Company
from tests.factories.payments import AT, new_top_up, saved_card, topped_up
from tests.fakes.faulty_provider import FaultyProvider
from wallets.accounts.open import open_account
from wallets.balances.open import WalletClosed, close_wallet, open_wallet
from wallets.errors import InvalidInput, NotFound
from wallets.idempotency.claim import KeyReused
from wallets.ledger.models import Posting
from wallets.outbox.models import News
from wallets.payments.cards import choose_card, remove_card
from wallets.payments.models import PaymentMethod, Receipt, TopUp
from wallets.payments.offer_models import BonusSlab, RefundPolicy, TaxRate, TopUpTerms
from wallets.payments.start import start_payment
from wallets.payments.terms import AmountOutOfRange, CurrencyNotCharged
from wallets.payments.top_up import NoCard, PolicyNotAccepted

pytestmark = pytest.mark.django_db


def booked(top_up: TopUp) -> dict[str, D]:
    entry = Posting.objects.filter(lot_id=top_up.lot_id).order_by("entry_id").values_list("entry_id", flat=True).first()
    postings = Posting.objects.select_related("ledger_account").filter(entry_id=entry)
    sums: dict[str, D] = {}
    for one in postings:
        sums[one.ledger_account.code] = sums.get(one.ledger_account.code, D(0)) + one.amount
    return sums


def test_a_card_is_charged_and_the_credit_is_there(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    started = topped_up(acme.wallet)
    acme.wallet.refresh_from_db()
    top_up = TopUp.objects.get()
    assert started.client_secret == ""
    assert (top_up.state, top_up.payment_id, acme.wallet.balance) == ("SUCCEEDED", "pi_1", D(50))
    assert provider.charged == [D(50)]
    assert top_up.lot is not None
    assert (top_up.lot.kind, top_up.lot.amount, top_up.lot.price_paid, top_up.lot.source) == ("paid", D(50), D(50), "stripe")
    assert News.objects.filter(topic="top_up_succeeded").count() == 1
    receipt = Receipt.objects.get()
    assert (receipt.public_number, receipt.paid_with) == ("MAIN-2026-000001", "Visa •••• 4242")
    assert receipt.buyer.startswith("Acme\n")


def test_tax_and_fee_are_charged_and_never_become_credit(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    acme.account.country = "DE"
    acme.account.save()
    TaxRate.objects.create(country="DE", name="VAT", percent=D(19), effective_at=OPENED_AT)
    terms = TopUpTerms.objects.create(
        currency="USD", minimum=D(10), maximum=D(1000), suggested=[D(10)], fee_percent=D("2.9"), fee_fixed=D("0.30")
    )
    BonusSlab.objects.create(terms=terms, from_amount=D(100), percent=D(5))
    top_up = topped_up(acme.wallet, "100").top_up
    assert (top_up.amount, top_up.fee, top_up.tax, top_up.total) == (D(100), D("3.20"), D("19.61"), D("122.81"))
    assert provider.charged == [D("122.81")]
    acme.wallet.refresh_from_db()
    assert acme.wallet.balance == D(105)
    assert top_up.bonus_lot is not None
    assert (top_up.bonus_lot.kind, top_up.bonus_lot.amount) == ("promotional", D(5))
    assert booked(top_up) == {
        "cash_clearing:stripe": D("-122.81"),
        "prepaid_liability": D(100),
        "tax_payable:DE": D("19.61"),
        "fees:top_up": D("3.20"),
    }


@pytest.mark.parametrize(
    ("currency", "amount", "tax_percent", "total", "refused"),
    [
        ("JPY", "5000", "10", "5500", "5000.5"),
        ("KWD", "5.25", "5", "5.51", "5.255"),  # 5.5125: half-even in steps of 0.01, a charge's third digit is zero
        ("USD", "10.10", "7.5", "10.86", "10.101"),
    ],
)
def test_amounts_are_charged_in_the_steps_of_their_currency(
    provider: FaultyProvider, currency: str, amount: str, tax_percent: str, total: str, refused: str
) -> None:
    account = open_account(key="abroad", name="Abroad", at=OPENED_AT, currency=currency, country="XX")
    wallet = open_wallet(account=account, currency=currency, at=OPENED_AT)
    TaxRate.objects.create(country="XX", name="VAT", percent=D(tax_percent), effective_at=OPENED_AT)
    saved_card(account)
    top_up = topped_up(wallet, amount).top_up
    assert (top_up.total, provider.charged) == (D(total), [D(total)])
    wallet.refresh_from_db()
    assert wallet.balance == D(amount)
    with pytest.raises(InvalidInput, match="steps"):
        new_top_up(wallet, refused)


def test_limits_and_currencies_are_kept(acme: Company, card: PaymentMethod) -> None:
    for amount in ("4.99", "10000.01"):
        with pytest.raises(AmountOutOfRange, match="from 5 to 10000 USD"):
            new_top_up(acme.wallet, amount)
    units = open_wallet(account=acme.account, currency="CREDITS", at=OPENED_AT)
    with pytest.raises(CurrencyNotCharged):
        new_top_up(units)
    assert not TopUp.objects.exists()


def test_only_ones_own_card_is_charged(acme: Company, globex: Company, card: PaymentMethod) -> None:
    with pytest.raises(NotFound):
        new_top_up(globex.wallet, card_id=card.public_id)
    with pytest.raises(NoCard):
        new_top_up(globex.wallet)


def test_the_same_key_is_the_same_top_up(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    first = topped_up(acme.wallet, request_key="k:1")
    again = topped_up(acme.wallet, request_key="k:1")
    assert again.top_up.pk == first.top_up.pk
    assert provider.charged == [D(50)]
    with pytest.raises(KeyReused):
        new_top_up(acme.wallet, "60", request_key="k:1")


def test_the_policy_that_was_shown_must_be_the_one_in_force(acme: Company, card: PaymentMethod) -> None:
    first = RefundPolicy.objects.create(version=1, sentence="Unused credit within 30 days.", effective_at=OPENED_AT)
    RefundPolicy.objects.create(version=2, sentence="Not at all.", effective_at=AT + timedelta(days=1))
    assert new_top_up(acme.wallet, accepted_policy=1).policy == first
    with pytest.raises(PolicyNotAccepted):
        new_top_up(acme.wallet, accepted_policy=2)
    with pytest.raises(PolicyNotAccepted):
        new_top_up(acme.wallet, at=AT + timedelta(days=2), accepted_policy=1)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("insufficient_funds", "not enough money"),
        ("expired_card", "has expired"),
        ("incorrect_cvc", "security code"),
        ("lost_card", "Your bank declined the card"),
        ("processing_error", "try again in a few minutes"),
        ("card_velocity_exceeded", "reached its limit"),
        ("a_code_of_next_year", "Your bank declined the card"),
    ],
)
def test_a_decline_explains_itself_and_moves_nothing(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, code: str, says: str
) -> None:
    provider.declines[card.provider_id] = code
    top_up = topped_up(acme.wallet).top_up
    acme.wallet.refresh_from_db()
    assert (top_up.state, top_up.failure_code, acme.wallet.version) == ("FAILED", code, 0)
    assert says in top_up.failure
    assert News.objects.filter(topic="top_up_failed").count() == 1
    assert provider.charged == []


def test_a_card_that_asks_waits_for_its_holder(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    provider.asks.add(card.provider_id)
    started = topped_up(acme.wallet)
    assert (started.top_up.state, started.client_secret) == ("REQUIRES_ACTION", "secret")
    acme.wallet.refresh_from_db()
    assert acme.wallet.version == 0


def test_a_wallet_closed_meanwhile_is_not_credited_but_seen_to(
    acme: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    top_up = new_top_up(acme.wallet)
    close_wallet(wallet_id=acme.wallet.pk, at=AT)
    top_up.refresh_from_db()
    assert start_payment(top_up=top_up, at=AT).top_up.state == "PROCESSING"
    assert [(one.kind, one.found) for one in top_up.exceptions.all()] == [("missing_credit", D(50))]
    with pytest.raises(WalletClosed):
        new_top_up(acme.wallet)


def test_the_database_keeps_states_terms_and_credit(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    top_up = topped_up(acme.wallet).top_up
    other = new_top_up(acme.wallet)
    mine, others = TopUp.objects.filter(pk=top_up.pk), TopUp.objects.filter(pk=other.pk)
    for rows, change, held_by in (
        (mine, {"state": "FAILED"}, "Invalid transition"),
        (mine, {"amount": D(1)}, "top_up_terms_stay|Cannot"),
        (mine, {"lot": None}, "top_up_has_credit_exactly_when_paid"),
        (others, {"state": "SUCCEEDED"}, "top_up_has_credit_exactly_when_paid"),
        (others, {"payment_id": top_up.payment_id}, "top_up_payment_once"),
        (others, {"state": "UNHEARD_OF"}, "Invalid transition"),
    ):
        with pytest.raises(DatabaseError, match=held_by), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
        TopUp.objects.filter(pk=other.pk)._raw_delete(using="default")


def test_receipts_are_numbered_without_a_gap_for_each_year(acme: Company, card: PaymentMethod, settings: object) -> None:
    for days in (0, 1, 40):
        topped_up(acme.wallet, at=AT + timedelta(days=days))
    topped_up(acme.wallet, "60", at=AT + timedelta(days=41), request_key="k")
    numbers = [receipt.public_number for receipt in Receipt.objects.order_by("id")]
    assert numbers == ["MAIN-2026-000001", "MAIN-2026-000002", "MAIN-2026-000003", "MAIN-2026-000004"]
    topped_up(acme.wallet, at=AT + timedelta(days=80))
    assert Receipt.objects.latest("id").public_number == "MAIN-2027-000001"


def test_default_backup_and_removal(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    assert card.is_default
    second = PaymentMethod.objects.create(
        account=acme.account, provider="stripe", provider_id="pm_2", brand="visa", last_four="1881", exp_month=1,
        exp_year=2031, fingerprint="fp_2", created_at=OPENED_AT,
    )  # fmt: skip
    choose_card(account=acme.account, card_id=second.public_id, backup=True)
    remove_card(account=acme.account, card_id=card.public_id, at=AT)
    second.refresh_from_db()
    assert (second.is_default, second.is_backup) == (True, False)
    with pytest.raises(NotFound):
        new_top_up(acme.wallet, card_id=card.public_id)
    assert "pm_cus_acme" not in provider.cards
