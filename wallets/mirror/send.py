"""Tell the provider's billing what waits, each once: claimed for a while, told outside any transaction under its own key, then
noted. Killed anywhere, it is told again under the same key, which does nothing twice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F

from wallets.credit.models import CreditLot
from wallets.errors import Conflict
from wallets.mirror.models import MirrorItem
from wallets.payments.customers import customer_id_of
from wallets.payments.providers.billing import BillingProvider, NewGrant, billing_provider
from wallets.payments.providers.contract import ProviderRefused, ProviderUnavailable
from wallets.payments.providers.registry import card_provider

log = logging.getLogger(__name__)

State = MirrorItem.State
BATCH: Final = 200
# Whoever claimed it is at it for so long; then somebody else is.
CLAIM: Final = timedelta(minutes=5)
FIRST_WAIT: Final = timedelta(minutes=1)
# The provider forgets keys after a day: what may have been taken is told again well before.
LONGEST_WAIT: Final = timedelta(hours=1)
_MOST_DOUBLINGS: Final = 6
OLDEST_USAGE: Final = timedelta(days=35)
_LAST_PRIORITY: Final = 100


class NotRefused(Conflict):
    """Only what the provider refused can be sent again by hand."""

    code = "mirror_item_not_refused"


class _NotYet(Exception):
    """What it builds on was not sent yet."""


def send_items(*, at: datetime) -> int:
    """Tell what is due, the oldest first; how many were sent."""
    provider = billing_provider()
    return sum(_send(provider, item, at=at) for item in _claimed(at=at))


def send_again(*, pk: int, at: datetime) -> None:
    """Have an item that was refused told once more. Raises NotRefused."""
    waiting = MirrorItem.objects.filter(pk=pk, state=State.REFUSED).update(state=State.WAITING, next_try_at=at, tries=0)
    if not waiting:
        raise NotRefused("It is on its way, or was taken.")


def _claimed(*, at: datetime) -> list[MirrorItem]:
    with transaction.atomic():
        due = MirrorItem.objects.select_for_update(skip_locked=True, of=("self",)).select_related("account", "lot")
        items = list(due.filter(state=State.WAITING, next_try_at__lte=at).order_by("next_try_at", "id")[:BATCH])
        MirrorItem.objects.filter(pk__in=[item.pk for item in items]).update(next_try_at=at + CLAIM, tries=F("tries") + 1)
    return items


def _send(provider: BillingProvider, item: MirrorItem, *, at: datetime) -> bool:
    waiting = MirrorItem.objects.filter(pk=item.pk, state=State.WAITING)
    try:
        provider_id = _TELL[item.kind](provider, item, at)
    except (ProviderUnavailable, _NotYet) as error:
        wait = min(FIRST_WAIT * 2 ** min(item.tries, _MOST_DOUBLINGS), LONGEST_WAIT)
        problem = error.message if isinstance(error, ProviderUnavailable) else "Its credit was not taken yet."
        waiting.update(next_try_at=at + wait, problem=problem)
        return False
    except ProviderRefused as refused:
        log.warning("mirror item %s refused: %s", item.key, refused.message)
        waiting.update(state=State.REFUSED, problem=refused.message[:300])
        return False
    waiting.update(state=State.SENT, sent_at=at, provider_id=provider_id, problem="")
    return True


def _customer(item: MirrorItem, at: datetime) -> str:
    return customer_id_of(item.account, provider=card_provider(), at=at)


def _tell_grant(provider: BillingProvider, item: MirrorItem, at: datetime) -> str:
    lot = item.lot
    assert lot is not None, item.key
    if item.amount <= 0:
        raise ProviderRefused("Less than can be granted there.")
    if lot.expires_at is not None and lot.expires_at <= at:
        raise ProviderRefused("It ended before it could be told.")
    new = NewGrant(
        lot=lot.public_id,
        name=lot.reason or lot.get_kind_display(),
        amount=item.amount,
        currency=item.unit,
        paid=lot.kind == CreditLot.Kind.PAID,
        priority=min(max(lot.priority, 0), _LAST_PRIORITY),
        effective_at=lot.effective_at if lot.effective_at > at else None,
        expires_at=lot.expires_at,
    )
    return provider.grant(new, key=item.key, customer_id=_customer(item, at))


def _tell_end(provider: BillingProvider, item: MirrorItem, at: datetime) -> str:  # noqa: ARG001 - as the others
    grant = MirrorItem.objects.get(kind=MirrorItem.Kind.GRANT, lot_id=item.lot_id)
    if grant.state == State.REFUSED:
        raise ProviderRefused("Its credit was refused, so there is nothing to end.")
    if grant.state != State.SENT:
        raise _NotYet
    provider.end_grant(grant.provider_id, key=item.key)
    return grant.provider_id


def _tell_usage(provider: BillingProvider, item: MirrorItem, at: datetime) -> str:
    if at - item.happened_at >= OLDEST_USAGE:
        raise ProviderRefused(f"Usage older than {OLDEST_USAGE.days} days is not taken.")
    provider.report_usage(
        key=item.key, customer_id=_customer(item, at), event_name=item.unit, value=int(item.amount), at=item.happened_at
    )
    return item.key


_TELL: Final[Mapping[str, Callable[[BillingProvider, MirrorItem, datetime], str]]] = {
    "grant": _tell_grant,
    "end": _tell_end,
    "usage": _tell_usage,
}
"""Kind of item -> how it is told."""
