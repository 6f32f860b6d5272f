"""Tell, in time, whose card expires: once for a card and month, this month and next."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from wallets.outbox.topics import CardExpiring
from wallets.outbox.write import add_news
from wallets.payments.models import PaymentMethod

BATCH: Final = 500


def tell_expiring_cards(*, at: datetime) -> int:
    """Write news of every saved card that expires in the month of `at` (UTC) or the next and was not told of this month;
    how many. A card is good until the end of its month. Twice is once: a card is claimed in the transaction of its news."""
    month = at.astimezone(UTC).date().replace(day=1)
    told = 0
    while cards := _tell_some(month, at=at):
        told += cards
    return told


def months_left(*, exp_month: int, exp_year: int, today: date) -> int:
    """0 in the month in which a card expires, less once it has expired."""
    return (exp_year - today.year) * 12 + exp_month - today.month


def _tell_some(month: date, *, at: datetime) -> int:
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    soon = Q(exp_year=month.year, exp_month=month.month) | Q(exp_year=following.year, exp_month=following.month)
    untold = Q(expiry_told_month__isnull=True) | Q(expiry_told_month__lt=month)
    with transaction.atomic():
        due = PaymentMethod.objects.select_for_update(skip_locked=True, of=("self",)).select_related("account")
        cards = list(due.filter(soon, untold, removed_at__isnull=True).order_by("id")[:BATCH])
        PaymentMethod.objects.filter(pk__in=[card.pk for card in cards]).update(expiry_told_month=month)
        for card in cards:
            add_news([(f"account:{card.account_id}", _news(card))], at=at, bucket=card.account.bucket)
    return len(cards)


def _news(card: PaymentMethod) -> CardExpiring:
    return CardExpiring(
        account_id=card.account_id,
        card=card.public_id,
        label=card.label,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        part="default" if card.is_default else "backup" if card.is_backup else "",
    )
