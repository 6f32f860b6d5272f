"""The provider is away for an hour: nothing is charged twice, nothing is lost, and everybody is told what is true."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from tests.cast import Company
from tests.factories.payments import AT, new_top_up, topped_up
from tests.fakes.faulty_provider import FaultyProvider
from wallets.credit.models import CreditLot
from wallets.payments.compare import compare_with_provider
from wallets.payments.event_models import PaymentException
from wallets.payments.handle_event import handle_events
from wallets.payments.models import PaymentMethod, TopUp
from wallets.payments.providers.contract import ProviderUnavailable
from wallets.payments.receive_event import receive_event
from wallets.payments.reconcile import reconcile_in_flight
from wallets.payments.start import start_payment

pytestmark = pytest.mark.django_db


def go_on(top_up: TopUp) -> None:
    """Its customer presses the button again."""
    start_payment(top_up=TopUp.objects.select_related("wallet__account", "method").get(pk=top_up.pk), at=AT)


def test_an_hour_without_the_provider(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    begun = [new_top_up(acme.wallet, request_key=f"k{number}") for number in range(4)]
    # The first was paid, and the connection broke before we heard; the second was not confirmed yet.
    provider.faults += [("confirm_payment", "after"), ("confirm_payment", "before")]
    for top_up in begun[:2]:
        with pytest.raises(ProviderUnavailable):
            go_on(top_up)
    provider.down = True
    for top_up in begun[2:]:
        with pytest.raises(ProviderUnavailable):
            go_on(top_up)
    machine_made = new_top_up(acme.wallet, origin=TopUp.Origin.RECHARGE, request_key="recharge")
    with pytest.raises(ProviderUnavailable):
        start_payment(top_up=machine_made, at=AT, off_session=True)
    receive_event(body=b"payment_intent.succeeded pi_1", signature="signed", at=AT)
    for minutes in range(2, 60, 7):
        at = AT + timedelta(minutes=minutes)
        for top_up in begun[:2]:  # customers try, and try again
            with pytest.raises(ProviderUnavailable):
                go_on(top_up)
        handle_events(at=at)
        reconcile_in_flight(at=at)
        with pytest.raises(ProviderUnavailable):
            compare_with_provider(at=at)
        acme.wallet.refresh_from_db()
        assert acme.wallet.version == 0, "no credit on anybody's word"

    provider.down = False
    back = AT + timedelta(minutes=61)
    handle_events(at=back + timedelta(days=1))
    reconcile_in_flight(at=back)
    states = dict(TopUp.objects.values_list("request_key", "state"))
    # Of the third and fourth the provider never heard: nothing moved, and they say so. The recharge goes on by itself.
    assert states == {
        "k0": "SUCCEEDED", "k1": "EXPIRED", "k2": "EXPIRED", "k3": "EXPIRED", "recharge": "SUCCEEDED",
    }  # fmt: skip
    assert Counter(line.payment_id for line in provider.lines).most_common(1)[0][1] == 1
    assert CreditLot.objects.count() == len(provider.charged) == 2
    assert topped_up(acme.wallet, request_key="afterwards", at=back).top_up.state == "SUCCEEDED"
    assert compare_with_provider(at=back + timedelta(hours=1)) == 0
    assert not PaymentException.objects.exists()
