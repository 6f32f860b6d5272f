"""Save a card, choose which one is charged, remove one. The browser gives the number to the provider; we get a name for it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from wallets.accounts.models import Account
from wallets.errors import Conflict, NotFound
from wallets.payments.customers import customer_id_of
from wallets.payments.find import card_by_id
from wallets.payments.models import PaymentMethod, ProviderCustomer
from wallets.payments.providers.contract import PaymentProvider, SetUp
from wallets.payments.providers.registry import card_provider

MOST_CARDS: Final = 20


class TooManyCards(Conflict):
    """The account has as many cards as can be kept; remove one first."""

    code = "too_many_cards"


class CardNotSaved(Conflict):
    """The card's holder has not finished saving it, or the bank declined it."""

    code = "card_not_saved"


def begin_card(*, account: Account, at: datetime) -> SetUp:
    """Begin to save a card; the browser finishes it with the client secret, then `keep_card` is called.

    Asks the network: not inside a transaction. Raises CardsNotTaken, TooManyCards, ProviderUnavailable, ProviderRefused.
    """
    provider = card_provider()
    if PaymentMethod.objects.filter(account=account, removed_at__isnull=True).count() >= MOST_CARDS:
        raise TooManyCards(f"At most {MOST_CARDS} cards are kept; remove one first.")
    return provider.begin_set_up(customer_id=customer_id_of(account, provider=provider, at=at))


def keep_card(*, account: Account, set_up_id: str, at: datetime) -> PaymentMethod:
    """Keep the card that was saved with this set-up; the account's first one becomes its default. Twice is once.

    Asks the network. Raises NotFound for a set-up of another account, CardNotSaved, CardsNotTaken, ProviderUnavailable.
    """
    provider = card_provider()
    owner = ProviderCustomer.objects.filter(account=account, provider=provider.name).first()
    set_up = provider.set_up(set_up_id)
    if owner is None or set_up.customer_id != owner.provider_id:
        raise NotFound("There is no such card being saved.")
    if not set_up.succeeded or not set_up.method_id:
        raise CardNotSaved("The card was not saved; try again.")
    return remember_card(provider, method_id=set_up.method_id, owner=owner, at=at)


def remember_card(provider: PaymentProvider, *, method_id: str, owner: ProviderCustomer, at: datetime) -> PaymentMethod:
    """Keep a card of the provider's customer `owner`. Twice is once; one that was removed stays removed. Asks the network."""
    known = PaymentMethod.objects.filter(provider=provider.name, provider_id=method_id).first()
    if known is not None:
        return known
    card = provider.keep_card(method_id, customer_id=owner.provider_id)
    if card.customer_id != owner.provider_id:
        raise NotFound("There is no such card being saved.")
    with transaction.atomic():
        _one_at_a_time(owner.account)
        PaymentMethod.objects.bulk_create(
            [
                PaymentMethod(
                    account=owner.account,
                    provider=provider.name,
                    provider_id=card.id,
                    brand=card.brand[:30],
                    last_four=card.last_four[:4],
                    exp_month=card.exp_month,
                    exp_year=card.exp_year,
                    fingerprint=card.fingerprint[:120],
                    is_default=not PaymentMethod.objects.filter(account=owner.account, is_default=True).exists(),
                    created_at=at,
                )
            ],
            ignore_conflicts=True,
        )
    return PaymentMethod.objects.get(provider=provider.name, provider_id=method_id)


def choose_card(*, account: Account, card_id: str, backup: bool = False) -> PaymentMethod:
    """Make a card (`card_…`) the account's default, or its backup; the one that was, is not any more. Raises NotFound."""
    with transaction.atomic():
        _one_at_a_time(account)
        card = card_by_id(public_id=card_id, only_account_id=account.pk)
        cards = PaymentMethod.objects.filter(account=account)
        if backup:
            cards.filter(is_backup=True).update(is_backup=False)
            cards.filter(pk=card.pk).update(is_backup=True, is_default=False)
        else:
            cards.filter(is_default=True).update(is_default=False)
            cards.filter(pk=card.pk).update(is_default=True, is_backup=False)
        card.refresh_from_db()
    return card


def remove_card(*, account: Account, card_id: str, at: datetime) -> PaymentMethod:
    """Remove a card. When the default goes the backup becomes the default, or else the newest that is left: an account with
    cards has one that is charged first. Payments under way with it go on.

    Ours first, then the provider's: a card that is still there, there, is charged by nobody. Raises NotFound,
    ProviderUnavailable (it is removed here all the same).
    """
    provider = card_provider()
    with transaction.atomic(durable=True):
        _one_at_a_time(account)
        card = card_by_id(public_id=card_id, only_account_id=account.pk)
        forget_card(card, at=at)
    provider.forget_card(card.provider_id)
    return card


def drop_card(*, card: PaymentMethod, at: datetime) -> None:
    """Note that a card is not at the provider any more. Twice is once."""
    with transaction.atomic():
        _one_at_a_time(card.account)
        card.refresh_from_db()
        if card.removed_at is None:
            forget_card(card, at=at)


def forget_card(card: PaymentMethod, *, at: datetime) -> None:
    """Take a card out of use here, and let another one take its part; under the account's lock."""
    PaymentMethod.objects.filter(pk=card.pk).update(removed_at=at, is_default=False, is_backup=False)
    left = PaymentMethod.objects.filter(account_id=card.account_id, removed_at__isnull=True)
    heir = left.order_by("-is_backup", "-id").first() if card.is_default else None
    if heir is not None:
        PaymentMethod.objects.filter(pk=heir.pk).update(is_default=True, is_backup=False)
    card.removed_at, card.is_default, card.is_backup = at, False, False


def refresh_card(provider: PaymentProvider, card: PaymentMethod) -> None:
    """Note what the provider knows of a card by now: banks tell it the new expiry date of a replaced one. Asks the network."""
    owner = ProviderCustomer.objects.get(account_id=card.account_id, provider=provider.name)
    new = provider.keep_card(card.provider_id, customer_id=owner.provider_id)
    PaymentMethod.objects.filter(pk=card.pk).update(
        brand=new.brand[:30],
        last_four=new.last_four[:4],
        exp_month=new.exp_month,
        exp_year=new.exp_year,
        fingerprint=new.fingerprint[:120],
    )


def _one_at_a_time(account: Account) -> None:
    """Changes of an account's cards wait for each other."""
    Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
