"""The editor of a draft: the prices of one meter as cards, changed together, with what an amount of usage would cost."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from pricing.admin.price_cards import PriceCard, card_of_price, cards_are_fine, new_card, sent_cards
from pricing.admin.price_text import EXAMPLE_QUANTITY
from pricing.books.models import Price, PriceVersion
from pricing.books.roll_forward import edit_prices
from pricing.books.validate import PricesRefused
from pricing.meters.models import Meter
from wallets.admin.recorded import recorded_action
from wallets.errors import Refusal
from wallets.input import amount_problem
from wallets.money import plain

if TYPE_CHECKING:
    from pricing.admin.price_versions import PriceVersionAdmin

CARDS_PER_PAGE: Final = 20
LONGEST_QUANTITY: Final = 40


class MeterTab(NamedTuple):
    """A meter of the draft, with its number of prices."""

    code: str
    prices: int
    current: bool
    link: str


def edit_draft(admin: PriceVersionAdmin, request: HttpRequest, version: PriceVersion) -> HttpResponse:
    """Show the cards of a meter; save them, check them or add one."""
    meters = _meters(version)
    asked = request.GET.get("meter", "")
    if not meters:
        messages.warning(request, "Define a meter first: prices are of meters.")
        return HttpResponseRedirect(reverse("admin:pricing_pricebook_change", args=[version.book_id]))
    meter = next((one for one, _ in meters if one.code == asked), meters[0][0])
    quantity = _quantity(request.POST.get("example", request.GET.get("example", "")))
    page = _whole(request.GET.get("page", "1"))
    step = request.POST.get("step", "")
    if request.method != "POST":
        rows = Price.objects.filter(version=version, meter=meter).select_related("meter").order_by("id")
        shown = rows[(page - 1) * CARDS_PER_PAGE : page * CARDS_PER_PAGE]
        cards = [card_of_price(number, price) for number, price in enumerate(shown)]
        if not cards or "add" in request.GET:
            cards.append(_blank(cards, meter, version))
        return _show(admin, request, version, meter, meters, cards, quantity, page=page)
    cards = sent_cards(request.POST.dict(), meter=meter.code, unit=meter.unit)
    if step == "example":
        currency = version.book.currency
        said = {card.number: card.with_example(quantity, currency).example for card in cards}
        return JsonResponse({"examples": said})
    problems: list[str] = []
    if step == "save":
        problems = _save(request, version, cards)
        if not problems and cards_are_fine(cards):
            messages.info(request, f"The prices of {meter.code} are saved.")
            return HttpResponseRedirect(f"{request.path}{_link(meter.code, page)}&{urlencode({'example': plain(quantity)})}")
    if step == "add":
        cards.append(_blank(cards, meter, version))
    return _show(admin, request, version, meter, meters, cards, quantity, page=page, problems=problems)


def _save(request: HttpRequest, version: PriceVersion, cards: list[PriceCard]) -> list[str]:
    """Save the cards; what is wrong with one is noted in it, what is wrong with others is the answer."""
    kept = [card for card in cards if not card.removed and card.says_something()]
    removed = [int(card.price_id) for card in cards if card.removed and card.price_id.isdecimal()]
    changed = {int(card.price_id): (card, card.terms()) for card in kept if card.price_id.isdecimal()}
    added = [(card, card.terms()) for card in kept if not card.price_id.isdecimal()]
    if not cards_are_fine(kept):
        return []
    edits: dict[str, Any] = {
        "changed": {pk: terms for pk, (_, terms) in changed.items()},
        "removed": removed,
        "added": [terms for _, terms in added],
    }
    try:
        with transaction.atomic(), recorded_action(request, action="Edit prices", record=version, answers=edits):
            edit_prices(version=version, **edits)
    except PricesRefused as refused:
        shown = {f"changed.{pk}": card for pk, (card, _) in changed.items()}
        shown |= {f"added.{number}": card for number, (card, _) in enumerate(added)}
        return _note(refused, shown)
    except Refusal as refusal:
        return [refusal.message.rstrip(".")]
    return []


def _note(refused: PricesRefused, shown: Mapping[str, PriceCard]) -> list[str]:
    """Note findings in the cards they are about; those about none that is shown."""
    others = []
    for name, expected in refused.fields.items():
        parts = name.split(".", 2)
        card = shown.get(".".join(parts[:2]))
        if card is None:
            others.append(f"Another price needs {expected}" if len(parts) > 1 else f"A version needs {expected}")
        else:
            card.refuse(parts[2], expected)
    return others


def _show(  # noqa: PLR0913 - each is a part of the page
    admin: PriceVersionAdmin,
    request: HttpRequest,
    version: PriceVersion,
    meter: Meter,
    meters: list[tuple[Meter, int]],
    cards: list[PriceCard],
    quantity: Decimal,
    *,
    page: int,
    problems: list[str] | None = None,
) -> TemplateResponse:
    for card in cards:
        if not card.removed and card.says_something():
            card.with_example(quantity, version.book.currency)
    count = next(prices for one, prices in meters if one.pk == meter.pk)
    fine = cards_are_fine(cards) and not problems
    context = admin.page_context(
        request,
        version,
        title="Edit prices",
        version=version,
        meter=meter,
        tabs=[MeterTab(one.code, prices, one.pk == meter.pk, _link(one.code)) for one, prices in meters],
        cards=cards,
        quantity=plain(quantity),
        problems=problems or [],
        fine=fine,
        page=page,
        pages=-(-count // CARDS_PER_PAGE),
        before=_link(meter.code, page - 1) if page > 1 else "",
        after=_link(meter.code, page + 1) if page * CARDS_PER_PAGE < count else "",
    )
    return TemplateResponse(request, "admin/price_editor_page.html", context, status=200 if fine else 422)


def _meters(version: PriceVersion) -> list[tuple[Meter, int]]:
    """Meters that measure, each with its number of prices in the draft; those that have some first."""
    counted = Meter.objects.filter(archived_at__isnull=True).annotate(
        own_prices=Count("prices", filter=Q(prices__version=version))
    )
    found = [(meter, int(meter.own_prices)) for meter in counted]
    return sorted(found, key=lambda pair: (not pair[1], pair[0].code))


def _blank(cards: list[PriceCard], meter: Meter, version: PriceVersion) -> PriceCard:
    number = max((card.number for card in cards), default=-1) + 1
    return new_card(number, meter=meter.code, unit=meter.unit, currency=version.book.currency)


def _quantity(text: str) -> Decimal:
    """The quantity of the example; what is no quantity is the usual one."""
    cleaned = text.replace(",", "").strip()[:LONGEST_QUANTITY]
    try:
        quantity = Decimal(cleaned) if cleaned else EXAMPLE_QUANTITY
    except ArithmeticError:
        return EXAMPLE_QUANTITY
    return quantity if amount_problem(quantity) is None else EXAMPLE_QUANTITY


def _whole(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 6 else 1  # noqa: PLR2004 - no draft has so many pages


def _link(meter: str, page: int = 1) -> str:
    return f"?{urlencode({'meter': meter, 'page': str(page)})}"
