"""Cards and top-ups, through the verbs; a fixture of each, known to every test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from pytest_django.fixtures import Settings

from tests.cast import OPENED_AT, Company
from tests.fakes.faulty_provider import PRESENT, FaultyProvider
from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.payments.cards import begin_card, keep_card
from wallets.payments.models import PaymentMethod, TopUp
from wallets.payments.start import Started, start_payment
from wallets.payments.top_up import create_top_up

AT: Final[datetime] = OPENED_AT + timedelta(days=1)


@contextmanager
def provider_in_memory(settings: Any) -> Iterator[FaultyProvider]:
    """Card payments go to a provider in memory inside the block."""
    settings.CARD_PROVIDER = "tests.fakes.faulty_provider.make"
    settings.STRIPE_SECRET_KEY = "sk_test_memory"
    PRESENT.append(FaultyProvider(now=AT))
    try:
        yield PRESENT[-1]
    finally:
        PRESENT.pop()


def saved_card(account: Account) -> PaymentMethod:
    """A card the account has saved with the provider in memory."""
    return keep_card(account=account, set_up_id=begin_card(account=account, at=OPENED_AT).id, at=OPENED_AT)


def new_top_up(wallet: Wallet, amount: str = "50", *, at: datetime = AT, **terms: Any) -> TopUp:
    """A top-up that nobody has started to pay."""
    terms = {"origin": TopUp.Origin.CUSTOMER} | terms
    wallet = Wallet.objects.select_related("account").get(pk=wallet.pk)
    return create_top_up(wallet=wallet, amount=Decimal(amount), at=at, **terms)


def topped_up(wallet: Wallet, amount: str = "50", *, at: datetime = AT, **terms: Any) -> Started:
    """A top-up that was paid for as far as the provider lets it."""
    return start_payment(top_up=new_top_up(wallet, amount, at=at, **terms), at=at)


@pytest.fixture
def provider(settings: Settings, books_hold: None) -> Iterator[FaultyProvider]:
    """A provider in memory that fails on cue; whatever happens, the books are proved afterwards."""
    with provider_in_memory(settings) as made:
        yield made


@pytest.fixture
def card(acme: Company, provider: FaultyProvider) -> PaymentMethod:
    """acme's card."""
    return saved_card(acme.account)
