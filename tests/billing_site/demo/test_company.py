"""The demo company is made once, always alike, and every story in it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.test import TransactionTestCase

from billing_site.demo import history as history_module
from billing_site.demo.company import people, seed_demo
from billing_site.demo.customers import CUSTOMERS
from billing_site.demo.prices import MODELS, PROVIDERS
from billing_site.management.commands.prove import PROOFS
from metering.ingest import accounts
from metering.ingest.batch import IngestResult, ingest_batch
from metering.ingest.models import DeadLetter
from metering.usage.models import EventVoid, UsageEvent
from pricing.books import in_force
from pricing.books.models import Price, PriceVersion
from pricing.catalogues.genai_prices import list_prices
from pricing.commitments.models import CommitmentPeriod
from pricing.credit_products.models import VoucherRedemption
from pricing.plans.models import Subscription
from wallets.accounts.models import Account, Member, User
from wallets.api_keys import verify
from wallets.api_keys.verify import verify_api_key
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.ledger import chart
from wallets.statements.models import Statement

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DAYS = 60
EVENTS = 4_000
SHORT: dict[str, int] = {"days": 3, "events": 300}


def seed(**options: Any) -> dict[str, Any]:
    """A small demo company."""
    return seed_demo(**({"at": AT, "seed": 7, "days": DAYS, "events": EVENTS} | options))


def books() -> list[tuple[str, str, str, Decimal, Decimal, int]]:
    """Every wallet: account, name, currency, balance, overdraft, version."""
    rows = Wallet.objects.order_by("account__key", "currency", "name")
    return list(rows.values_list("account__key", "name", "currency", "balance", "overdraft", "version"))


def usage() -> list[tuple[str, str, datetime]]:
    """Every event: account, id, time."""
    return list(UsageEvent.objects.order_by("account__key", "event_id").values_list("account__key", "event_id", "time"))


def empty() -> None:
    """The database as before the test, and nothing remembered of it."""
    TransactionTestCase._fixture_teardown(None)  # type: ignore[attr-defined]
    for memory in (accounts, in_force, verify, chart):
        memory.forget()


def test_a_small_company_tells_every_story_and_its_books_hold() -> None:
    facts = seed()
    wallets = {(wallet.account.key, wallet.name): wallet for wallet in Wallet.objects.select_related("account")}
    assert Account.objects.count() == len(CUSTOMERS) >= 25
    assert 0.8 * EVENTS < facts["events"] < 1.2 * EVENTS
    assert facts["events"] == UsageEvent.objects.count()
    # nearly empty, overdrawn, brand-new
    for key in ("tinywins", "lastdrop"):
        granted = sum(lot.amount for lot in CreditLot.objects.filter(wallet__account__key=key))
        assert abs(wallets[key, ""].balance) < granted / 10
    assert wallets["overreach", ""].overdraft > 0
    assert wallets["overreach", ""].on_empty == "grace"
    assert (wallets["greenfield", ""].balance, wallets["greenfield", ""].version) == (0, 0)
    # several wallets, one in EUR, one in reserve
    assert {(wallet.currency, wallet.name) for wallet in wallets.values() if wallet.account.key == "polyglot"} == {
        ("USD", ""), ("USD", "Reserve"), ("EUR", "Europe"),
    }  # fmt: skip
    assert all(wallets["polyglot", name].balance > 0 for name in ("Reserve", "Europe"))
    # suspended, frozen
    assert Account.objects.get(key="bandit").status == Account.Status.SUSPENDED
    assert wallets["icebox", ""].status == Wallet.Status.FROZEN
    # promotional, expired (given and paid), scheduled, scoped, compensation
    lots = {(lot.wallet.account.key, lot.kind, lot.state) for lot in CreditLot.objects.select_related("wallet__account")}
    assert {("mosaic", "trial", "EXPIRED"), ("mosaic", "promotional", "SCHEDULED"), ("icebox", "paid", "EXPIRED")} <= lots
    assert ("polyglot", "compensation") in {(key, kind) for key, kind, _ in lots}
    assert CreditLot.objects.filter(wallet__account__key="acme", meters=["llm.output_tokens"]).exists()
    assert EventVoid.objects.count() == 3
    # a plan in its trial and one that is paid, a promo code redeemed, a commitment
    assert set(Subscription.objects.values_list("account__key", "state")) == {("orbit", "TRIALING"), ("meridian", "ACTIVE")}
    assert CreditLot.objects.filter(unit_meter="llm.output_tokens", state="OPEN", wallet__account__key="meridian").exists()
    assert VoucherRedemption.objects.get().account.key == "sprout"
    assert CommitmentPeriod.objects.count() == 1
    assert_events_arrive_after_they_happened_and_some_late()
    assert_prices_changed_twenty_days_ago()
    assert [proof for proof in (prover() for prover in PROOFS) if not proof.holds] == []


def assert_events_arrive_after_they_happened_and_some_late() -> None:
    """Within the window they happened in, or the next."""
    waits = [event.received_at - event.time for event in UsageEvent.objects.all()]
    assert min(waits) >= timedelta(0)
    assert max(waits) < timedelta(hours=12)
    assert any(wait > timedelta(hours=6) for wait in waits)


def assert_prices_changed_twenty_days_ago() -> None:
    """And usage before and after says so."""
    versions = PriceVersion.objects.filter(book__name="Northwind AI standard").order_by("number")
    assert [version.number for version in versions] == [1, 2]
    changed = versions[1].effective_at
    assert changed is not None
    assert timedelta(days=20) <= AT - changed <= timedelta(days=20, hours=6)
    for event in UsageEvent.objects.filter(account__key="acme").prefetch_related("charges__price__version")[:200]:
        wanted = 1 if event.time < changed else 2
        assert {charge.price.version.number for charge in event.charges.all()} <= {wanted}
    gpt5 = Price.objects.filter(version__in=versions, meter__code="llm.input_tokens", match={"model": "gpt-5"})
    before, after = gpt5.order_by("version__number")
    assert before.unit_cost == after.unit_cost
    assert (before.unit_price, after.unit_price) == (before.unit_cost * Decimal("1.4"), after.unit_cost * Decimal("1.3"))


def test_every_model_the_customers_use_has_a_list_price() -> None:
    listed, _ = list_prices(providers=PROVIDERS, models=MODELS, at=AT)
    assert {one.model for one in listed} == set(MODELS)
    used = {name for plan in CUSTOMERS for name in plan.mix.models}
    assert used <= set(MODELS)


def test_the_same_seed_and_time_make_the_same_balances_and_another_seed_others() -> None:
    seed(**SHORT)
    first, events = books(), usage()
    empty()
    seed(**SHORT)
    assert books() == first
    assert usage() == events
    empty()
    seed(**SHORT, seed=8)
    assert books() != first


def test_a_second_call_changes_nothing_and_tells_no_secret() -> None:
    first = seed(**SHORT)
    before = books()
    again = seed(at=AT + timedelta(days=3), seed=99)
    assert books() == before
    assert again["api_key"] is None
    assert {login["password"] for login in again["logins"]} == {None}
    assert [login["email"] for login in again["logins"]] == [login["email"] for login in first["logins"]]
    assert again["events"] == 0


def test_a_seeding_that_was_broken_off_is_finished_by_the_next_with_the_same_books(monkeypatch: pytest.MonkeyPatch) -> None:
    seed(**SHORT)
    whole, events = books(), usage()
    empty()
    batches = 0

    class PowerCutError(Exception):
        pass

    def dying(**arguments: Any) -> IngestResult:
        nonlocal batches
        batches += 1
        result = ingest_batch(**arguments)
        if batches == 7:
            raise PowerCutError
        return result

    with monkeypatch.context() as broken:
        broken.setattr(history_module, "ingest_batch", dying)
        with pytest.raises(PowerCutError):
            seed(**SHORT)
    facts = seed(at=AT + timedelta(hours=5))
    assert facts["api_key"] is not None
    assert usage() == events
    assert books() == whole


def test_months_that_have_ended_have_their_statements() -> None:
    seed(days=40, events=400)
    statements = Statement.objects.select_related("wallet__account")
    assert {one.wallet.account.key for one in statements} >= {"acme", "globex"}
    assert all(one.period_end <= AT for one in statements)


def test_everybody_can_sign_in_and_the_key_works() -> None:
    facts = seed(days=2, events=50)
    for login in facts["logins"]:
        assert User.objects.get(email=login["email"]).check_password(login["password"])
    assert verify_api_key(facts["api_key"], at=AT).account_key is None
    fiona, apollo, sam = (User.objects.get(email=f"{name}@northwind.example") for name in ("fiona", "apollo", "sam"))
    assert fiona.is_superuser
    assert apollo.is_staff
    assert apollo.has_perm("wallets.change_approval")
    assert not apollo.has_perm("wallets.add_creditlot")
    assert sam.has_perm("wallets.view_wallet")
    assert not sam.has_perm("wallets.add_creditlot")
    customers = [person for person in people() if person.account]
    assert {member.account.key for member in Member.objects.select_related("account")} == {
        person.account for person in customers
    }
    assert not User.objects.filter(is_staff=True, memberships__isnull=False).exists()


def test_secrets_that_were_lost_can_be_renewed() -> None:
    first = seed(days=2, events=50)
    renewed = seed(days=2, events=50, renew=True)
    assert renewed["api_key"] not in {None, first["api_key"]}
    assert verify_api_key(renewed["api_key"], at=AT).account_key is None
    ada = User.objects.get(email="ada@acme.example")
    assert ada.check_password(next(one["password"] for one in renewed["logins"] if one["email"] == ada.email))


def test_an_unpriced_model_waits_in_the_dead_letters() -> None:
    seed(events=3_000, days=2)
    assert {letter.reason for letter in DeadLetter.objects.all()} == {"no_price"}


def test_the_command_prints_who_can_sign_in(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("seed_demo", "--days", "1", "--events", "20")
    printed = capsys.readouterr().out
    assert "fiona@northwind.example" in printed
    assert "API key    key_" in printed
