"""Allowances: lots counted in the units of a meter. Usage is covered from them first, in burn-down order, before the rest
of its quantity is priced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from wallets.balances.lock import LockedWallet
from wallets.bulk import binary_rows
from wallets.credit.activate import activate_due
from wallets.credit.burn_down import Lot, burn_order
from wallets.credit.models import CreditLot
from wallets.money import ZERO

State = CreditLot.State


class UnitDraw(NamedTuple):
    """Part of the line of a meter's units, covered by an allowance from `line_from` on. `lot.remaining`: after all draws."""

    meter: str
    lot: Lot
    line_from: Decimal
    quantity: Decimal


class Allowances:
    """The allowances of one locked wallet while usage is taken from them."""

    def __init__(self, lots: Collection[Lot]) -> None:
        self._lots: dict[str, list[Lot]] = defaultdict(list)
        for lot in burn_order(list(lots)):
            for meter in lot.meters:
                self._lots[meter].append(lot)
        self._lines: dict[str, Decimal] = {}
        self._draws: dict[str, list[UnitDraw]] = {}

    def take(self, meter: str, quantity: Decimal, at: datetime) -> tuple[Decimal, Decimal]:
        """Cover as much as there is of `quantity` (units of `meter`, above zero) used at `at`.

        Returns what is covered, and where it begins on the line of the meter's units.
        """
        start = self._lines.get(meter, ZERO)
        left = quantity
        for lot in self._lots.get(meter, ()):
            if lot.remaining > ZERO and lot.covers(meter, at):
                part = min(left, lot.remaining)
                lot.remaining -= part
                self._add(meter, lot, start + quantity - left, part)
                left -= part
                if left == ZERO:
                    break
        covered = quantity - left
        self._lines[meter] = start + covered
        return covered, start

    @property
    def draws(self) -> list[UnitDraw]:
        """What was taken, by meter in line order; neighbours from the same lot are one."""
        return [draw for of_meter in self._draws.values() for draw in of_meter]

    def _add(self, meter: str, lot: Lot, line_from: Decimal, part: Decimal) -> None:
        of_meter = self._draws.setdefault(meter, [])
        if of_meter and of_meter[-1].lot is lot:
            part += of_meter[-1].quantity
            line_from = of_meter.pop().line_from
        of_meter.append(UnitDraw(meter, lot, line_from, part))


def allowances_of(wallets: Mapping[int, LockedWallet], *, bucket: int, at: datetime) -> dict[int, Allowances]:
    """The open allowances of these locked wallets of one bucket, by wallet row id; those whose time has come enter first."""
    lots, entering = _open_allowances(wallets.keys(), bucket=bucket, at=at)
    if entering:
        activate_due({wallet_id: wallets[wallet_id] for wallet_id in entering}, bucket=bucket, at=at)
        lots, _ = _open_allowances(wallets.keys(), bucket=bucket, at=at)
    return {wallet_id: Allowances(of_wallet) for wallet_id, of_wallet in lots.items()}


def _open_allowances(wallet_ids: Collection[int], *, bucket: int, at: datetime) -> tuple[dict[int, list[Lot]], frozenset[int]]:
    lots: dict[int, list[Lot]] = {wallet_id: [] for wallet_id in wallet_ids}
    entering: set[int] = set()
    for wallet_id, lot_id, kind, priority, effective_at, expires_at, remaining, meter in binary_rows(
        """SELECT wallet_id, id, kind, priority, effective_at, expires_at, remaining, unit_meter FROM wallets_creditlot
           WHERE bucket = %s AND wallet_id = ANY(%s) AND state IN ('OPEN', 'SCHEDULED') AND unit_meter <> ''
             AND (state = 'OPEN' OR effective_at <= %s) ORDER BY id""",
        [bucket, list(wallet_ids), at],
    ):
        if not remaining:  # scheduled: an open lot holds something (lot_open_exactly_while_it_has_credit)
            entering.add(wallet_id)
        else:
            lots[wallet_id].append(Lot(lot_id, kind, priority, effective_at, expires_at, remaining, frozenset({meter})))
    return lots, frozenset(entering)


def remember_allowance(wallet: LockedWallet, meter: str) -> None:
    """Note on a locked wallet that it may have allowances of `meter`: usage of it is then priced under the lock."""
    if meter in wallet.allowance_meters:
        return
    wallet.allowance_meters = sorted({*wallet.allowance_meters, meter})
    _store(wallet)


def forget_spent_allowances(wallets: Mapping[int, LockedWallet], *, bucket: int) -> None:
    """Take the meters off these locked wallets of which no allowance is open or to come."""
    noted = [wallet_id for wallet_id, wallet in wallets.items() if wallet.allowance_meters]
    if not noted:
        return
    standing = defaultdict(set)
    lots = CreditLot.objects.filter(bucket=bucket, wallet_id__in=noted, state__in=[State.OPEN, State.SCHEDULED])
    for wallet_id, meter in lots.exclude(unit_meter="").values_list("wallet_id", "unit_meter"):
        standing[wallet_id].add(meter)
    for wallet_id in noted:
        wallet = wallets[wallet_id]
        left = sorted(standing[wallet_id])
        if left != sorted(wallet.allowance_meters):
            wallet.allowance_meters = left
            _store(wallet)


def _store(wallet: LockedWallet) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE wallets_wallet SET allowance_meters = %s WHERE bucket = %s AND id = %s",
            [list(wallet.allowance_meters), wallet.bucket, wallet.id],
        )
