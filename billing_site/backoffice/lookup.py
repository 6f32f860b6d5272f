"""What a term names, whatever it is: an account by key, name or e-mail address; a person; anything with an id of ours, whole or
how it begins; a statement or a receipt by number; a card by its last four digits; a payment by the provider's id; an event.

Which tables are asked is decided by how the term looks, so that an id costs one or two queries and a name no more than six.
Each is answered by an index, but the last resort: a name that holds the term somewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Model, Q, QuerySet

from metering.caps.models import SpendCap
from metering.usage.queries import events_named
from pricing.books.models import PriceBook, PriceVersion
from pricing.commitments.models import Commitment
from pricing.credit_products.models import CreditProduct, VoucherBatch
from pricing.meters.models import Meter
from pricing.plans.models import Plan, Subscription
from wallets.accounts.models import Account, User
from wallets.adjustments.models import Adjustment
from wallets.api_keys.models import ApiKey
from wallets.approvals.models import Approval
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.holds.models import Hold
from wallets.payments.bank_models import BankLine
from wallets.payments.models import PaymentMethod, Receipt, TopUp
from wallets.refunds.models import Dispute, Refund, Withdrawal
from wallets.risk.models import ReviewItem
from wallets.statements.models import Statement

MOST: Final = 8
SHORTEST_PREFIX: Final = 6
"""Letters of an id from which on its beginning is looked for: lot_7d."""
PROVIDERS: Final = ("stripe", "manual")
NUMBER: Final = re.compile(r"([A-Za-z][\w-]*?)-(ST-)?(\d{4})-(\d{1,9})")
LAST_FOUR: Final = re.compile(r"[•.*\s]*(\d{4})")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record with ids: path: how to its account, empty when it has none."""

    model: type[Model]
    title: str
    icon: str
    path: str = ""


KINDS: Final[dict[str, Kind]] = {
    "wal": Kind(Wallet, "Wallet", "account_balance_wallet", "account"),
    "lot": Kind(CreditLot, "Credit lot", "confirmation_number", "wallet__account"),
    "hold": Kind(Hold, "Hold", "hourglass", "wallet__account"),
    "top": Kind(TopUp, "Top-up", "payments", "wallet__account"),
    "card": Kind(PaymentMethod, "Card", "credit_card", "account"),
    "ref": Kind(Refund, "Refund", "undo", "wallet__account"),
    "dsp": Kind(Dispute, "Dispute", "gavel", "wallet__account"),
    "wdr": Kind(Withdrawal, "Withdrawal", "output", "wallet__account"),
    "adj": Kind(Adjustment, "Adjustment", "exposure", "wallet__account"),
    "apr": Kind(Approval, "Approval", "approval", "account"),
    "rev": Kind(ReviewItem, "Review", "policy", "account"),
    "stm": Kind(Statement, "Statement", "description", "wallet__account"),
    "bnk": Kind(BankLine, "Bank line", "account_balance"),
    "cap": Kind(SpendCap, "Spend cap", "speed", "account"),
    "sub": Kind(Subscription, "Subscription", "autorenew", "account"),
    "cmt": Kind(Commitment, "Commitment", "handshake", "account"),
    "pln": Kind(Plan, "Plan", "workspaces"),
    "cpr": Kind(CreditProduct, "Credit product", "sell"),
    "vbt": Kind(VoucherBatch, "Vouchers", "redeem"),
    "prv": Kind(PriceVersion, "Price version", "history"),
    "pbk": Kind(PriceBook, "Price book", "menu_book"),
}
"""How ids begin -> what they are of."""


@dataclass(frozen=True, slots=True)
class Match:
    """A record that a term names. app_model: `wallets_wallet`, as its pages are called. account_id: whose it is."""

    app_model: str
    pk: int
    title: str
    description: str
    icon: str
    account_id: int | None = None
    account_name: str = ""

    @property
    def permission(self) -> str:
        """What it takes to see it."""
        app, _, model = self.app_model.partition("_")
        return f"{app}.view_{model}"


def matches(term: str) -> list[Match]:
    """What `term` names, the likeliest first."""
    term = term.strip()
    if not term or "\x00" in term:
        return []
    prefix, sep, rest = term.partition("_")
    if sep and prefix in KINDS:
        return list(_by_id(KINDS[prefix], term)) if rest else []
    if sep and prefix == "key":
        return list(_keys(term))
    found: list[Match] = []
    if numbered := NUMBER.fullmatch(term):
        found += _numbered(numbered)
    if four := LAST_FOUR.fullmatch(term):
        found += _cards(four[1])
    if "@" in term:
        found += _people(term)
    found += _accounts(term)
    if not numbered:
        found += _catalogue(term)
    return found or [*_payments(term), *_events(term)] or list(_accounts_holding(term))


def _found(kind: Kind, rows: QuerySet[Any], title: str) -> Iterator[Match]:
    """Rows of a kind as matches, with their accounts."""
    meta = kind.model._meta  # noqa: SLF001 - Django's own way to ask
    rows = rows.select_related(kind.path) if kind.path else rows
    for row in rows.order_by("pk")[:MOST]:
        account: Any = row
        for step in kind.path.split("__") if kind.path else ():
            account = getattr(account, step, None)
        whose = account if isinstance(account, Account) else None
        yield Match(
            f"{meta.app_label}_{meta.model_name}",
            row.pk,
            title or str(getattr(row, "public_id", row)),
            f"{kind.title} of {whose.name}" if whose else kind.title,
            kind.icon,
            whose.pk if whose else None,
            whose.name if whose else "",
        )


def _by_id(kind: Kind, term: str) -> Iterator[Match]:
    by = Q(public_id__startswith=term) if len(term) >= SHORTEST_PREFIX else Q(public_id=term)
    return _found(kind, kind.model._default_manager.filter(by), "")  # noqa: SLF001 - as above


def _keys(term: str) -> Iterator[Match]:
    prefix = "_".join(term.split("_")[:2])[:16]  # whoever pastes the whole key has it searched by what is no secret
    return _found(Kind(ApiKey, "API key", "key", "account"), ApiKey.objects.filter(prefix__startswith=prefix), prefix)


def _numbered(number: re.Match[str]) -> Iterator[Match]:
    entity, is_statement, year, running = number.groups()
    same = Q(entity__in={entity, entity.lower(), entity.upper()}, year=int(year), number=int(running))
    if is_statement:
        return _found(KINDS["stm"], Statement.objects.filter(same), number[0])
    kind = Kind(Receipt, "Receipt", "receipt", "top_up__wallet__account")
    return _found(kind, Receipt.objects.filter(same), number[0])


def _cards(digits: str) -> Iterator[Match]:
    return _found(KINDS["card"], PaymentMethod.objects.filter(last_four=digits), f"•••• {digits}")


def _people(address: str) -> Iterator[Match]:
    people = User.objects.filter(email__startswith=address.lower()).prefetch_related("memberships__account").order_by("email")
    for person in people[:MOST]:
        for member in person.memberships.all():
            account = member.account
            what = f"{member.get_role_display()} of {account.name}"
            yield Match("wallets_account", account.pk, person.email, what, "person", account.pk, account.name)
        if person.is_staff:
            yield Match("wallets_user", person.pk, person.email, "Staff", "badge")


def _accounts(term: str) -> Iterator[Match]:
    named = Q(key__startswith=term) | Q(key__startswith=term.lower()) | Q(name__istartswith=term) | Q(email__istartswith=term)
    return _as_accounts(Account.objects.filter(named))


def _accounts_holding(term: str) -> Iterator[Match]:
    return _as_accounts(Account.objects.filter(name__icontains=term))


def _as_accounts(accounts: QuerySet[Account]) -> Iterator[Match]:
    for one in accounts.order_by("name", "id")[:MOST]:
        yield Match("wallets_account", one.pk, one.name, f"Account {one.key}", "domain", one.pk, one.name)


def _payments(term: str) -> Iterator[Match]:
    return _found(KINDS["top"], TopUp.objects.filter(provider__in=PROVIDERS, payment_id=term), term)


def _events(term: str) -> Iterator[Match]:
    events = events_named(event_id=term, limit=MOST)
    accounts = Account.objects.in_bulk([one.account for one in events], field_name="key") if events else {}
    for event in events:
        account = accounts[event.account]
        what = f"Event of {account.name}"
        yield Match("metering_usageevent", event.pk, event.event_id, what, "bolt", account.pk, account.name)


def _catalogue(term: str) -> Iterator[Match]:
    for book in PriceBook.objects.filter(name__icontains=term).order_by("name")[:MOST]:
        yield Match("pricing_pricebook", book.pk, book.name, "Price book", "menu_book")
    for meter in Meter.objects.filter(code__icontains=term).order_by("code")[:MOST]:
        yield Match("pricing_meter", meter.pk, meter.code, "Meter", "speed")
