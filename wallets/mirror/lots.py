"""Note which lots the mirror lacks, and which have ended there too early or too late: found by looking, so that no verb of
credit needs to know of the mirror."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db.models import Exists, Max, OuterRef, Q

from wallets.credit.models import CreditLot
from wallets.mirror.models import MirrorItem
from wallets.mirror.since import mirrored_since
from wallets.payments.currencies import CARD_CURRENCIES, round_to_charge

# Row ids are given before commits: what commits late has a lower id than what was noted already.
LOOK_BACK: Final = 10_000
BATCH: Final = 1_000


def note_lots(*, at: datetime) -> int:
    """Note an item for each lot of money granted since the mirror began that has none; how many. Twice is once."""
    since = mirrored_since()
    if since is None:
        return 0
    newest = MirrorItem.objects.filter(kind=MirrorItem.Kind.GRANT).aggregate(newest=Max("lot_id"))["newest"] or 0
    noted = MirrorItem.objects.filter(kind=MirrorItem.Kind.GRANT, lot_id=OuterRef("pk"))
    lots = CreditLot.objects.select_related("wallet").filter(
        ~Exists(noted), pk__gt=newest - LOOK_BACK, created_at__gte=since, unit_meter="", wallet__currency__in=CARD_CURRENCIES
    )
    found = list(lots.order_by("id")[:BATCH])
    _note(MirrorItem.Kind.GRANT, found, at=at)
    return len(found)


def note_ends(*, at: datetime) -> int:
    """Note an item for each mirrored lot that was voided, or whose top-up was refunded; how many. Lots that end at their time
    end there by themselves."""
    if mirrored_since() is None:
        return 0
    noted = MirrorItem.objects.filter(kind=MirrorItem.Kind.END, lot_id=OuterRef("pk"))
    mirrored = MirrorItem.objects.filter(kind=MirrorItem.Kind.GRANT, lot_id=OuterRef("pk"))
    gone = Q(state=CreditLot.State.VOIDED) | Q(top_up__state="REFUNDED")
    lots = CreditLot.objects.select_related("wallet").filter(~Exists(noted), Exists(mirrored), gone)
    found = list(lots.order_by("id")[:BATCH])
    _note(MirrorItem.Kind.END, found, at=at)
    return len(found)


def _note(kind: str, lots: list[CreditLot], *, at: datetime) -> None:
    MirrorItem.objects.bulk_create(
        [
            MirrorItem(
                kind=kind,
                key=f"{kind}:{lot.public_id}",
                account_id=lot.wallet.account_id,
                lot=lot,
                amount=round_to_charge(lot.amount, lot.wallet.currency),
                unit=lot.wallet.currency,
                happened_at=lot.created_at if kind == MirrorItem.Kind.GRANT else at,
                next_try_at=at,
                created_at=at,
            )
            for lot in lots
        ],
        ignore_conflicts=True,
    )
