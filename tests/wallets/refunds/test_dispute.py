"""What the bank does to a payment is booked once, whatever order we hear of it in."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from decimal import Decimal as D
from itertools import permutations
from typing import Any, Final

import pytest
from django.db import transaction
from django.db.models import Sum

from tests.cast import Company
from tests.factories.payments import AT, new_top_up, topped_up
from tests.factories.refunds import LATER, WHY, books, used
from tests.fakes.faulty_provider import FaultyProvider
from wallets.balances.open import close_wallet
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.ledger.models import Posting
from wallets.outbox.models import News
from wallets.payments.event_models import PaymentException, ProviderEvent
from wallets.payments.models import PaymentMethod, TopUp
from wallets.payments.offer_models import BonusSlab, TopUpTerms
from wallets.payments.providers.contract import DisputeOutcome, RefundOutcome
from wallets.payments.receive_event import receive_event
from wallets.payments.start import start_payment
from wallets.refunds.handle_event import handle_money_events, look_at_payment
from wallets.refunds.models import Dispute, Refund
from wallets.refunds.refund import refund_top_up
from wallets.refunds.send import send_refund

pytestmark = pytest.mark.django_db

# A third of the 120 orders in each run; WEBHOOK_ORDERS=all for all of them (`make killed`).
BLOCKS: Final = range(6) if os.environ.get("WEBHOOK_ORDERS") == "all" else (1, 4)
TOLD: Final = {
    "paid": "payment_intent.succeeded pi_1",
    "refund": "refund.created re_1",
    "refunded": "charge.refunded ch_1",
    "opened": "charge.dispute.created dp_2",
    "closed": "charge.dispute.closed dp_2",
}
"""The webhooks of one top-up, refund and dispute."""


def tell(what: str, *, again: int = 0) -> None:
    receive_event(body=f"{TOLD[what]} evt_{what}_{again}".encode(), signature="signed", at=LATER)
    handle_money_events(at=LATER)


def happen(provider: FaultyProvider, what: str, ending: DisputeOutcome) -> None:
    """What is true at the provider before it is told of."""
    match what:
        case "paid":
            provider.take("pi_1")
        case "refund":
            provider.refund("pi_1", D(30), "USD", outcome=RefundOutcome.PENDING)
        case "refunded":
            provider.refund_is("re_1", RefundOutcome.SUCCEEDED)
        case "opened":
            provider.dispute("pi_1", D(70), "USD")
        case "closed":
            provider.dispute_is("dp_2", ending)


def unpaid(acme: Company, provider: FaultyProvider) -> None:
    """A top-up of 100 with a bonus of 10, of which the bank has not told; 45 of older credit is there and used later."""
    terms = TopUpTerms.objects.create(currency="USD", minimum=D(5), maximum=D(1000), suggested=[D(10)])
    BonusSlab.objects.create(terms=terms, from_amount=D(100), percent=D(10))
    provider.asks.add(PaymentMethod.objects.get().provider_id)
    start_payment(top_up=new_top_up(acme.wallet, "100"), at=AT)


def ledger(acme: Company) -> dict[str, Any]:
    """What all of it comes to: every account, every lot, the wallet, the states."""
    acme.wallet.refresh_from_db()
    lots = Posting.objects.filter(lot_id__isnull=False).values("lot_id").annotate(total=Sum("amount")).order_by()
    by_kind = dict(CreditLot.objects.values_list("pk", "kind"))
    return {
        "books": books(),
        "lots": sorted((by_kind[row["lot_id"]], row["total"]) for row in lots if row["total"]),
        "wallet": (acme.wallet.balance, acme.wallet.overdraft, acme.wallet.status),
        "top_up": TopUp.objects.get().state,
        "refunds": sorted(Refund.objects.values_list("state", "credit", "from_lot", "owed", "bonus")),
        "disputes": sorted(Dispute.objects.values_list("state", "total", "credit", "from_lot", "owed", "bonus")),
    }


WON: Final = {
    "books": {
        "cash_clearing:stripe": D(-70), "prepaid_liability": D(70), "promotional_cost": D(-7), "promotional_liability": D(7),
    },
    "lots": [("paid", D(70)), ("promotional", D(7))],
    "wallet": (D(77), D(0), "ACTIVE"),
    "top_up": "SUCCEEDED",
    "refunds": [("SUCCEEDED", D(30), D(30), D(0), D(3))],
    "disputes": [("WON", D(70), D(0), D(0), D(0), D(0))],
}  # fmt: skip
LOST: Final = {
    "books": {},
    "lots": [],
    "wallet": (D(0), D(0), "ACTIVE"),
    "top_up": "DISPUTED",
    "refunds": [("SUCCEEDED", D(30), D(30), D(0), D(3))],
    "disputes": [("LOST", D(70), D(70), D(70), D(0), D(7))],
}


@pytest.mark.parametrize("ending", [DisputeOutcome.WON, DisputeOutcome.LOST], ids=str)
@pytest.mark.parametrize("block", BLOCKS)
def test_every_order_of_the_webhooks_ends_in_the_same_ledger(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, ending: DisputeOutcome, block: int
) -> None:
    """Everything has happened when the first of them arrives; each comes twice, the second time in the opposite order."""
    unpaid(acme, provider)
    for what in TOLD:
        happen(provider, what, ending)
    orders = list(permutations(TOLD))[block::6]
    assert len(orders) == 20
    for order in orders:
        with transaction.atomic():
            for again, told in enumerate((order, reversed(order))):
                for what in told:
                    tell(what, again=again)
            assert ledger(acme) == (WON if ending is DisputeOutcome.WON else LOST), order
            assert Counter(ProviderEvent.objects.values_list("state", flat=True)) == {"DONE": 10}
            transaction.set_rollback(True)


def merges(steps: list[str], tellings: list[str]) -> list[tuple[str, ...]]:
    """Every order in which things happen and are told of, each told of at some time after it happened."""
    found: set[tuple[str, ...]] = set()

    def go(done: tuple[str, ...], steps: list[str], waiting: frozenset[str]) -> None:
        if not steps and not waiting:
            found.add(done)
        if steps:
            go((*done, f"!{steps[0]}"), steps[1:], waiting | {steps[0]} & set(tellings))
        for what in waiting:
            go((*done, what), steps, waiting - {what})

    go((), steps, frozenset())
    return sorted(found)


@pytest.mark.parametrize("ending", [DisputeOutcome.WON, DisputeOutcome.LOST], ids=str)
def test_whenever_each_is_told_while_it_goes_on_the_ledger_is_the_same(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, ending: DisputeOutcome
) -> None:
    """The provider moves on between webhooks, so each finds another state of things."""
    unpaid(acme, provider)
    happen(provider, "paid", ending)
    before = dict(provider.refunds), dict(provider.disputes)
    orders = merges(["refund", "refunded", "opened", "closed"], ["refund", "opened", "closed"])
    assert len(orders) == 18
    for order in orders:
        provider.refunds, provider.disputes = dict(before[0]), dict(before[1])
        with transaction.atomic():
            for step in order:
                if step.startswith("!"):
                    happen(provider, step[1:], ending)
                else:
                    tell(step)
            tell("refunded")
            assert ledger(acme) == (WON if ending is DisputeOutcome.WON else LOST), order
            transaction.set_rollback(True)


@pytest.mark.parametrize("written_off", [True, False])
@pytest.mark.parametrize("seen", [("open", "lost"), ("lost",), ("inquiry", "open", "open", "lost", "lost")], ids="-".join)
def test_what_was_used_is_owed_and_lost_when_the_dispute_is(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, settings: Any, *, written_off: bool, seen: tuple[str, ...]
) -> None:
    settings.DISPUTE_LOST_IS_WRITTEN_OFF = written_off
    topped_up(acme.wallet, "100")
    used(acme.wallet, "40")
    dispute = provider.dispute("pi_1", D(100), "USD")
    for state in seen:
        provider.dispute_is(dispute.id, DisputeOutcome(state))
        look_at_payment(provider, "pi_1", at=LATER)
        if state == "open":
            acme.wallet.refresh_from_db()
            assert (acme.wallet.balance, acme.wallet.overdraft) == (-40, 40)
            assert books()["disputes_receivable:stripe"] == D(-100)
            assert books()["disputed_credit"] == D(100)
    acme.wallet.refresh_from_db()
    owed = D(0) if written_off else D(40)
    assert (acme.wallet.balance, acme.wallet.overdraft) == (-owed, owed)
    loss = {"bad_debt:dispute": D(-40)} if written_off else {"overdraft_receivable": D(-40)}
    assert books() == loss | {"revenue:calls": D(40)}
    provider.dispute_is(dispute.id, DisputeOutcome.WON)  # the bank decides again
    look_at_payment(provider, "pi_1", at=LATER)
    assert books() == {"cash_clearing:stripe": D(-100), "prepaid_liability": D(60), "revenue:calls": D(40)}
    assert CreditLot.objects.get(kind="paid").remaining == 60


def test_what_others_paid_while_it_was_open_is_theirs_again_when_it_is_won(
    acme: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    topped_up(acme.wallet, "100")
    used(acme.wallet, "40")
    dispute = provider.dispute("pi_1", D(100), "USD")
    look_at_payment(provider, "pi_1", at=LATER)
    newer = grant_credit(wallet_id=acme.wallet.pk, amount=D(50), kind="paid", at=LATER)  # repays what is owed
    assert newer.remaining == 10
    provider.dispute_is(dispute.id, DisputeOutcome.WON)
    look_at_payment(provider, "pi_1", at=LATER)
    assert list(CreditLot.objects.order_by("id").values_list("remaining", flat=True)) == [D(60), D(50)]


def test_the_wallet_is_frozen_where_the_vendor_wants_that(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, settings: Any
) -> None:
    settings.DISPUTE_FREEZES_WALLET = True
    topped_up(acme.wallet, "100")
    first, second = (provider.dispute("pi_1", D(50), "USD") for _ in range(2))
    for dispute, status in ((first, "FROZEN"), (second, "ACTIVE")):
        look_at_payment(provider, "pi_1", at=LATER)
        acme.wallet.refresh_from_db()
        assert acme.wallet.status == "FROZEN"
        provider.dispute_is(dispute.id, DisputeOutcome.WON)
        look_at_payment(provider, "pi_1", at=LATER)
        acme.wallet.refresh_from_db()
        assert acme.wallet.status == status
    told = [news.payload["state"] for news in News.objects.filter(topic="dispute_changed").order_by("id")]
    assert sorted(told) == ["open", "open", "won", "won"]


def test_a_refund_of_ours_is_recognised_by_its_webhook_before_its_answer(
    acme: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    top_up = topped_up(acme.wallet, "100").top_up
    provider.faults.append(("create_refund", "after"))
    refund = send_refund(refund=refund_top_up(top_up=top_up, credit=D(30), why=WHY, at=LATER), at=LATER)
    assert (refund.state, refund.provider_ref) == ("CREATED", None)
    tell("refund")
    refund.refresh_from_db()
    assert (refund.state, refund.provider_ref, Refund.objects.count()) == ("SUCCEEDED", "re_1", 1)


def test_a_webhook_waits_for_a_provider_that_is_down(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    topped_up(acme.wallet, "100")
    provider.refund("pi_1", D(30), "USD")
    provider.faults.append(("read_refund", "before"))
    tell("refund")
    assert ProviderEvent.objects.get().state == "FAILED"
    handle_money_events(at=LATER + timedelta(hours=1))
    assert (ProviderEvent.objects.get().state, Refund.objects.get().state) == ("DONE", "SUCCEEDED")


def test_nothing_is_booked_into_a_closed_wallet(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    topped_up(acme.wallet, "100")
    used(acme.wallet, "100")
    close_wallet(wallet_id=acme.wallet.pk, at=LATER)
    provider.dispute("pi_1", D(100), "USD")
    for _ in range(2):
        look_at_payment(provider, "pi_1", at=LATER)
    item = PaymentException.objects.get()
    assert (item.kind, item.found) == ("unexplained", D(-100))
    assert not Dispute.objects.exists()


def test_a_webhook_about_nothing_of_ours_is_kept_and_ignored(acme: Company, provider: FaultyProvider) -> None:
    for body in (b"refund.updated re_9 e1", b"charge.dispute.created dp_9 e2", b"charge.refunded ch_9 e3"):
        receive_event(body=body, signature="signed", at=LATER)
    handle_money_events(at=LATER)
    assert set(ProviderEvent.objects.values_list("state", flat=True)) == {"IGNORED"}
