"""Vouchers: issued once, redeemed as often as they say, every attempt recorded."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import DatabaseError, transaction

from pricing.credit_products.issue import CodeTaken, Issued, VouchersStopped, VoucherTerms, issue_vouchers, stop_vouchers
from pricing.credit_products.models import VoucherAttempt, VoucherBatch, VoucherCode
from pricing.credit_products.redeem import (
    MOST_ATTEMPTS,
    TooManyAttempts,
    VoucherLimitReached,
    VoucherNotValid,
    VoucherUnknown,
    VoucherUsed,
    redeem_voucher,
)
from pricing.credit_products.sign_up import SignUpCreditGiven, grant_sign_up_credit
from tests.factories.balances import AT, wallet_of
from tests.factories.journal import figures, lots
from wallets.credit.models import CreditLot
from wallets.errors import InvalidInput, Refusal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

DAY = timedelta(days=1)


def issue(count: int = 1, code: str = "", **terms: object) -> Issued:
    given = VoucherTerms(**{"name": "Spring", "currency": "USD", "amount": D(25)} | terms)  # type: ignore[arg-type]
    return issue_vouchers(terms=given, count=count, code=code, at=AT)


def test_a_voucher_becomes_promotional_credit_once() -> None:
    acme, globex = wallet_of("acme"), wallet_of("globex")
    issued = issue(validity_days=30, meters=["calls"], priority=10)
    redemption = redeem_voucher(wallet=acme, code=issued.codes[0].lower(), at=AT, actor="acme")
    lot = redemption.lot
    assert (lot.kind, lot.amount, lot.expires_at, lot.meters, lot.priority) == (
        "promotional", 25, AT + 30 * DAY, ["calls"], 10,
    )  # fmt: skip
    with pytest.raises(VoucherUsed):
        redeem_voucher(wallet=globex, code=issued.codes[0], at=AT)
    assert figures(globex) == (0, 0)
    assert list(VoucherAttempt.objects.order_by("id").values_list("account__key", "outcome")) == [
        ("acme", "redeemed"), ("globex", "voucher_used"),
    ]  # fmt: skip


def test_only_hashes_are_kept_and_codes_are_different() -> None:
    issued = issue(count=50)
    assert len(set(issued.codes)) == VoucherCode.objects.count() == 50
    stored = b"".join(bytes(row.code_hash) + row.hint.encode() for row in VoucherCode.objects.all())
    assert not any(code.replace("-", "").encode() in stored for code in issued.codes)


def test_a_promo_code_is_for_many_but_once_each() -> None:
    issue(code="Welcome 10", uses=2)
    acme, globex, initech = (wallet_of(key) for key in ("acme", "globex", "initech"))
    redeem_voucher(wallet=acme, code="WELCOME10", at=AT)
    with pytest.raises(VoucherLimitReached):
        redeem_voucher(wallet=acme, code="WELCOME10", at=AT)
    redeem_voucher(wallet=globex, code="welcome-10", at=AT)
    with pytest.raises(VoucherUsed):
        redeem_voucher(wallet=initech, code="WELCOME10", at=AT)
    assert [figures(wallet)[0] for wallet in (acme, globex, initech)] == [25, 25, 0]
    with pytest.raises(CodeTaken):
        issue(code="WELCOME1O")  # an O for the 0


def test_a_limit_per_account_is_over_the_whole_batch() -> None:
    acme = wallet_of("acme")
    codes = issue(count=3, per_account=2).codes
    redeem_voucher(wallet=acme, code=codes[0], at=AT)
    redeem_voucher(wallet=acme, code=codes[1], at=AT)
    with pytest.raises(VoucherLimitReached):
        redeem_voucher(wallet=acme, code=codes[2], at=AT)


def test_a_voucher_has_its_time_and_its_currency() -> None:
    acme = wallet_of("acme")
    issued = issue(redeem_from=AT + DAY, redeem_until=AT + 2 * DAY, uses=9, per_account=9)
    for moment in (AT, AT + 2 * DAY):
        with pytest.raises(VoucherNotValid):
            redeem_voucher(wallet=acme, code=issued.codes[0], at=moment)
    with pytest.raises(InvalidInput, match="wallet in USD"):
        redeem_voucher(wallet=wallet_of("globex", currency="EUR"), code=issued.codes[0], at=AT + DAY)
    redeem_voucher(wallet=acme, code=issued.codes[0], at=AT + DAY)
    stop_vouchers(batch=issued.batch, at=AT + DAY)
    with pytest.raises(VoucherNotValid):
        redeem_voucher(wallet=acme, code=issued.codes[0], at=AT + DAY)
    with pytest.raises(VouchersStopped):
        stop_vouchers(batch=issued.batch, at=AT + DAY)


def test_guessing_is_limited_by_account_and_hour_and_seen() -> None:
    acme, globex = wallet_of("acme"), wallet_of("globex")
    code = issue(uses=2).codes[0]
    for number in range(MOST_ATTEMPTS):
        with pytest.raises(VoucherUnknown):
            redeem_voucher(wallet=acme, code=f"GUESS{number:03}", at=AT + timedelta(minutes=number))
    with pytest.raises(TooManyAttempts) as refused:
        redeem_voucher(wallet=acme, code=code, at=AT + timedelta(minutes=30))
    assert refused.value.extra == {"retry_after_seconds": 30 * 60}
    assert figures(acme) == (0, 0)
    redeem_voucher(wallet=globex, code=code, at=AT)
    redeem_voucher(wallet=acme, code=code, at=AT + timedelta(minutes=60))
    outcomes = VoucherAttempt.objects.filter(account=acme.account).order_by("id").values_list("outcome", flat=True)
    assert list(outcomes) == ["voucher_unknown"] * MOST_ATTEMPTS + ["too_many_attempts", "redeemed"]


def test_an_attempt_is_never_told_otherwise() -> None:
    redeem_voucher(wallet=wallet_of("acme"), code=issue().codes[0], at=AT)
    for change in ({"outcome": "voucher_unknown"}, {"at": AT + DAY}):
        with pytest.raises(DatabaseError), transaction.atomic():
            VoucherAttempt.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        VoucherBatch.objects.update(amount=D(1000))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("name", {"name": ""}),
        ("amount", {"amount": D(0)}),
        ("currency", {"currency": "usd"}),
        ("kind", {"kind": "paid"}),
        ("uses", {"uses": 0}),
        ("per_account", {"per_account": 0}),
        ("validity_days", {"validity_days": 0}),
        ("redeem_until", {"redeem_until": AT}),
        ("count", {"count": 0}),
        ("count", {"count": 2, "code": "WELCOME"}),
        ("code", {"code": "!!!!!!!"}),
    ],
)
def test_vouchers_that_are_not_acceptable_are_refused_by_field(field: str, change: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as refused:
        issue(**change)  # type: ignore[arg-type]
    assert list(refused.value.fields) == [field]
    assert not VoucherBatch.objects.exists()


def test_sign_up_credit_is_given_once_per_account_and_company() -> None:
    acme, other, globex = (wallet_of(key) for key in ("acme", "acme2", "globex"))
    given = {"amount": D(5), "validity_days": 30, "at": AT}
    lot = grant_sign_up_credit(wallet=acme, verified_email="a@acme.example", **given).lot  # type: ignore[arg-type]
    assert (lot.kind, lot.expires_at) == ("trial", AT + 30 * DAY)
    for wallet, email in ((acme, "a@elsewhere.example"), (other, "b@Acme.example")):
        with pytest.raises(SignUpCreditGiven):
            grant_sign_up_credit(wallet=wallet, verified_email=email, **given)  # type: ignore[arg-type]
    grant_sign_up_credit(wallet=globex, verified_email="jane.doe@gmail.com", **given)  # type: ignore[arg-type]
    with pytest.raises(SignUpCreditGiven):
        grant_sign_up_credit(wallet=other, verified_email="janedoe+2@googlemail.com", **given)  # type: ignore[arg-type]
    with pytest.raises(Refusal):
        grant_sign_up_credit(wallet=other, verified_email="nobody", **given)  # type: ignore[arg-type]
    assert (lots(other), CreditLot.objects.count()) == ([], 2)
