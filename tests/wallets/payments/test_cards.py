"""Several cards: which is charged first, what becomes of it, and who is told in time that one expires."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, transaction

from tests.cast import OPENED_AT, Company
from tests.factories.payments import AT, topped_up
from tests.fakes.faulty_provider import FaultyProvider
from wallets.errors import NotFound
from wallets.outbox.models import News
from wallets.payments.cards import choose_card, remove_card
from wallets.payments.expiring import tell_expiring_cards
from wallets.payments.find import cards_of
from wallets.payments.handle_event import handle_events
from wallets.payments.models import PaymentMethod
from wallets.payments.providers.contract import ProviderCard
from wallets.payments.receive_event import receive_event

pytestmark = pytest.mark.django_db


def another_card(company: Company, number: int, *, expires: tuple[int, int] = (2031, 1)) -> PaymentMethod:
    return PaymentMethod.objects.create(
        account=company.account, provider="stripe", provider_id=f"pm_{company.account.key}_{number}", brand="visa",
        last_four=f"{number:04}", exp_month=expires[1], exp_year=expires[0], fingerprint=f"fp_{number}", created_at=OPENED_AT,
    )  # fmt: skip


def parts(company: Company) -> list[tuple[str, str]]:
    return [
        (card.last_four, "default" if card.is_default else "backup" if card.is_backup else "")
        for card in cards_of(account_id=company.account.pk)
    ]


def told() -> list[tuple[str, int, str]]:
    news = News.objects.filter(topic="card_expiring").order_by("id").values_list("payload", flat=True)
    return [(one["label"][-4:], one["exp_month"], one["part"]) for one in news]


def test_there_is_one_default_and_one_backup_whatever_is_chosen(acme: Company, card: PaymentMethod) -> None:
    second, third = another_card(acme, 2), another_card(acme, 3)
    choose_card(account=acme.account, card_id=second.public_id, backup=True)
    assert parts(acme) == [("4242", "default"), ("0002", "backup"), ("0003", "")]
    choose_card(account=acme.account, card_id=third.public_id, backup=True)
    assert parts(acme) == [("4242", "default"), ("0003", "backup"), ("0002", "")]
    choose_card(account=acme.account, card_id=third.public_id)
    assert parts(acme) == [("0003", "default"), ("0002", ""), ("4242", "")]
    for held_by, change in (
        ("payment_method_one_default", {"is_default": True}),
        ("payment_method_default_or_backup", {"is_default": True, "is_backup": True}),
    ):
        with pytest.raises(DatabaseError, match=held_by), transaction.atomic():
            PaymentMethod.objects.filter(pk=second.pk).update(**change)


@pytest.mark.parametrize(
    ("backup", "heir"), [(2, "0002"), (None, "0003")], ids=["the backup", "the newest when there is no backup"]
)
def test_who_is_charged_first_when_the_default_is_removed(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, backup: int | None, heir: str
) -> None:
    second = another_card(acme, 2)
    another_card(acme, 3)
    if backup:
        choose_card(account=acme.account, card_id=second.public_id, backup=True)
    remove_card(account=acme.account, card_id=card.public_id, at=AT)
    assert parts(acme)[0] == (heir, "default")
    assert [part for _, part in parts(acme)] == ["default", ""]
    assert card.provider_id not in provider.cards
    with pytest.raises(NotFound):
        remove_card(account=acme.account, card_id=card.public_id, at=AT)


def test_removing_another_card_moves_nothing_and_the_last_leaves_none(acme: Company, card: PaymentMethod) -> None:
    second = another_card(acme, 2)
    remove_card(account=acme.account, card_id=second.public_id, at=AT)
    assert parts(acme) == [("4242", "default")]
    remove_card(account=acme.account, card_id=card.public_id, at=AT)
    assert parts(acme) == []


def test_only_ones_own_card_is_chosen_or_removed(acme: Company, globex: Company, card: PaymentMethod) -> None:
    for change in (choose_card, remove_card):
        with pytest.raises(NotFound):
            change(account=globex.account, card_id=card.public_id, **({} if change is choose_card else {"at": AT}))  # type: ignore[operator]
    assert parts(acme) == [("4242", "default")]


def test_what_was_paid_by_a_removed_card_keeps_naming_it(acme: Company, card: PaymentMethod) -> None:
    top_up = topped_up(acme.wallet).top_up
    remove_card(account=acme.account, card_id=card.public_id, at=AT)
    top_up.refresh_from_db()
    assert (top_up.method, top_up.receipt.paid_with) == (card, "Visa •••• 4242")


def test_who_is_told_that_a_card_expires(acme: Company, globex: Company, card: PaymentMethod) -> None:
    for number, expires in enumerate([(2026, 11), (2026, 12), (2027, 1), (2026, 10)]):
        another_card(acme, number, expires=expires)
    another_card(globex, 9, expires=(2026, 12))
    gone = another_card(acme, 8, expires=(2026, 12))
    PaymentMethod.objects.filter(pk=gone.pk).update(removed_at=AT)
    PaymentMethod.objects.filter(last_four="0001").update(is_backup=True)
    late_in_november = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    assert (tell_expiring_cards(at=AT), tell_expiring_cards(at=late_in_november)) == (3, 0)
    assert told() == [("0000", 11, ""), ("0001", 12, "backup"), ("0009", 12, "")]
    # December: those of December again, and those of January, over the end of the year.
    assert tell_expiring_cards(at=datetime(2026, 12, 1, tzinfo=UTC)) == 3
    assert told()[3:] == [("0001", 12, "backup"), ("0002", 1, ""), ("0009", 12, "")]
    assert tell_expiring_cards(at=datetime(2027, 2, 1, tzinfo=UTC)) == 0


def test_a_card_that_the_bank_replaced_is_known_by_its_new_date(
    acme: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    PaymentMethod.objects.filter(pk=card.pk).update(exp_year=2026, exp_month=12)
    old: ProviderCard = provider.cards[card.provider_id]
    provider.cards[card.provider_id] = replace(old, exp_month=3, exp_year=2031, last_four="4299")
    body = f"payment_method.automatically_updated {card.provider_id}".encode()
    receive_event(body=body, signature="signed", at=AT)
    handle_events(at=AT)
    card.refresh_from_db()
    assert (card.label, card.expires) == ("Visa •••• 4299", "03/2031")
    assert tell_expiring_cards(at=AT) == 0
