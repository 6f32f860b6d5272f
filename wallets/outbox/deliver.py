"""Hand news to its readers: at least once, in order per subject and reader, one Delivery row each.

First each fresh piece of news gets a waiting delivery for every reader of its topic. Then each delivery is claimed
(`FOR UPDATE SKIP LOCKED`, so any number of workers may run this) and read in one transaction with its mark: if the
worker dies in between, neither is there and the next one reads it again. So readers are idempotent.

A delivery can be claimed only when every earlier one of the same subject and reader is delivered. A reader that raises is
undone, noted and tried again later; meanwhile that subject waits for that reader, and nothing else does.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, get_args

from django.db import connection, transaction

from wallets.outbox.topics import News
from wallets.outbox.write import topic_of

log = logging.getLogger(__name__)

LONGEST_BACK_OFF: Final = timedelta(minutes=15)
ERROR_CHARACTERS: Final = 2_000
_CLASSES: Final[dict[str, type[News]]] = {topic_of(topic): topic for topic in get_args(News)}


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of news for a reader; `id` is what makes reading it twice detectable."""

    id: int
    topic: str
    subject: str
    happened_at: datetime
    payload: dict[str, Any]

    @property
    def news(self) -> Any:
        """The topic's own dataclass. Raises KeyError, TypeError for a payload this code does not know."""
        return _CLASSES[self.topic](**self.payload)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads. `name` stands on its deliveries, so it never changes; a name may read several topics, in one order.

    read: called as read(piece, at=at) inside a transaction; raises to be called again later.
    together: read takes a list of pieces instead, of any of its topics; for readers that only look something up again.
    """

    name: str
    read: Callable[..., None]
    together: bool = False


Readers = Mapping[type[News], Sequence[Reader]]


@dataclass(slots=True)
class Delivered:
    """What one call did. full: it stopped at its limit, more may wait."""

    handed_out: int = 0
    delivered: int = 0
    failed: int = 0
    full: bool = False


def deliver_news(*, readers: Readers, at: datetime, limit: int = 1_000) -> Delivered:
    """Hand out what is fresh and due until nothing is left, or `limit` deliveries were made or failed."""
    done = Delivered()
    table = {(topic_of(topic), reader.name): reader for topic, of_topic in readers.items() for reader in of_topic}
    together = {reader.name: reader for reader in table.values() if reader.together}
    assert all(together.get(reader.name, reader) == reader for reader in table.values()), "one name, two readers"
    while True:
        before = done.handed_out + done.delivered + done.failed
        done.handed_out += _hand_out(list(table), limit)
        for reader in together.values():
            _deliver_together(reader, at, limit, done)
        for delivery_id in _waiting({name for _, name in table}, together.keys(), at, limit):
            _deliver_one(delivery_id, table, at, done)
        done.full = done.delivered + done.failed >= limit
        if done.full or before == done.handed_out + done.delivered + done.failed:
            return done


def back_off(attempts: int) -> timedelta:
    """How long to wait after this many failures: 1 s, doubling, at most LONGEST_BACK_OFF."""
    return min(timedelta(seconds=2 ** min(attempts - 1, 20)), LONGEST_BACK_OFF)


def purge_news(*, before: datetime, topics: Sequence[type[News]] = (), at_a_time: int = 5_000) -> int:
    """Delete pieces that happened before then (of these topics; of any if none is named) and that every reader has, with
    their deliveries, `at_a_time` a transaction. Returns how many."""
    names = [topic_of(topic) for topic in topics or _CLASSES.values()]
    purged = 0
    while True:
        some = _purge_some(before, names, at_a_time)
        purged += some
        if some < at_a_time:
            return purged


def _purge_some(before: datetime, names: list[str], limit: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """SELECT n.id FROM wallets_news n
               WHERE n.topic = ANY(%s) AND n.happened_at < %s AND n.handed_out
                 AND NOT EXISTS (SELECT FROM wallets_delivery d WHERE d.news_id = n.id AND d.delivered_at IS NULL)
               LIMIT %s FOR UPDATE SKIP LOCKED""",
            [names, before, limit],
        )
        ids = [row[0] for row in cursor]
        cursor.execute("DELETE FROM wallets_delivery WHERE news_id = ANY(%s)", [ids])
        cursor.execute("DELETE FROM wallets_news WHERE id = ANY(%s)", [ids])
    return len(ids)


Table = Mapping[tuple[str, str], Reader]
"""Topic and reader's name -> reader."""


def _hand_out(pairs: Sequence[tuple[str, str]], limit: int) -> int:
    """Give fresh news its deliveries, one for each reader of its topic. Waits for another worker doing the same: skipping
    its rows could let a later piece of a subject be seen before an earlier one."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH fresh AS MATERIALIZED (
                   SELECT id, topic, subject FROM wallets_news WHERE NOT handed_out ORDER BY id LIMIT %s FOR UPDATE
               ), made AS (
                   INSERT INTO wallets_delivery (news_id, reader, subject, attempts, last_error)
                   SELECT fresh.id, r.reader, fresh.subject, 0, ''
                   FROM fresh JOIN unnest(%s::text[], %s::text[]) AS r(topic, reader) ON r.topic = fresh.topic
                   ON CONFLICT (news_id, reader) DO NOTHING
               )
               UPDATE wallets_news n SET handed_out = true FROM fresh WHERE n.id = fresh.id""",
            [limit, [topic for topic, _ in pairs], [reader for _, reader in pairs]],
        )
        return int(cursor.rowcount)


_IN_TURN: Final = """(d.subject = '' OR NOT EXISTS (
    SELECT FROM wallets_delivery e WHERE e.delivered_at IS NULL AND e.reader = d.reader AND e.subject = d.subject
                                     AND e.news_id < d.news_id {blocking}))"""
_DUE: Final = "d.delivered_at IS NULL AND (d.next_attempt_at IS NULL OR d.next_attempt_at <= %(at)s)"
_LOCK: Final = "FOR UPDATE OF d SKIP LOCKED"
_PIECE: Final = """SELECT d.id, d.reader, d.attempts, n.id, n.topic, n.subject, n.happened_at, n.payload::text
    FROM wallets_delivery d JOIN wallets_news n ON n.id = d.news_id"""


def _waiting(names: Collection[str], together: Collection[str], at: datetime, limit: int) -> list[int]:
    """Deliveries that are due, oldest news first, without those behind one that waits for its next attempt."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT d.id FROM wallets_delivery d
                WHERE {_DUE} AND d.reader = ANY(%(readers)s) AND (d.attempts > 0 OR d.reader <> ALL(%(together)s))
                  AND {_IN_TURN.format(blocking="AND e.next_attempt_at > %(at)s")}
                ORDER BY d.news_id, d.id LIMIT %(limit)s""",  # noqa: S608 - of constants
            {"at": at, "readers": list(names), "together": list(together), "limit": limit},
        )
        return [row[0] for row in cursor]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A delivery this transaction has locked."""

    id: int
    reader: str
    attempts: int
    piece: Piece


def _claim(condition: str, values: dict[str, Any]) -> list[_Claim]:
    """Lock and read deliveries no other worker has."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_PIECE} WHERE {_DUE} AND {condition} {_LOCK}", values)
        return [
            _Claim(delivery_id, reader, attempts, Piece(news_id, topic, subject, happened_at, json.loads(payload)))
            for delivery_id, reader, attempts, news_id, topic, subject, happened_at, payload in cursor.fetchall()
        ]


def _deliver_one(delivery_id: int, table: Table, at: datetime, done: Delivered) -> None:
    """Deliver one piece, unless another worker has it or it is not its turn."""
    with transaction.atomic():
        claims = _claim(f"d.id = %(id)s AND {_IN_TURN.format(blocking='')}", {"id": delivery_id, "at": at})
        for claim in claims:
            reader = table.get((claim.piece.topic, claim.reader)) or Reader(claim.reader, _read_no_more)
            _read(reader, claims, [claim.piece] if reader.together else claim.piece, at, done)


def _read_no_more(piece: Piece, *, at: datetime) -> None:  # noqa: ARG001 - a reader's signature
    raise LookupError(f"this reader no longer reads {piece.topic}")


def _deliver_together(reader: Reader, at: datetime, limit: int, done: Delivered) -> None:
    """Deliver all fresh pieces of a reader that takes them together; one that failed before comes alone."""
    with transaction.atomic():
        claims = _claim(
            "d.id = ANY(ARRAY(SELECT id FROM wallets_delivery WHERE delivered_at IS NULL AND reader = %(reader)s "
            "AND attempts = 0 ORDER BY news_id LIMIT %(limit)s))",
            {"reader": reader.name, "limit": limit, "at": at},
        )
        if claims:
            claims.sort(key=lambda claim: claim.piece.id)
            _read(reader, claims, [claim.piece for claim in claims], at, done)


def _read(reader: Reader, claims: Sequence[_Claim], what: Any, at: datetime, done: Delivered) -> None:
    """Have the reader read, and mark the deliveries: read, or failed and due again later."""
    ids = [claim.id for claim in claims]
    try:
        with transaction.atomic():
            reader.read(what, at=at)
    except Exception as error:  # noqa: BLE001 - whatever a reader raises is noted, and concerns only its own delivery
        attempts = claims[0].attempts + 1
        again_at = at + back_off(attempts)
        log.warning("%s did not read news %s (attempt %d): %r", reader.name, [c.piece.id for c in claims], attempts, error)
        done.failed += len(ids)
        with connection.cursor() as cursor:
            cursor.execute(
                """UPDATE wallets_delivery SET attempts = attempts + 1, next_attempt_at = %s, last_error = %s
                   WHERE id = ANY(%s)""",
                [again_at, repr(error)[:ERROR_CHARACTERS].replace("\0", ""), ids],
            )
        return
    done.delivered += len(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE wallets_delivery SET attempts = attempts + 1, delivered_at = %s, next_attempt_at = NULL WHERE id = ANY(%s)",
            [at, ids],
        )
