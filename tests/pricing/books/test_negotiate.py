"""Negotiated prices: made of list prices whenever either is published, and every one names the list price it came from."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import Error, transaction

from pricing.books.assign import assign_price_book
from pricing.books.derive import discounted
from pricing.books.draft import BookIsNegotiated, create_price_book, draft_version
from pricing.books.fit import PriceBookUnfit, check_fits
from pricing.books.models import Price, PriceBook, PriceVersion
from pricing.books.negotiate import NothingListed, negotiate_prices
from pricing.books.pin import AccountPinned, pin_version
from pricing.books.price_terms import PercentageTerms, PriceTerms, TierTerms
from pricing.books.publish import publish_version, withdraw_version
from pricing.books.queries import books_used, live_version
from pricing.books.validate import PricesRefused
from pricing.meters.define import define_meter
from tests.cast import Api, Company, days_after_opening
from wallets.errors import InvalidInput

pytestmark = pytest.mark.django_db
AT = days_after_opening(1)
DAY = timedelta(days=1)


@pytest.fixture
def book(db: None) -> PriceBook:
    for code in ("calls", "tokens"):
        define_meter(code=code, event_type=code, aggregation="count", at=AT)
    return create_price_book(name="List", currency="USD", at=AT, is_default=True)


def calls(unit_price: str, **values: object) -> PriceTerms:
    return PriceTerms(**{"meter": "calls", "unit_price": D(unit_price), "unit_cost": D("0.1")} | values)


def tokens(unit_price: str) -> PriceTerms:
    return PriceTerms(meter="tokens", unit_price=D(unit_price))


def publish(book: PriceBook, *prices: PriceTerms, day: int = 0) -> PriceVersion:
    return publish_version(version=draft_version(book=book, prices=prices, at=AT), effective_at=AT + day * DAY, at=AT)


def negotiate(company: Company, percent_off: str, *prices: PriceTerms, day: int = 0, until: int | None = None) -> PriceVersion:
    return negotiate_prices(
        account=company.account, percent_off=D(percent_off), prices=prices, effective_at=AT + day * DAY, at=AT,
        until=None if until is None else AT + until * DAY,
    )  # fmt: skip


def paid(company: Company, day: int, meter: str = "calls") -> str:
    """What one costs the company on a day."""
    at = AT + day * DAY
    used = books_used(account_ids=[company.account.pk], at=at)[company.account.pk]
    assert used is not None
    version = live_version(book=used, at=at)
    assert version is not None
    return f"{Price.objects.get(version=version, meter__code=meter).unit_price.normalize():f}"


def test_a_discount_holds_from_its_time_for_one_account(book: PriceBook, acme: Company, globex: Company) -> None:
    listed = publish(book, calls("0.00001"), tokens("2"))
    made = negotiate(acme, "20", day=1)
    assert [paid(acme, day) for day in (0, 1, 9)] == ["0.00001", "0.000008", "0.000008"]
    assert paid(globex, 9) == "0.00001"
    price = Price.objects.get(version=made, meter__code="calls")
    assert price.derived_from == Price.objects.get(version=listed, meter__code="calls")
    assert (price.unit_cost, price.is_override, made.percent_off, made.derived_from) == (D("0.1"), False, D(20), listed)


def test_single_prices_stand_instead_of_list_prices_and_beside_them(book: PriceBook, acme: Company) -> None:
    listed = publish(book, calls("1"), tokens("2"))
    made = negotiate(acme, "10", tokens("0.5"), calls("3", match={"region": "eu"}))
    found = {
        (price.meter.code, str(price.match)): (price.unit_price.normalize(), price.is_override, price.derived_from)
        for price in Price.objects.filter(version=made).select_related("meter", "derived_from")
    }
    in_list = {price.meter.code: price for price in Price.objects.filter(version=listed).select_related("meter")}
    assert found == {
        ("calls", "{}"): (D("0.9"), False, in_list["calls"]),
        ("tokens", "{}"): (D("0.5"), True, in_list["tokens"]),
        ("calls", "{'region': 'eu'}"): (D(3), True, None),
    }


def test_a_change_of_the_list_is_followed_in_its_transaction(book: PriceBook, acme: Company) -> None:
    publish(book, calls("1"), tokens("2"))
    negotiate(acme, "50", tokens("1.5"))
    publish(book, calls("3"), tokens("9"), day=5)
    assert [(paid(acme, day), paid(acme, day, "tokens")) for day in (4, 5)] == [("0.5", "1.5"), ("1.5", "1.5")]


def test_what_is_published_for_later_is_followed_in_every_order(book: PriceBook, acme: Company) -> None:
    publish(book, calls("1"))
    publish(book, calls("2"), day=10)
    negotiate(acme, "10")
    negotiate(acme, "50", day=5)
    publish(book, calls("4"), day=3)  # between: changes what holds on day 3 and on day 5, not on day 10
    assert [paid(acme, day) for day in (0, 2, 3, 4, 5, 9, 10)] == ["0.9", "0.9", "3.6", "3.6", "2", "2", "1"]
    negotiate(acme, "25", day=4)  # ends what was agreed for later
    assert [paid(acme, day) for day in (3, 4, 5, 10)] == ["3.6", "3", "3", "1.5"]


def test_a_withdrawn_list_version_is_withdrawn_for_negotiated_prices_too(book: PriceBook, acme: Company) -> None:
    publish(book, calls("1"))
    negotiate(acme, "50")
    dearer = publish(book, calls("4"), day=3)
    assert paid(acme, 3) == "2"
    withdraw_version(version=dearer, at=AT + DAY)
    assert paid(acme, 3) == "0.5"


def test_negotiated_prices_end_when_it_was_agreed(book: PriceBook, acme: Company) -> None:
    publish(book, calls("1"))
    negotiate(acme, "50", until=5)
    assert [paid(acme, day) for day in (0, 4, 5)] == ["0.5", "0.5", "1"]
    negotiate(acme, "25", day=2)  # a new agreement without end
    assert [paid(acme, day) for day in (1, 2, 9)] == ["0.5", "0.75", "0.75"]


def test_counters_go_on_where_the_terms_stay(book: PriceBook, acme: Company) -> None:
    tiers = (TierTerms(up_to=D(100), unit_price=D(1)), TierTerms(unit_price=D("0.5")))
    listed = publish(book, PriceTerms(meter="calls", model="graduated", tiers=tiers), tokens("2"))
    made = negotiate(acme, "0", tokens("1"))
    root = Price.objects.get(version=listed, meter__code="calls")
    assert Price.objects.get(version=made, meter__code="calls").continues == root  # the same tiers, from the list
    assert Price.objects.get(version=made, meter__code="tokens").continues is None
    publish(book, PriceTerms(meter="calls", model="graduated", tiers=tiers), tokens("3"), day=3)
    used = books_used(account_ids=[acme.account.pk], at=AT)[acme.account.pk]
    assert used is not None
    later = live_version(book=used, at=AT + 3 * DAY)
    assert Price.objects.get(version=later, meter__code="calls").continues == root
    assert Price.objects.get(version=later, meter__code="tokens").continues == Price.objects.get(
        version=made, meter__code="tokens"
    )


def test_every_amount_a_customer_pays_is_discounted() -> None:
    terms = PriceTerms(
        meter="calls", model="volume", unit_cost=D(1), minimum_charge=D(10), free_units=D(5), package_size=D(7),
        package_price=D(100), tiers=(TierTerms(up_to=D(3), unit_price=D(2), flat_price=D(4), rate=D(1)),),
        percentage=PercentageTerms(rate=D(2), fixed=D(1), free_amount=D(50), minimum=D(1), maximum=D(8)),
    )  # fmt: skip
    less = discounted(terms, D("12.5"))
    assert (less.minimum_charge, less.package_price) == (D("8.75"), D("87.5"))
    assert less.tiers == (TierTerms(up_to=D(3), unit_price=D("1.75"), flat_price=D("3.5"), rate=D("0.875")),)
    assert less.percentage == PercentageTerms(
        rate=D("1.75"), fixed=D("0.875"), free_amount=D(50), minimum=D("0.875"), maximum=D(7)
    )
    assert (less.unit_cost, less.free_units, less.package_size) == (D(1), D(5), D(7))
    # 0.000000000001 less 12.5 % is 0.000000000000875, to 12 decimals 0.000000000001
    assert discounted(PriceTerms(meter="calls", unit_price=D("0.000000000001")), D("12.5")).unit_price == D("0.000000000001")


def test_negotiated_prices_never_change(book: PriceBook, acme: Company) -> None:
    publish(book, calls("1"))
    made = negotiate(acme, "50")
    for attempt in (
        lambda: Price.objects.filter(version=made).update(unit_price=0),
        lambda: PriceVersion.objects.filter(pk=made.pk).update(percent_off=99),
        lambda: PriceBook.objects.filter(pk=made.book_id).update(base=None, account=None),
    ):
        with pytest.raises(Error), transaction.atomic():
            attempt()
    with pytest.raises(BookIsNegotiated):
        draft_version(book=made.book, prices=[calls("0")], at=AT)


def test_what_cannot_be_agreed_is_refused_by_field(book: PriceBook, acme: Company, globex: Company) -> None:
    with pytest.raises(NothingListed):
        negotiate(acme, "10")
    first = publish(book, calls("1"))
    for percent_off, day, until, field in (
        ("0", 0, None, "percent_off"), ("-1", 0, None, "percent_off"), ("100.5", 0, None, "percent_off"),
        ("10", -1, None, "effective_at"), ("10", 1, 1, "until"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput) as refused:
            negotiate(acme, percent_off, day=day, until=until)
        assert list(refused.value.fields) == [field]
    with pytest.raises(PricesRefused) as refused:
        negotiate(acme, "0", calls("1"), calls("1", match={"a": "b"}, currency="EUR"))
    assert list(refused.value.fields) == ["prices.1.currency"]
    pin_version(account=acme.account, version=first, effective_at=AT, until=AT + DAY, at=AT)
    with pytest.raises(AccountPinned):
        negotiate(acme, "10")
    made = negotiate(acme, "10", day=1)
    with pytest.raises(PriceBookUnfit):
        check_fits(book=made.book, account=globex.account)


def test_another_book_ends_what_was_agreed(book: PriceBook, acme: Company) -> None:
    publish(book, calls("1"))
    negotiate(acme, "50")
    other = create_price_book(name="Other", currency="USD", at=AT)
    publish(other, calls("7"))
    assign_price_book(account=acme.account, book=other, effective_at=AT + 2 * DAY, at=AT)
    assert [paid(acme, day) for day in (1, 2)] == ["0.5", "7"]


def test_prices_are_agreed_over_http(book: PriceBook, acme: Company, vendor: Api) -> None:
    publish(book, calls("1"))
    body = {"percent_off": "20", "effective_at": "2099-01-01T00:00:00Z", "reason": "Contract"}
    answer = vendor.post("/accounts/acme/overrides", body)
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert (made["percent_off"], made["note"], made["prices"][0]["unit_price"]) == ("20.00", "Contract", "0.80")
    assert [line["id"] for line in vendor.get("/accounts/acme/overrides").json()["data"]] == [made["id"]]
    pin = vendor.post("/accounts/acme/pins", {"version": made["derived_from"], "until": "2098-01-01T00:00:00Z"}).json()
    assert (pin["account"], pin["version"]) == ("acme", made["derived_from"])
    assert vendor.get("/accounts/acme/pins").json()["data"] == [pin]
    assert vendor.post(f"/pins/{pin['id']}/end").json()["until"] < pin["until"]
    for path in ("overrides", "pins"):
        assert acme.api.get(f"/accounts/acme/{path}").status_code == 403
