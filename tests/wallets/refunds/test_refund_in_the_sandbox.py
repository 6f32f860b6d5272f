"""A refund in the sandbox that `make run` starts: the real client, the real process."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from tests.cast import Company
from tests.factories.payments import topped_up
from tests.factories.refunds import LATER, WHY
from tests.faults.test_killed_while_paying import save_card
from tests.stripe_sandbox import stripe_sandbox
from wallets.payments.models import TopUp
from wallets.payments.providers.registry import card_provider
from wallets.refunds.handle_event import look_at_payment
from wallets.refunds.refund import refund_top_up
from wallets.refunds.send import send_refund

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def test_parts_of_a_charge_go_back_once(acme: Company, settings: Settings) -> None:
    with stripe_sandbox(settings) as sandbox:
        save_card(acme, sandbox)
        top_up: Any = topped_up(acme.wallet, "50").top_up
        for credit in ("20", "30"):
            refund = send_refund(refund=refund_top_up(top_up=top_up, credit=D(credit), why=WHY, at=LATER), at=LATER)
            assert (refund.state, refund.provider_ref is not None) == ("SUCCEEDED", True)
        assert TopUp.objects.get().state == "REFUNDED"
        told = look_at_payment(card_provider(), top_up.payment_id, at=LATER)
        assert told.endswith("is refunded; 2 refunds, 0 disputes")
        assert sorted(one.amount for one in card_provider().refunds_of(top_up.payment_id)) == [D(20), D(30)]
