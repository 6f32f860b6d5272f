"""What is counted under a spend cap is what was charged, whatever becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from metering.caps.models import SpendCap, SpendCounter
from metering.caps.published import published_caps
from metering.caps.set_cap import CapTerms, remove_cap, set_cap, set_cap_properties
from metering.caps.window import window_of
from metering.gate.check import check_account
from metering.gate.decide import Call
from metering.ingest.batch import ingest_batch
from metering.usage.models import UsageEvent
from metering.usage.void import void_event
from pricing.books.draft import create_price_book, draft_version
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.meters.define import define_meter
from tests.factories.balances import wallet_of
from tests.factories.usage import AT, LONG_AGO, event
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.errors import InvalidInput
from wallets.outbox.models import News
from wallets.redis_client import redis_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]


@pytest.fixture
def acme() -> Wallet:
    """Tokens cost 0.01, the first ten of a month nothing."""
    define_meter(code="tokens", event_type="llm.request", aggregation="sum", property="tokens", at=LONG_AGO)
    book = create_price_book(name="List", currency="USD", at=LONG_AGO, is_default=True)
    terms = PriceTerms(meter="tokens", model="package", package_size=D(1), package_price=D("0.01"), free_units=D(10))
    publish_version(version=draft_version(book=book, prices=[terms], at=LONG_AGO), effective_at=LONG_AGO, at=LONG_AGO)
    return wallet_of("acme", credit="100", at=LONG_AGO)


def cap(wallet: Wallet, scope: str, limit: str, **terms: Any) -> SpendCap:
    if "meter" not in terms:
        terms.setdefault("currency", "USD")
    said = CapTerms(**{"scope": scope, "window": "month", "limit": D(limit)} | terms)
    return set_cap(account=wallet.account, terms=said, at=AT)


def use(event_id: str, tokens: int, *, time: datetime = AT, **properties: Any) -> None:
    assert ingest_batch(events=[event(event_id, tokens, time=time, properties=properties)], at=AT).accepted == 1


def used(of: SpendCap) -> dict[str, D]:
    return dict(SpendCounter.objects.filter(cap=of).order_by("window_start").values_list("value", "used"))


def ask(
    amount: str | None = None, *, at: datetime = AT, quantities: Any = None, **scopes: str
) -> tuple[str | None, str | None]:
    cost = None if amount is None else D(amount)
    decision = check_account(account_key="acme", amount=cost, at=at, call=Call(scopes, quantities))
    return decision.reason, decision.cap


def test_caps_count_what_was_charged_to_whom_and_stop_at_their_limit(acme: Wallet) -> None:
    account, each, only = cap(acme, "account", "1"), cap(acme, "user", "0.5"), cap(acme, "team", "9", value="red")
    use("e1", 50, user="u_1", team="red")  # 10 of them free
    use("e2", 20, user="u_2", team="blue")
    use("e3", 5)
    assert (used(account), used(each), used(only)) == (
        {"": D("0.65")}, {"u_1": D("0.40"), "u_2": D("0.20")}, {"red": D("0.40")},
    )  # fmt: skip
    assert ask("0.1", user="u_1") == (None, None)
    assert ask("0.11", user="u_1") == ("spend_cap", each.public_id)
    assert ask("0.36", user="u_3") == ("spend_cap", account.public_id)
    assert ask("0.35") == (None, None)


def test_a_cap_in_units_counts_units_and_is_asked_of_calls_that_may_use_them(acme: Wallet) -> None:
    tokens = cap(acme, "user", "30", meter="tokens")
    use("e1", 30, user="u_1")
    assert used(tokens) == {"u_1": D(30)}
    assert ask("0.1", user="u_1")[0] == "spend_cap"
    assert ask("0.1", user="u_1", quantities={"tokens": D(1)})[0] == "spend_cap"
    assert ask("0.1", user="u_1", quantities={"images": D(1)})[0] is None
    assert ask("0.1", user="u_2", quantities={"tokens": D(31)})[0] == "spend_cap"


def test_a_void_gives_back_to_the_counter_and_the_gate_lets_through_again(acme: Wallet) -> None:
    month, tokens = cap(acme, "account", "0.4"), cap(acme, "account", "50", meter="tokens")
    use("e1", 50)
    assert ask("0.01")[0] == "spend_cap"
    void_event(event_pk=UsageEvent.objects.get(event_id="e1").pk, at=AT)
    assert (used(month), used(tokens)) == ({"": D(0)}, {"": D(0)})
    assert ask("0.4", quantities={"tokens": D(50)}) == (None, None)


def test_a_new_cap_has_counted_from_the_start_of_its_window_and_a_removed_one_stops_nothing(acme: Wallet) -> None:
    use("last-month", 50, time=AT - timedelta(days=32), user="u_1")
    use("e1", 20, user="u_1")
    each = cap(acme, "user", "0.1")
    assert used(each) == {"u_1": D("0.10")}
    assert ask("0.01", user="u_1") == ("spend_cap", each.public_id)
    assert cap(acme, "user", "0.2").pk == each.pk
    assert ask("0.1", user="u_1") == (None, None)
    remove_cap(cap=each, at=AT)
    assert ask("50", user="u_1") == (None, None)
    assert not Wallet.objects.get(pk=acme.pk).has_caps


def test_the_property_that_names_a_user_is_a_setting(acme: Wallet) -> None:
    set_cap_properties(account=acme.account, user="end_user", at=AT)
    each = cap(acme, "user", "1")
    use("e1", 20, end_user=77, user="nobody")
    assert used(each) == {"77": D("0.10")}


def test_counters_come_back_exactly_when_redis_was_wiped(acme: Wallet) -> None:
    each = cap(acme, "user", "0.4")
    use("e1", 50, user="u_1")
    redis_client().flushdb()
    assert ask("0.01", user="u_1") == ("spend_cap", each.public_id)
    redis_client().flushdb()
    use("e2", 1, user="u_2")  # publishes its own counter only
    assert ask("0.01", user="u_1") == ("spend_cap", each.public_id)


def test_a_cap_opens_again_at_the_end_of_its_day_in_the_zone_of_the_account(acme: Wallet) -> None:
    type(acme.account).objects.filter(pk=acme.account_id).update(time_zone="Asia/Tokyo")
    acme.account.refresh_from_db()
    cap(acme, "account", "0.4", window="day")
    use("e1", 50)
    midnight = datetime(AT.year, AT.month, AT.day, 15, tzinfo=UTC)  # in Tokyo
    assert ask("0.01", at=midnight - timedelta(microseconds=1))[0] == "spend_cap"
    assert ask("0.01", at=midnight)[0] is None


def test_reaching_a_cap_is_told_once_until_it_opens_again(acme: Wallet) -> None:
    cap(acme, "account", "0.4")
    for number, tokens in enumerate((50, 1)):
        use(f"e{number}", tokens)
    told = [news.payload for news in News.objects.filter(topic="spend_cap_reached")]
    assert [(one["used"], one["limit"]) for one in told] == [("0.400000000000", "0.400000000000")]
    void_event(event_pk=UsageEvent.objects.get(event_id="e0").pk, at=AT)
    use("e3", 60)
    assert News.objects.filter(topic="spend_cap_reached").count() == 2


def test_a_wallet_opened_later_counts_too_and_the_caps_of_another_currency_do_not(acme: Wallet) -> None:
    euros = cap(acme, "account", "1", currency="EUR")
    use("e1", 50)
    assert used(euros) == {}
    assert open_wallet(account=acme.account, currency="EUR", at=AT).has_caps


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"scope": "account", "value": "x"}, "value"),
        ({"scope": "galaxy"}, "scope"),
        ({"window": "week"}, "window"),
        ({"limit": D(-1)}, "limit"),
        ({"currency": ""}, "currency"),
        ({"meter": "tokens"}, "currency"),
        ({"currency": "", "meter": "nothing"}, "meter"),
    ],
)
def test_terms_that_cap_nothing_are_refused(acme: Wallet, terms: dict[str, Any], field: str) -> None:
    said = {"scope": "user", "window": "day", "limit": D(1), "currency": "USD"} | terms
    with pytest.raises(InvalidInput) as refused:
        set_cap(account=acme.account, terms=CapTerms(**said), at=AT)
    assert list(refused.value.fields) == [field]


moments = st.integers(0, 10 * 366 * 86_400).map(lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
zones = st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago"])


@effort(max_examples=60, deadline=None)
@given(moments, zones, st.sampled_from(["day", "month"]))
def test_windows_in_python_are_windows_in_sql(time: datetime, zone: str, window: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT date_trunc(%s, %s::timestamptz, %s)", [window, time, zone])
        (start,) = cursor.fetchone()
    found, end = window_of(window, time, zone)
    assert (found, end is not None and found <= time < end) == (start, True)


def test_an_account_without_caps_costs_one_query(acme: Wallet, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert published_caps(account_ids=[acme.account_id], at=AT) == {}
