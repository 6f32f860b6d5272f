"""The worklist of events that wait for a price."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from metering.ingest.models import DeadLetter
from pricing.books.draft import draft_version
from pricing.books.models import PriceBook
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from tests.factories.balances import AT
from tests.factories.shop import NOW, Shop, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

LIST = "admin:metering_deadletter_changelist"
REPLAY = "admin:metering_deadletter_replay"


def _price_gpt_6() -> None:
    """A book of acme's own would do as well; here the first version of a new default book reaches back."""
    PriceBook.objects.filter(is_default=True).update(is_default=False)
    book = PriceBook.objects.create(name="With gpt-6", currency="USD", is_default=True, created_at=NOW)
    version = draft_version(book=book, prices=[PriceTerms(meter="llm.input_tokens", unit_price=Decimal("0.5"))], at=NOW)
    publish_version(version=version, effective_at=AT, at=NOW)


def test_the_list_shows_who_waits_and_why(shop: Shop, finance: Client) -> None:
    page = text_of(finance.get(reverse(LIST)))
    assert "req_parked" in page
    assert "No price fits" in page
    assert "Unrated events 1" in page


def test_after_the_fix_one_action_charges_what_waits(shop: Shop, finance: Client) -> None:
    _price_gpt_6()
    review = text_of(finance.post(reverse(REPLAY), {"step": "review", "token": "t"}))
    assert "Events 1 waiting rated again" in review
    response = finance.post(reverse(REPLAY), {"step": "confirm", "token": "t"})
    assert response["Location"] == reverse(LIST)
    assert "1 charged, 0 still wait." in text_of(finance.get(reverse(LIST)))
    assert DeadLetter.objects.get().replayed_at == NOW
    shop.acme.wallet.refresh_from_db()
    assert shop.acme.wallet.balance == Decimal("9.4")
    assert "req_parked" not in text_of(finance.get(reverse(LIST)))
    assert "req_parked" in text_of(finance.get(reverse(LIST), {"state": "replayed"}))


def test_what_still_has_no_price_waits_on(shop: Shop, finance: Client) -> None:
    finance.post(reverse(REPLAY), {"step": "confirm", "token": "t"})
    assert "0 charged, 1 still wait." in text_of(finance.get(reverse(LIST)))


def test_a_selection_is_asked_about_before_it_is_replayed(shop: Shop, finance: Client) -> None:
    letter = DeadLetter.objects.get()
    response = finance.post(reverse(LIST), {"action": "replay_selected", "_selected_action": [letter.pk]})
    assert response["Location"] == f"{reverse(REPLAY)}?ids={letter.pk}"


def test_support_sees_the_list_and_replays_nothing(shop: Shop, support: Client) -> None:
    page = text_of(support.get(reverse(LIST)))
    assert "req_parked" in page
    assert "Replay all waiting" not in page
    assert support.post(reverse(REPLAY), {"step": "confirm", "token": "t"}).status_code == 403
