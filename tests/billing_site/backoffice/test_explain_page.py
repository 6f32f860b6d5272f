"""The page that explains an event, each step a link to its record (I6)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from metering.usage.explain import explain_event
from metering.usage.models import UsageEvent
from tests.factories.events import event_pk
from tests.factories.shop import Shop, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


def page_of(event_id: str) -> str:
    """An event's address in the back office."""
    return reverse("admin:metering_usageevent_change", args=[event_pk(event_id)])


def test_every_step_links_to_its_record(shop: Shop, finance: Client) -> None:
    html = finance.get(page_of("req_1")).content.decode()
    charge = explain_event(event_pk=event_pk("req_1")).charges[0]
    assert charge.entry is not None
    for view, pk in (
        ("wallets_account", shop.acme.account.pk),
        ("pricing_meter", charge.meter.pk),
        ("pricing_priceversion", charge.price.version_pk),
        ("wallets_creditlot", charge.draws[0].lot_pk),
        ("wallets_journalentry", charge.entry.pk),
        ("wallets_wallet", charge.wallet_pk),
    ):
        address = reverse(f"admin:{view}_change", args=[pk])
        assert f'href="{address}"' in html, view
        assert finance.get(address).status_code == 200


def test_it_says_the_sum_in_words(shop: Shop, finance: Client) -> None:
    page = text_of(finance.get(page_of("req_1")))
    assert "4,000 units × 10.00 USD per million = 0.04 USD" in page
    assert "“List USD”, version 1, in force since 23 Nov 2026, for model gpt-5" in page
    assert "0.01 USD from Welcome credit, promotional credit, expires 3 Dec 2026" in page
    assert "Total 0.07 USD" in page


def test_a_voided_event_shows_both_ways_and_the_reason(shop: Shop, finance: Client) -> None:
    page = text_of(finance.get(page_of("req_void")))
    assert "Taken back" in page
    assert "back to" in page
    assert "Sent twice" in page
    assert "Costs now 0.00 USD" in page


def test_an_unrated_event_offers_the_replay(shop: Shop, finance: Client) -> None:
    html = finance.get(page_of("req_parked")).content.decode()
    assert f"{reverse('admin:metering_deadletter_replay')}?ids=" in html
    assert "No price fits" in html


def test_what_was_sent_cannot_put_markup_into_the_page(shop: Shop, finance: Client) -> None:
    event = UsageEvent.objects.get(event_id="req_1")
    UsageEvent.objects.bulk_create(
        [
            UsageEvent(
                id=1, bucket=event.bucket, account=event.account, event_id="<script>x</script>", type="<b>t</b>",
                time=event.time, received_at=event.time, properties={"<i>n</i>": "<script>y</script>"},
            )
        ]
    )  # fmt: skip
    for url in (reverse("admin:metering_usageevent_change", args=[1]), reverse("admin:metering_usageevent_changelist")):
        html = finance.get(url).content.decode()
        assert "<script>x" not in html
        assert "<script>y" not in html
        assert "<b>t</b>" not in html
