"""Make a commitment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from pricing.commitments.charge import AHEAD, charge_commitment
from pricing.commitments.cover import HUNDRED
from pricing.commitments.models import Commitment
from pricing.meters.models import Meter
from pricing.periods import period_start
from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.input import Input

# Ten years of hours.
MAX_PERIODS: Final = 87_660


def make_commitment(  # noqa: PLR0913 - the terms of a contract
    *,
    account: Account,
    name: str,
    amount: Decimal,
    interval: str,
    periods: int,
    discount_percent: Decimal,
    meters: Sequence[str],
    at: datetime,
    wallet: Wallet | None = None,
    starts_at: datetime | None = None,
    actor: str = "",
) -> Commitment:
    """Commit `account` to pay `amount` (in the wallet's currency) every `interval` (hour or month) for `periods` of them, used
    or not, with `discount_percent` off the list price of what it covers.

    meters: the codes of what it covers.  wallet: None is the account's default one in its currency.  starts_at: None is now;
    not before. The first period is charged at once when it starts now. Raises WalletClosed, InvalidInput, LockBusy.
    """
    check = Input()
    check.text("name", name, longest=200, required=True)
    check.amount("amount", amount, above_zero=True)
    check.choice("interval", interval, list(Commitment.Interval))
    check.whole("periods", periods, least=1, most=MAX_PERIODS)
    if check.amount("discount_percent", discount_percent) and "discount_percent" not in check.wrong:
        check.expect("discount_percent", discount_percent < HUNDRED, "less than 100")
    codes = check.names("meters", meters)
    known = set(Meter.objects.filter(code__in=codes).values_list("code", flat=True))
    check.expect("meters", codes and known.issuperset(codes), "the codes of one or more meters")
    since = at if starts_at is None else check.moment("starts_at", starts_at)
    check.expect("starts_at", "starts_at" in check.wrong or since >= at, "now or later")
    paying = wallet or _default_wallet(account)
    check.expect("wallet", paying is not None and paying.account_id == account.pk, "a wallet of the account")
    check.refuse("The commitment cannot be made like this.")
    assert paying is not None, "refused above"
    with transaction.atomic():
        commitment = Commitment.objects.create(
            account=account,
            wallet=paying,
            name=name.strip(),
            amount=amount,
            interval=interval,
            discount_percent=discount_percent,
            meters=codes,
            time_zone=account.time_zone,
            starts_at=since,
            ends_at=period_start(since, interval=interval, zone=account.time_zone, number=periods),
            periods=periods,
            next_due_at=since - AHEAD,
            created_at=at,
            actor=actor,
        )
        charge_commitment(commitment.pk, at=at)
    commitment.refresh_from_db()
    return commitment


def _default_wallet(account: Account) -> Wallet | None:
    wallets = Wallet.objects.filter(account=account, currency=account.currency, is_default=True)
    return wallets.exclude(status=Wallet.Status.CLOSED).first()
