"""Who came in, shown to whom it was; kept as it is, for a while."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.cast import Company
from tests.factories.browsers import sign_in
from tests.factories.shop import text_of
from wallets.clock import now
from wallets.visits.models import SIGN_INS_KEPT_DAYS, SignIn
from wallets.visits.sign_ins import forget_addresses, purge_sign_ins, record_sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_server")]


def test_a_person_sees_who_came_in_and_who_tried(acme: Company, globex: Company) -> None:
    sign_in(acme.owner, password="wrong")
    browser, _ = sign_in(acme.owner)
    sign_in(globex.owner)
    page = text_of(browser.get("/security/"))
    assert page.count("127.0.0.1") == 2, "not what others do"
    assert "refused" in page
    assert SignIn.objects.count() == 3
    sign_in(globex.owner, password="wrong")
    assert not SignIn.objects.filter(method="password", outcome="REFUSED", user=acme.owner).count() > 1


def test_the_history_is_kept_as_it_is_until_it_is_purged(acme: Company) -> None:
    at = now()
    for age in (0, SIGN_INS_KEPT_DAYS - 1, SIGN_INS_KEPT_DAYS + 1):
        record_sign_in(
            user=acme.owner, outcome="IN", method="password", address="10.0.0.7", agent="x" * 999, at=at - timedelta(days=age)
        )
    for statement in ("UPDATE wallets_signin SET outcome = 'REFUSED'", "DELETE FROM wallets_signin"):
        with pytest.raises(DatabaseError, match="kept as they are"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert purge_sign_ins(at=at) == 1
    assert SignIn.objects.count() == 2
    assert forget_addresses(user=acme.owner) == 2
    assert set(SignIn.objects.values_list("address", "agent")) == {(None, "")}
    with pytest.raises(DatabaseError, match="kept as they are"), transaction.atomic():
        SignIn.objects.all().delete()


def test_a_longer_history_takes_no_more_queries(acme: Company) -> None:
    counts = []
    for _ in range(2):
        browser, _answer = sign_in(acme.owner)
        with CaptureQueriesContext(connection) as queries:
            browser.get("/security/")
        counts.append(len(queries))
    assert counts[0] == counts[1] < 12
