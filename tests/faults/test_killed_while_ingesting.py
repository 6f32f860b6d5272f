"""kill -9 of a process at whatever point of a batch: what was acknowledged stands, what was not can be sent again, and
either way each event is charged once (I4)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D
from random import Random

import pytest

from metering.ingest.batch import ingest_batch
from metering.ingest.decode import UsageInput
from metering.usage.models import Charge, UsageEvent
from tests.cast import open_company
from tests.child import Child
from tests.factories.journal import figures
from tests.factories.usage import AT, CALL, TOKEN, credit, event, open_prices
from tests.faults import dying_sender
from wallets.balances.models import Wallet

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books_hold")]
ACCOUNTS = 3
EVENTS = 900
BATCH = 30
ROUNDS = 20
AFTER_THE_COMMIT = 50  # function calls, at least: the balances are published, the answer is put together


def numbered(number: int) -> UsageInput:
    """Each sender makes the same event of a number."""
    return event(f"e{number}", number, account=f"customer-{number % ACCOUNTS}")


def price_of(numbers: set[int]) -> D:
    return sum((CALL + number * TOKEN for number in numbers), D(0))


@pytest.fixture
def wallets(transactional_db: None) -> list[Wallet]:
    open_prices()
    opened = [open_company(f"customer-{number}").wallet for number in range(ACCOUNTS)]
    for wallet in opened:
        credit(wallet, "0.001", kind="promotional", priority=1)
        credit(wallet, "10")
    return opened


@pytest.fixture
def sender() -> Iterator[Child]:
    with Child() as child:
        yield child


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_acknowledged_stands_and_the_rest_is_charged_once_when_sent_again(
    wallets: list[Wallet], sender: Child, seed: int
) -> None:
    chance = Random(seed)
    sent: set[int] = set()
    lost = unheard = acknowledged = 0
    sent.update(range(BATCH))
    calls = sender.call(dying_sender.send, numbers=sorted(sent), staged=False, die_at=None)
    for turn in range(ROUNDS):
        numbers = chance.sample(range(EVENTS), BATCH)
        fresh = set(numbers) - sent
        staged = chance.random() < 0.5
        committed = turn % 3 == 0
        die_at = chance.randint(1, AFTER_THE_COMMIT if committed else calls)
        took = sender.call(dying_sender.send, numbers=numbers, staged=staged, die_at=die_at, committed=committed)
        again = ingest_batch(events=[numbered(number) for number in numbers], at=AT)
        sent |= fresh
        assert again.accepted in {0, len(fresh)}, "a batch is there as a whole or not at all"
        assert again.accepted + again.duplicates == BATCH
        if took is not None:
            assert again.accepted == 0, "it was acknowledged"
            acknowledged += 1
        elif again.accepted:
            lost += 1
        else:
            unheard += 1
    assert UsageEvent.objects.count() == len(sent)
    assert Charge.objects.count() == 2 * len(sent)
    for number, wallet in enumerate(wallets):
        own = {one for one in sent if one % ACCOUNTS == number}
        assert figures(wallet)[0] == D("10.001") - price_of(own)
    assert lost, "killed before the commit"
    assert unheard, "killed between the commit and the answer"
    assert lost + unheard + acknowledged == ROUNDS
