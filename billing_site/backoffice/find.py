"""Find by id: paste an account key, a wallet, lot, hold or version id, an event id or an entry number, and go there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from metering.usage.queries import events_named
from pricing.books.models import PriceBook, PriceVersion
from pricing.meters.models import Meter
from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.holds.models import Hold

MOST: Final = 8


def find(request: HttpRequest, search_term: str) -> list[SearchResult]:
    """What the term names, for people who may see it. `search_term` comes in lower case; ids need the term as typed."""
    term = request.GET.get("s", search_term).strip()
    if not term:
        return []
    return [
        SearchResult(title=title, description=description, link=reverse(f"admin:{view}_change", args=[pk]), icon=icon)
        for permission, title, description, view, pk, icon in _found(term)
        if request.user.has_perm(permission)
    ]


def _found(term: str) -> Iterator[tuple[str, str, str, str, int, str]]:
    """(permission, title, description, view, row id, icon) of each record the term names."""
    for account in Account.objects.filter(Q(key__iexact=term) | Q(name__icontains=term)).order_by("name", "id")[:MOST]:
        yield "wallets.view_account", account.name, f"Account {account.key}", "wallets_account", account.pk, "domain"
    wallets = Wallet.objects.select_related("account").filter(Q(public_id=term) | Q(account__key=term))
    for wallet in wallets.order_by("id")[:MOST]:
        title = f"{wallet.account.name} {wallet.currency}"
        yield (
            "wallets.view_wallet",
            title,
            f"Wallet {wallet.public_id}",
            "wallets_wallet",
            wallet.pk,
            "account_balance_wallet",
        )
    for lot in CreditLot.objects.filter(public_id=term)[:MOST]:
        yield (
            "wallets.view_creditlot",
            lot.public_id,
            f"{lot.kind} credit",
            "wallets_creditlot",
            lot.pk,
            "confirmation_number",
        )
    for hold in Hold.objects.filter(public_id=term)[:MOST]:
        yield "wallets.view_hold", hold.public_id, "Hold", "wallets_hold", hold.pk, "hourglass"
    for version in PriceVersion.objects.select_related("book").filter(public_id=term)[:MOST]:
        yield "pricing.view_priceversion", str(version), "Price version", "pricing_priceversion", version.pk, "history"
    for book in PriceBook.objects.filter(Q(public_id=term) | Q(name__icontains=term)).order_by("name")[:MOST]:
        yield "pricing.view_pricebook", book.name, "Price book", "pricing_pricebook", book.pk, "menu_book"
    for meter in Meter.objects.filter(code__icontains=term).order_by("code")[:MOST]:
        yield "pricing.view_meter", meter.code, "Meter", "pricing_meter", meter.pk, "speed"
    for event in events_named(event_id=term, limit=MOST):
        yield (
            "metering.view_usageevent",
            event.event_id,
            f"Event of {event.account}",
            "metering_usageevent",
            event.pk,
            "bolt",
        )
