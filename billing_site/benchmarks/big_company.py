"""A company with a million events behind it, made by the real path: what a benchmark of reading reads."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import connection

from billing_site.benchmarks.vendor import Vendor, bodies, set_vendor_up
from metering.ingest.batch import ingest_batch
from metering.ingest.decode import decode_events
from metering.usage.close_periods import close_periods
from metering.usage.days import roll_up_usage
from wallets.accounts.models import Account, Member, User
from wallets.balances.models import Wallet
from wallets.ledger.days import roll_up_journal
from wallets.payments.manual import record_payment

DAYS: Final = 90
BATCH: Final = 500
ACCOUNTS: Final = 20
OTHERS: Final = 10
"""Every tenth batch is of the other accounts."""
OWNER: Final = "owner@acct-0000.example"


def make_big_company(*, events: int, at: datetime, tell: Callable[[str], object]) -> Vendor:
    """`events` events of the last DAYS days, nine in ten of the account acct-0000, in batches as they would have come; top-ups,
    a member who is its owner, statements, days added up. Everything stands as it would after those days."""
    first = at - timedelta(days=DAYS)
    vendor = set_vendor_up(accounts=ACCOUNTS, at=first)
    big, others = Vendor(vendor.accounts[:1], vendor.api_key), Vendor(vendor.accounts[1:], vendor.api_key)
    owner = User.objects.create_user(OWNER)
    account = Account.objects.get(key=big.accounts[0])
    Member.objects.create(account=account, user=owner, role=Member.Role.OWNER, created_at=first)
    wallet = Wallet.objects.select_related("account").get(account=account)
    count = max(events // BATCH, 1)
    moments = _moments(first, at, count)
    for number, moment in enumerate(moments):
        who = others if number % OTHERS == 0 else big
        for body in bodies(who, name=f"past-{number}", events=BATCH, size=BATCH, at=moment):
            ingest_batch(events=decode_events(body).events, at=moment)
        if number % max(count // 12, 1) == 0:
            record_payment(
                wallet=wallet, amount=Decimal(250), means="wire", reference=f"W-{number}", at=moment, actor="benchmark"
            )
        if (number + 1) % max(count // 10, 1) == 0:
            tell(f"{(number + 1) * BATCH:,} events")
    close_periods(at=at)
    while roll_up_usage(at=at) + roll_up_journal(at=at):  # a month at a time
        pass
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return big


def _moments(first: datetime, at: datetime, count: int) -> list[datetime]:
    """When the batches came: by chance, in order, after the prices are in force."""
    chance = random.Random(11)  # noqa: S311 - not a secret
    length = int((at - first).total_seconds()) - 120
    return sorted(first + timedelta(seconds=120 + chance.randrange(length)) for _ in range(count))
