"""Issue vouchers: a batch of codes that are shown once, or a promo code that is chosen. Stop a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import IntegrityError, transaction

from pricing.credit_products.codes import LONGEST, SHORTEST, code_hash, code_hint, new_code, read_code
from pricing.credit_products.models import VoucherBatch, VoucherCode
from wallets.errors import Conflict
from wallets.input import Input

MAX_CODES: Final = 10_000
MAX_USES: Final = 1_000_000
MAX_PER_ACCOUNT: Final = 1_000
MAX_VALIDITY_DAYS: Final = 36_500
MOST_PRIORITY: Final = 32_767


class CodeTaken(Conflict):
    """There is a voucher with this code already."""

    code = "voucher_code_taken"


class VouchersStopped(Conflict):
    """The batch was stopped already."""

    code = "vouchers_stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherTerms:
    """What each code of a batch is worth: `amount` of credit of a `kind` that is given, not sold, in `currency`.

    redeem_until: exclusive (None: without end).  uses: how often one code can be redeemed.  per_account: how often one account
    may redeem from the batch.  validity_days: of the credit, from its redemption (None: without end).
    """

    name: str
    currency: str
    amount: Decimal
    kind: str = "promotional"
    validity_days: int | None = None
    meters: Sequence[str] = ()
    priority: int = 50
    redeem_from: datetime | None = None
    redeem_until: datetime | None = None
    uses: int = 1
    per_account: int = 1


@dataclass(frozen=True, slots=True)
class Issued:
    """The batch and its codes, which are known only now."""

    batch: VoucherBatch
    codes: tuple[str, ...]


def issue_vouchers(*, terms: VoucherTerms, at: datetime, count: int = 1, code: str = "", actor: str = "") -> Issued:
    """Issue `count` codes that we make, or the one `code` that is chosen. Only their hashes are kept.

    Raises CodeTaken, InvalidInput.
    """
    check = Input()
    meters = _check(check, terms, at=at)
    check.whole("count", count, least=1, most=MAX_CODES)
    check.expect("count", not code or count == 1, "1 with a chosen code")
    check.expect("code", not code or read_code(code), f"{SHORTEST} to {LONGEST} letters and digits")
    check.refuse("The vouchers cannot be issued like this.")
    codes = (code.strip(),) if code else tuple(new_code() for _ in range(count))
    try:
        with transaction.atomic():
            batch = VoucherBatch.objects.create(
                name=terms.name.strip(),
                currency=terms.currency,
                amount=terms.amount,
                kind=terms.kind,
                validity_days=terms.validity_days,
                meters=meters,
                priority=terms.priority,
                redeem_from=terms.redeem_from or at,
                redeem_until=terms.redeem_until,
                per_account=terms.per_account,
                created_at=at,
                actor=actor,
            )
            read = [read_code(one) for one in codes]
            VoucherCode.objects.bulk_create(
                [VoucherCode(batch=batch, code_hash=code_hash(one), hint=code_hint(one), uses=terms.uses) for one in read],
                batch_size=2_000,
            )
    except IntegrityError as error:
        if "code_hash" not in str(error):
            raise
        raise CodeTaken("There is a voucher with this code already.", fields={"code": "a code not in use"}) from error
    return Issued(batch, codes)


def stop_vouchers(*, batch: VoucherBatch, at: datetime) -> VoucherBatch:
    """Let no code of the batch be redeemed any more; credit that was given stays. Raises VouchersStopped."""
    if not VoucherBatch.objects.filter(pk=batch.pk, stopped_at__isnull=True).update(stopped_at=at):
        raise VouchersStopped(f"The vouchers {batch.name} were stopped already.")
    batch.stopped_at = at
    return batch


def _check(check: Input, terms: VoucherTerms, *, at: datetime) -> list[str]:
    check.text("name", terms.name, longest=200, required=True)
    check.currency(terms.currency)
    check.amount("amount", terms.amount, above_zero=True)
    check.choice("kind", terms.kind, list(VoucherBatch.Kind))
    if terms.validity_days is not None:
        check.whole("validity_days", terms.validity_days, least=1, most=MAX_VALIDITY_DAYS)
    check.whole("priority", terms.priority, least=0, most=MOST_PRIORITY)
    check.whole("uses", terms.uses, least=1, most=MAX_USES)
    check.whole("per_account", terms.per_account, least=1, most=MAX_PER_ACCOUNT)
    since = at if terms.redeem_from is None else check.moment("redeem_from", terms.redeem_from)
    if terms.redeem_until is not None and "redeem_from" not in check.wrong:
        check.moment("redeem_until", terms.redeem_until)
        fits = "redeem_until" in check.wrong or (terms.redeem_until > since and terms.redeem_until > at)
        check.expect("redeem_until", fits, "in the future, after redeem_from")
    return check.names("meters", terms.meters)
