"""A little of everything about money that comes in, for the tests of pages."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from tests.cast import Company
from wallets.balances.models import Wallet
from wallets.payments.event_models import PaymentException, ProviderEvent
from wallets.payments.exceptions import open_exception
from wallets.payments.manual import record_payment
from wallets.payments.models import PaymentMethod, TopUp


def paid_in(company: Company, *, at: datetime) -> TopUp:
    """A wire with its receipt, a card, a webhook that was handled, and a difference."""
    wallet = Wallet.objects.select_related("account").get(pk=company.wallet.pk)
    paid = record_payment(wallet=wallet, amount=Decimal(25), means="wire", reference="W-1", at=at, actor="fiona@vendor.example")
    PaymentMethod.objects.create(
        account=company.account, provider="stripe", provider_id="pm_1", brand="visa", last_four="4242", exp_month=8,
        exp_year=2030, fingerprint="fp_1", is_default=True, created_at=at,
    )  # fmt: skip
    ProviderEvent.objects.create(
        provider="stripe", provider_id="evt_1", kind="payment_intent.succeeded", object_id="pi_1",
        body=b'{"id": "evt_1", "note": "<script>"}', happened_at=at, received_at=at, next_try_at=at,
        state=ProviderEvent.State.IGNORED, what="about nothing of ours", handled_at=at,
    )  # fmt: skip
    open_exception(
        kind=PaymentException.Kind.AMOUNT_DIFFERS, provider="stripe", reference="pi_1", currency="USD", expected=Decimal(25),
        found=Decimal(20), at=at, top_up=paid, detail="Of another amount than was charged.",
    )  # fmt: skip
    return paid
