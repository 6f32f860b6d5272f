"""Define a plan, revise it (its next version), close it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import IntegrityError, transaction

from pricing.books.models import PriceBook
from pricing.meters.models import Meter
from pricing.plans.models import Plan, PlanAllowance
from pricing.plans.roll_over import RollOver
from wallets.errors import Conflict
from wallets.input import Input
from wallets.money import ZERO

CODE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
CODE_EXPECTED: Final = "1 to 60 of a-z, 0-9 or . _ -, starting with a letter or digit"
MAX_ALLOWANCES: Final = 50
MAX_TRIAL_DAYS: Final = 366
MAX_PERIODS: Final = 120


class PlanExists(Conflict):
    """There is a plan with this code already."""

    code = "plan_exists"


class PlanClosed(Conflict):
    """The plan, or this version of it, is not sold any more."""

    code = "plan_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceTerms:
    """Units of a meter included in each period.

    meter: its code.  roll_over: none, capped (at most `roll_over_cap` units) or full; for at most `roll_over_periods`
    periods (None: without end).  on_exhaustion: block (the gate refuses) or overage (the plan's price).
    """

    meter: str
    quantity: Decimal
    roll_over: str = "none"
    roll_over_cap: Decimal | None = None
    roll_over_periods: int | None = None
    on_exhaustion: str = "overage"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerms:
    """What a version of a plan says. fee: per interval (month or year), in `currency`. price_book: for usage beyond the
    allowances and on other meters (None: the account's own). trial_days: before the first fee. trial_credit: in `currency`,
    usable until the trial (without one: the first period) ends."""

    name: str
    currency: str
    fee: Decimal
    interval: str = "month"
    allowances: Sequence[AllowanceTerms] = ()
    price_book: PriceBook | None = None
    trial_days: int = 0
    trial_credit: Decimal = ZERO


def define_plan(*, code: str, terms: PlanTerms, at: datetime) -> Plan:
    """Define a new plan. Raises PlanExists, InvalidInput naming each wrong field (`allowances.0.meter`)."""
    check = Input()
    check.matching("code", code, CODE, CODE_EXPECTED)
    meters = _check(check, terms)
    check.refuse("The plan cannot be defined like this.")
    try:
        with transaction.atomic():
            return _insert(code, 1, terms, meters, at=at)
    except IntegrityError as error:
        if "plan_version_once_per_code" not in str(error) and "plan_one_open_version" not in str(error):
            raise
        raise PlanExists(f"There is a plan {code} already.", fields={"code": "a code not in use"}) from error


def revise_plan(*, plan: Plan, terms: PlanTerms, at: datetime) -> Plan:
    """Make the next version of a plan; the one before is closed, its subscribers stay on it.

    Raises PlanClosed (`plan` is not the open version), InvalidInput (also for another currency).
    """
    check = Input()
    meters = _check(check, terms)
    check.expect("currency", terms.currency == plan.currency, f"{plan.currency}, as before")
    check.refuse("The plan cannot be revised like this.")
    with transaction.atomic():
        close_plan(plan=plan, at=at)
        return _insert(plan.code, plan.version + 1, terms, meters, at=at)


def close_plan(*, plan: Plan, at: datetime) -> Plan:
    """Stop selling a plan; subscribers stay. Raises PlanClosed."""
    if not Plan.objects.filter(pk=plan.pk, closed_at__isnull=True).update(closed_at=at):
        raise PlanClosed(f"{plan.name} version {plan.version} is closed already.")
    plan.closed_at = at
    return plan


def _insert(code: str, version: int, terms: PlanTerms, meters: dict[str, Meter], *, at: datetime) -> Plan:
    plan = Plan.objects.create(
        code=code,
        version=version,
        name=terms.name.strip(),
        currency=terms.currency,
        fee=terms.fee,
        interval=terms.interval,
        price_book=terms.price_book,
        trial_days=terms.trial_days,
        trial_credit=terms.trial_credit,
        created_at=at,
    )
    PlanAllowance.objects.bulk_create(
        PlanAllowance(
            plan=plan,
            meter=meters[allowance.meter],
            quantity=allowance.quantity,
            roll_over=allowance.roll_over,
            roll_over_cap=allowance.roll_over_cap,
            roll_over_periods=allowance.roll_over_periods,
            on_exhaustion=allowance.on_exhaustion,
        )
        for allowance in terms.allowances
    )
    return plan


def _check(check: Input, terms: PlanTerms) -> dict[str, Meter]:
    """Note what is wrong with the terms; the meters they name, by code."""
    check.text("name", terms.name, longest=200, required=True)
    check.currency(terms.currency)
    check.amount("fee", terms.fee)
    check.choice("interval", terms.interval, list(Plan.Interval))
    check.whole("trial_days", terms.trial_days, least=0, most=MAX_TRIAL_DAYS)
    check.amount("trial_credit", terms.trial_credit)
    book = terms.price_book
    check.expect("price_book", book is None or book.currency == terms.currency, f"a price book in {terms.currency}")
    check.expect("allowances", len(terms.allowances) <= MAX_ALLOWANCES, f"at most {MAX_ALLOWANCES}")
    codes = [allowance.meter for allowance in terms.allowances]
    meters = {meter.code: meter for meter in Meter.objects.filter(code__in=codes)}
    for row, allowance in enumerate(terms.allowances):
        place = f"allowances.{row}"
        meter = meters.get(allowance.meter)
        fine = meter is not None and meter.archived_at is None
        check.expect(f"{place}.meter", fine, "the code of a meter that is not archived")
        check.expect(f"{place}.meter", codes.index(allowance.meter) == row, "each meter once")
        _check_allowance(check, place, allowance)
    return meters


def _check_allowance(check: Input, place: str, allowance: AllowanceTerms) -> None:
    check.amount(f"{place}.quantity", allowance.quantity, above_zero=True)
    check.choice(f"{place}.on_exhaustion", allowance.on_exhaustion, list(PlanAllowance.OnExhaustion))
    check.choice(f"{place}.roll_over", allowance.roll_over, list(RollOver))
    capped = allowance.roll_over == RollOver.CAPPED
    if capped and allowance.roll_over_cap is not None:
        check.amount(f"{place}.roll_over_cap", allowance.roll_over_cap)
    fits = capped == (allowance.roll_over_cap is not None)
    check.expect(f"{place}.roll_over_cap", fits, "a number of units with roll_over capped, and only with it")
    if allowance.roll_over_periods is not None:
        check.whole(f"{place}.roll_over_periods", allowance.roll_over_periods, least=1, most=MAX_PERIODS)
        rolls = allowance.roll_over != RollOver.NONE
        check.expect(f"{place}.roll_over_periods", rolls, "left out when nothing rolls over")
