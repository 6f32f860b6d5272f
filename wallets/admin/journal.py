"""The journal, to look at: entries and their postings as debit and credit, the hash and what it follows (I7)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import DecimalField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from unfold.decorators import display

from wallets.accounts.models import Account
from wallets.admin.cells import id_cell, line_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.amount_text import decimals_of
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.ledger.chart import wallet_side_kinds
from wallets.ledger.history import entry_label
from wallets.ledger.models import JournalEntry, LedgerAccount, Posting
from wallets.money import ZERO

MOST_DIGITS_OF_AN_ID = 18


@dataclass(frozen=True, slots=True)
class PostingRow:
    """One line of an entry: debit or credit, never both."""

    line: int
    name: str
    kind: str
    qualifier: str
    lot_pk: int | None
    lot: str
    debit: Decimal | None
    credit: Decimal | None


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    """Entries: found by id, wallet id or account key."""

    list_display = (
        "id_column", "at", "kind_column", "account_column", "change_column", "balance_column", "reason",
    )  # fmt: skip
    list_display_links = ("id_column", "at")
    list_select_related = ("wallet__account",)
    list_filter = ("kind",)
    search_fields = ("id",)
    search_help_text = "Entry number, wallet id or account key"
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[JournalEntry]:
        """Entries with what each did to its balance."""
        wallet_side = (
            Posting.objects.filter(entry_id=OuterRef("pk"), ledger_account__kind__in=wallet_side_kinds())
            .values("entry_id")
            .annotate(total=Sum("amount"))
            .values("total")
        )
        amount = DecimalField(max_digits=30, decimal_places=12)
        change = Coalesce(Subquery(wallet_side, output_field=amount), Value(ZERO), output_field=amount)
        entries: QuerySet[JournalEntry] = super().get_queryset(request).defer("hash")
        return entries.annotate(change_of_balance=change)

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        queryset: QuerySet[JournalEntry],
        search_term: str,
    ) -> tuple[QuerySet[JournalEntry], bool]:
        """By what an index can find: a number, a wallet, an account."""
        term = search_term.strip().removeprefix("ent_")
        if not term:
            return queryset, False
        if term.isascii() and term.isdecimal() and len(term) <= MOST_DIGITS_OF_AN_ID:
            return queryset.filter(pk=int(term)), False
        wallets = Wallet.objects.filter(public_id=term).values_list("pk", flat=True)
        accounts = Account.objects.filter(key=term).values_list("pk", flat=True)
        of_accounts = Wallet.objects.filter(account_id__in=list(accounts)).values_list("pk", flat=True)
        return queryset.filter(wallet_id__in=[*wallets, *of_accounts]), False

    @display(description="Entry", ordering="id")
    def id_column(self, entry: JournalEntry) -> SafeString:
        """Its number."""
        return id_cell(str(entry.pk))

    @display(description="What")
    def kind_column(self, entry: JournalEntry) -> str:
        """What happened."""
        return entry_label(entry.kind)

    @display(description="Account")
    def account_column(self, entry: JournalEntry) -> str:
        """Whose wallet."""
        return entry.wallet.account.name

    @display(description="Change")
    def change_column(self, entry: JournalEntry) -> SafeString:
        """What it did to the balance."""
        return line_cell(entry.change_of_balance, entry.currency)  # type: ignore[attr-defined]

    @display(description="Balance after")
    def balance_column(self, entry: JournalEntry) -> SafeString:
        """What was left."""
        return line_cell(entry.balance_after, entry.currency)

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """One entry with its postings."""
        known = str(object_id).isdecimal() and len(str(object_id)) <= MOST_DIGITS_OF_AN_ID
        entries = JournalEntry.objects.select_related("wallet__account")
        entry = entries.filter(pk=int(object_id)).first() if known else None
        if entry is None:
            raise Http404
        rows = posting_rows(entry)
        before = JournalEntry.objects.filter(wallet_id=entry.wallet_id, wallet_version=entry.wallet_version - 1).first()
        context = self.page_context(
            request,
            entry,
            entry=entry,
            label=entry_label(entry.kind),
            rows=rows,
            places=max((decimals_of(row.debit or row.credit or ZERO, entry.currency) for row in rows), default=2),
            total=sum((row.debit for row in rows if row.debit), ZERO),
            change=sum((row.credit or -(row.debit or ZERO) for row in rows if row.kind in wallet_side_kinds()), ZERO),
            hash=bytes(entry.hash).hex(),
            before=before,
            before_hash=bytes(before.hash).hex() if before else "",
            after=JournalEntry.objects.filter(wallet_id=entry.wallet_id, wallet_version=entry.wallet_version + 1).first(),
            reversed_by=JournalEntry.objects.filter(reverses_id=entry.pk).first(),
        )
        return TemplateResponse(request, "admin/journal_entry_page.html", context)


def posting_rows(entry: JournalEntry) -> list[PostingRow]:
    """The postings of an entry, as debit and credit. Two queries."""
    postings = list(Posting.objects.filter(entry_id=entry.pk).select_related("ledger_account").order_by("line"))
    lots = dict(
        CreditLot.objects.filter(pk__in={posting.lot_id for posting in postings if posting.lot_id}).values_list(
            "pk", "public_id"
        )
    )
    return [
        PostingRow(
            line=posting.line,
            name=posting.ledger_account.get_kind_display(),
            kind=posting.ledger_account.kind,
            qualifier=posting.ledger_account.qualifier,
            lot_pk=posting.lot_id,
            lot=lots.get(posting.lot_id or 0, ""),
            debit=-posting.amount if posting.amount < 0 else None,
            credit=posting.amount if posting.amount > 0 else None,
        )
        for posting in postings
    ]


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    """The chart of accounts in use."""

    list_display = ("kind", "qualifier", "currency")
    list_filter = ("kind",)
    search_fields = ("qualifier",)
    ordering = ("kind", "qualifier", "currency", "id")
    paginator = Paginator
    show_full_result_count = True
