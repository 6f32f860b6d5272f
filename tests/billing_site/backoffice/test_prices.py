"""Prices in the back office: tiny ones by the million, a draft published after a look at what changes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from pricing.books.draft import draft_version
from pricing.books.models import PriceBook, PriceVersion
from pricing.books.validate import PriceTerms
from pricing.meters.models import Meter
from tests.factories.shop import NOW, Shop, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(shop: Shop) -> PriceVersion:
    """A second version: input dearer, output gone."""
    prices = [
        PriceTerms(
            meter="llm.input_tokens", match={"model": "gpt-5"}, unit_price=Decimal("0.00002"), unit_cost=Decimal("0.000015")
        )
    ]
    return draft_version(book=PriceBook.objects.get(), prices=prices, at=NOW, note="Dearer")


def publish_url(version: PriceVersion) -> str:
    """The action's address."""
    return reverse("admin:pricing_priceversion_publish", args=[version.pk])


def test_the_book_shows_the_prices_in_force(shop: Shop, finance: Client) -> None:
    page = text_of(finance.get(reverse("admin:pricing_pricebook_change", args=[PriceBook.objects.get().pk])))
    assert "Prices in force: version 1" in page
    assert "llm.input_tokens" in page
    assert "model = gpt-5 10.00 USD per million" in page


def test_a_draft_shows_cost_and_margin(draft: PriceVersion, finance: Client) -> None:
    page = text_of(finance.get(reverse("admin:pricing_priceversion_change", args=[draft.pk])))
    assert "20.00 USD per million 1,234,567 units cost 24.69 USD 15.00 USD per million 25 %" in page
    assert "Publish" in page


def test_publishing_shows_what_changes_first(draft: PriceVersion, finance: Client) -> None:
    review = text_of(finance.post(publish_url(draft), {"reason": "Costs rose", "step": "review", "token": "t"}))
    assert "llm.input_tokens model = gpt-5 10.00 USD per million 20.00 USD per million" in review
    assert "llm.output_tokens model = gpt-5 100.00 USD per million no price" in review
    finance.post(publish_url(draft), {"reason": "Costs rose", "step": "confirm", "token": "t"})
    draft.refresh_from_db()
    assert (draft.status, draft.effective_at) == (PriceVersion.Status.PUBLISHED, NOW)
    again = finance.post(publish_url(draft), {"reason": "Again", "step": "confirm", "token": "u"})
    assert "is published already" in text_of(again)


def test_prices_do_not_move_into_the_past(draft: PriceVersion, finance: Client) -> None:
    answers = {"effective_at": "2026-11-01T00:00", "reason": "Backdate", "step": "confirm", "token": "t"}
    response = finance.post(publish_url(draft), answers)
    assert response.status_code == 422
    draft.refresh_from_db()
    assert draft.status == PriceVersion.Status.DRAFT


def test_a_meter_is_archived_with_a_reason(shop: Shop, finance: Client) -> None:
    meter = Meter.objects.get(code="llm.output_tokens")
    assert "Archive" in text_of(finance.get(reverse("admin:pricing_meter_change", args=[meter.pk])))
    finance.post(reverse("admin:pricing_meter_archive", args=[meter.pk]), {"reason": "Unused", "step": "confirm", "token": "t"})
    meter.refresh_from_db()
    assert meter.archived_at == NOW


def test_support_publishes_nothing(draft: PriceVersion, support: Client) -> None:
    assert support.get(publish_url(draft)).status_code == 403
