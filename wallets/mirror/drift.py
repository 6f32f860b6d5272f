"""How far the mirror is off: the provider's grants against what it was told. Usage is compared by whoever counts it, with
`used_there`; what both found is kept until the next comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from wallets.mirror.models import MirrorDrift, MirrorItem
from wallets.payments.models import ProviderCustomer
from wallets.payments.providers.billing import BillingProvider, billing_provider
from wallets.payments.providers.registry import STRIPE

MISSING = "missing there"
UNKNOWN = "not ours"
DIFFERS = "amount differs"
STILL_OPEN = "ended here, open there"
ENDED = "open here, ended there"
REFUSED = "refused there"
NO_METER = "no meter there"
USAGE = "usage differs"


@dataclass(frozen=True, slots=True)
class Drift:
    """A difference. subject: our lot or meter, or the provider's grant."""

    account_id: int
    what: str
    subject: str
    ours: Decimal
    theirs: Decimal
    unit: str


def credit_drift() -> Iterator[Drift]:
    """The differences in credit, account by account. Asks the network. Raises ProviderUnavailable."""
    provider = billing_provider()
    accounts = MirrorItem.objects.exclude(kind=MirrorItem.Kind.USAGE).order_by("account_id")
    for account_id in accounts.values_list("account_id", flat=True).distinct():
        yield from _drift_of(provider, account_id)


def used_there(*, account_id: int, meters: dict[str, str], start: datetime, end: datetime) -> dict[str, Decimal]:
    """Event name -> what the provider counted of an account. meters: event name -> the provider's id of its meter."""
    customer = _customer(account_id)
    provider = billing_provider()
    return {
        name: provider.used(meter_id=meter, customer_id=customer, start=start, end=end) if customer else Decimal(0)
        for name, meter in meters.items()
    }


def keep_drift(found: Sequence[Drift], *, at: datetime) -> None:
    """Keep what a comparison found in place of what the one before did."""
    with transaction.atomic():
        MirrorDrift.objects.all().delete()
        MirrorDrift.objects.bulk_create(MirrorDrift(**asdict(one), found_at=at) for one in found)


def _drift_of(provider: BillingProvider, account_id: int) -> Iterator[Drift]:
    customer = _customer(account_id)
    items = MirrorItem.objects.select_related("lot").filter(account_id=account_id)
    told = {item.lot.public_id: item for item in items.filter(kind=MirrorItem.Kind.GRANT) if item.lot is not None}
    ended = {item.lot.public_id for item in items.filter(kind=MirrorItem.Kind.END, state="SENT") if item.lot is not None}
    there = {}
    for grant in provider.grants_of(customer) if customer else ():
        if grant.lot not in told or grant.lot in there:
            yield Drift(account_id, UNKNOWN, grant.id, Decimal(0), grant.amount, grant.currency)
        else:
            there[grant.lot] = grant
    for lot, item in sorted(told.items()):
        found = there.get(lot)
        if item.state == MirrorItem.State.REFUSED:
            yield Drift(account_id, REFUSED, lot, item.amount, found.amount if found else Decimal(0), item.unit)
        elif found is None:
            if item.state == MirrorItem.State.SENT:
                yield Drift(account_id, MISSING, lot, item.amount, Decimal(0), item.unit)
        elif (found.amount, found.currency) != (item.amount, item.unit):
            yield Drift(account_id, DIFFERS, lot, item.amount, found.amount, item.unit)
        elif found.ended != (lot in ended):
            yield Drift(account_id, ENDED if found.ended else STILL_OPEN, lot, item.amount, found.amount, item.unit)


def _customer(account_id: int) -> str:
    known = ProviderCustomer.objects.filter(account_id=account_id, provider=STRIPE).first()
    return known.provider_id if known else ""
