"""Issue the receipt of a top-up: a copy of what was paid, under the next number of our legal entity's year."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from wallets.accounts.parties import buyer_text, seller_text
from wallets.numbers.take import take_numbers
from wallets.payments.models import Receipt, TopUp

# One at a time for a top-up, so that the loser of a race does not take a number and give it back late.
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('receipt'), %s)"


def issue_receipt(*, top_up: TopUp, at: datetime) -> Receipt:
    """The receipt of a top-up that was paid; issued once. The number is taken in the transaction that uses it, so none is
    ever missing; the year is the one of the payment in the zone of our books."""
    found = Receipt.objects.filter(top_up=top_up).first()
    if found is not None:
        return found
    assert top_up.settled_at is not None, top_up.public_id
    entity = settings.SELLER_ENTITY
    year = top_up.settled_at.astimezone(ZoneInfo("UTC")).year
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ALONE, [top_up.pk % 2**31])
        found = Receipt.objects.filter(top_up=top_up).first()
        if found is not None:
            return found
        (number,) = take_numbers(document="receipt", entity=entity, year=year)
        return Receipt.objects.create(
            top_up=top_up,
            entity=entity,
            year=year,
            number=number,
            seller=seller_text(),
            buyer=buyer_text(top_up.wallet.account),
            paid_with=top_up.method.label if top_up.method else top_up.get_means_display(),
            issued_at=at,
        )
