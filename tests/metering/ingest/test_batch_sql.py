"""What a batch sends to PostgreSQL: as many statements however large it is, one ordered lock, each within its bucket."""

from __future__ import annotations

import re
from decimal import Decimal as D
from random import Random
from typing import Any, Final

import pytest

from metering.ingest import batch
from metering.ingest.batch import ingest_batch
from metering.ingest.rows import EventRows
from metering.usage.models import Charge
from tests.cast import open_company
from tests.factories.usage import AT, credit, event, open_prices
from tests.wire import sql_sent
from wallets.balances.models import Wallet

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books_hold")]

ACCOUNTS: Final = 5
MOST_STATEMENTS: Final = 17
OF_ONE_CHUNK: Final = 1_250
# Tables whose rows belong to a bucket, and which a batch touches.
HOT: Final = re.compile(
    r"\b(metering_usageevent|metering_charge|metering_hourlyusage|metering_deadletter|wallets_wallet|wallets_creditlot"
    r"|wallets_journalentry|wallets_posting|wallets_news|wallets_delivery|wallets_thresholdcrossing)\b"
)


@pytest.fixture(autouse=True)
def wallets(transactional_db: None) -> list[Wallet]:
    """Five customers with two lots each; this process has charged each of them before."""
    open_prices()
    opened = [open_company(f"customer-{number}").wallet for number in range(ACCOUNTS)]
    for wallet in opened:
        credit(wallet, "50")
        credit(wallet, "0.01", kind="promotional", priority=1)
    ingest_batch(events=events("before", 4 * ACCOUNTS), at=AT)
    return opened


def events(name: str, count: int) -> list[Any]:
    """Of every account in turn."""
    return [event(f"{name} {number}", 10, account=f"customer-{number % ACCOUNTS}") for number in range(count)]


def sent_for(name: str, count: int, *more: Any) -> list[str]:
    with sql_sent() as statements:
        result = ingest_batch(events=[*events(name, count), *more], at=AT)
    assert result.accepted == count
    # Once in ten thousand rows a block of row ids is reserved.
    return [statement for statement in statements if "nextval" not in statement]


def kinds(statements: list[str]) -> list[str]:
    """The statements without their values and without the width psycopg chose for them."""
    return [re.sub(r"'[^']*'|\b\d+\b|(?<=::int)\d", "?", statement)[:150] for statement in statements]


def test_a_batch_takes_as_many_statements_however_many_events_it_has() -> None:
    few, many = sent_for("few", ACCOUNTS), sent_for("many", OF_ONE_CHUNK)
    assert kinds(few) == kinds(many)
    assert 8 < len(many) <= MOST_STATEMENTS


def test_a_batch_with_a_duplicate_takes_as_many_statements_however_many_events_it_has() -> None:
    """The first such batch is written twice; those after it are staged from the start, which is counted here."""
    known = events("before", 1)[0]
    sent_for("first", 10, known)
    few, many = sent_for("few", ACCOUNTS, known), sent_for("many", OF_ONE_CHUNK - 1, known)
    assert kinds(few) == kinds(many)
    assert any("ON CONFLICT (bucket, account_id, event_id) DO NOTHING" in statement for statement in few)
    assert len(many) <= MOST_STATEMENTS + 4


def test_a_batch_of_several_chunks_takes_three_statements_more_a_chunk_at_most() -> None:
    """Staged: COPY, INSERT, TRUNCATE for each 1,250 events."""
    known = events("before", 1)[0]
    sent_for("first", 10, known)
    one, four = sent_for("one", OF_ONE_CHUNK - 1, known), sent_for("four", 4 * OF_ONE_CHUNK - 1, known)
    assert len(four) - len(one) == 3 * 3


@pytest.mark.parametrize("known", [0, 1], ids=["all new", "one known"])
def test_wallets_are_locked_once_in_id_order_before_anything_is_updated(known: int, wallets: list[Wallet]) -> None:
    more = events("before", known)
    sent = sent_for("a", 3 * ACCOUNTS, *more)
    locks = [place for place, statement in enumerate(sent) if "FOR UPDATE" in statement]
    (lock,) = locks
    assert "FROM wallets_wallet" in sent[lock]
    assert sent[lock].endswith("ORDER BY w.id FOR UPDATE OF w")
    ids = re.search(r"w\.id = ANY\('\{([0-9,]+)\}'", sent[lock])
    assert ids is not None
    assert [int(text) for text in ids[1].split(",")] == sorted(wallet.pk for wallet in wallets)
    updates = [place for place, statement in enumerate(sent) if re.search(r"\bUPDATE wallets_|DO UPDATE", statement)]
    assert updates
    assert min(updates) > lock
    assert sent[lock - 1] == "SELECT set_config('lock_timeout', '5000', true)"


def test_events_and_charges_are_written_before_the_lock_so_that_it_is_held_shortly() -> None:
    sent = sent_for("a", 3 * ACCOUNTS)
    (lock,) = [place for place, statement in enumerate(sent) if "FOR UPDATE" in statement]
    for table in ("COPY metering_usageevent", "COPY metering_charge"):
        (place,) = [place for place, statement in enumerate(sent) if statement.startswith(table)]
        assert place < lock


@pytest.mark.parametrize("known", [0, 1], ids=["all new", "one known"])
def test_every_statement_stays_within_its_bucket(known: int) -> None:
    """What reads or changes rows of a hot table says which bucket; what adds rows gives each its bucket."""
    more = events("before", known)
    sent = [statement for statement in sent_for("a", 3 * ACCOUNTS, *more) if HOT.search(statement.replace('"', ""))]
    assert len(sent) >= 10
    for statement in sent:
        if statement.startswith(("COPY", "INSERT")):
            columns = statement.partition("(")[2].partition(")")[0]
            assert "bucket" in columns.replace('"', "").split(", "), statement
        else:
            assert re.search(r"\bbucket = (\d+|\$\d)", statement), statement


def test_a_batch_is_one_transaction() -> None:
    sent = sent_for("a", 3 * ACCOUNTS)
    assert (sent.count("BEGIN"), sent.count("COMMIT"), sent[-1]) == (1, 1, "COMMIT")
    assert sent.index("BEGIN") <= 2


def test_a_bucket_is_one_transaction(settings: Any) -> None:
    settings.HOT_BUCKETS = 8
    companies = [open_company(f"spread-{number}") for number in range(20)]
    known = {company.wallet.bucket for company in companies}
    with sql_sent() as sent:
        ingest_batch(events=[event("a", account=company.account.key) for company in companies], at=AT)
    locks = [statement for statement in sent if "FOR UPDATE" in statement]
    named = [re.search(r"w\.bucket = (\d+)", lock) for lock in locks]
    assert [int(match[1]) for match in named if match] == sorted(known)
    assert (sent.count("BEGIN"), sent.count("COMMIT")) == (len(known), len(known))


def test_what_was_there_already_is_found_by_either_way_of_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Straight into the table, then staged; both ways leave the same charges."""
    ways: list[str] = []
    for way in ("insert_directly", "insert_what_is_new"):
        write = getattr(batch, way)

        def noting(*arguments: Any, way: str = way, write: Any = write, **named: Any) -> Any:
            ways.append(way)
            return write(*arguments, **named)

        monkeypatch.setattr(batch, way, noting)
    sent_for("a", 10)
    assert ways == ["insert_directly"]
    sent_for("b", 10, *events("a", 3))
    assert ways == ["insert_directly", "insert_directly", "insert_what_is_new"]
    sent_for("c", 10, *events("b", 3))
    assert ways[3:] == ["insert_what_is_new"]
    assert Charge.objects.filter(event__event_id__startswith="a ").count() == 2 * 10
    assert {charge.amount for charge in Charge.objects.filter(meter__code="tokens")} == {D("0.00003")}


@pytest.mark.parametrize("known", [0, 1], ids=["all new", "one known"])
def test_events_are_written_in_key_order_whatever_order_they_come_in(known: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two batches that share ids would otherwise wait for each other in a circle, on the index that holds an id once."""
    written: list[tuple[int, str]] = []
    add = EventRows.add

    def noting(self: EventRows, row_id: int, account_id: int, time_us: int, event_id: str, *more: Any) -> None:
        written.append((account_id, event_id))
        add(self, row_id, account_id, time_us, event_id, *more)

    monkeypatch.setattr(EventRows, "add", noting)
    coming = [*events("a", 3_000), *events("before", known)]
    Random(1).shuffle(coming)
    ingest_batch(events=coming, at=AT)
    passes = [written[: len(coming)], written[len(coming) :]] if known else [written]
    assert [len(one) for one in passes] == [len(coming)] * len(passes)
    assert all(one == sorted(one) for one in passes)
