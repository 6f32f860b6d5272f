"""The wallet page: what is available and why, lot by lot, entry by entry; and what finance may do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.cells import headline_cell, id_cell, optional_cell
from wallets.admin.grant_form import GrantForm
from wallets.admin.policy_pages import wallet_policy_page
from wallets.admin.read_only import ReadOnlyAdmin, moves_money
from wallets.admin.recharge_card import RechargeCard, read_recharge_card
from wallets.admin.threshold_pages import threshold_words, wallet_thresholds_page
from wallets.amount_text import headline_text, places_of
from wallets.approvals.limits import note_moved_alone
from wallets.balances.freeze import freeze_wallet, thaw_wallet
from wallets.balances.held import without_lapsed
from wallets.balances.models import ThresholdCrossing, Wallet
from wallets.clock import now
from wallets.credit.grant import grant_credit
from wallets.credit.lot_rows import KindTotal, LotRow, credit_by_kind, finished_lots, lots_in_burn_order
from wallets.credit.models import CreditLot
from wallets.credit.void import void_lot
from wallets.holds.find import open_holds_of
from wallets.holds.models import Hold
from wallets.ledger.history import HistoryLine, balance_steps, history_of
from wallets.money import ZERO

LOTS_SHOWN: Final = 100
FINISHED_SHOWN: Final = 10
ENTRIES_SHOWN: Final = 20
STEPS_SHOWN: Final = 300
CROSSINGS_SHOWN: Final = 10
HOLDS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class WalletPage:
    """Everything the page shows, as values."""

    pk: int
    public_id: str
    name: str
    currency: str
    status: str
    is_default: bool
    account_pk: int
    account_key: str
    account_name: str
    account_status: str
    available: Decimal
    balance: Decimal
    held: Decimal
    overdraft: Decimal
    on_empty: str
    grace_limit: Decimal
    throttle_per_minute: int
    version: int
    head_hash: str
    thresholds: str
    reference_balance: Decimal
    let_through: str
    opened_at: datetime
    as_of: datetime
    kinds: list[KindTotal]
    lots: list[LotRow]
    finished: list[LotRow]
    entries: list[HistoryLine]
    steps: list[tuple[datetime, Decimal]]
    holds: list[Hold]
    crossings: list[ThresholdCrossing]
    recharge: RechargeCard

    @property
    def places(self) -> int:
        """Decimals of the ledger's column of changes."""
        return places_of((entry.change for entry in self.entries), self.currency)

    @property
    def is_frozen(self) -> bool:
        """Frozen wallets keep their credit and are not charged."""
        return self.status == Wallet.Status.FROZEN

    @property
    def is_closed(self) -> bool:
        """Closed wallets are history."""
        return self.status == Wallet.Status.CLOSED


class HoldsFilter(admin.SimpleListFilter):
    """Wallets by what they hold."""

    title = "holds"
    parameter_name = "holds"
    CHOICES = {"credit": "Credit", "nothing": "Nothing", "overdraft": "Overdraft"}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - Django's signature
        """The choices."""
        return list(self.CHOICES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Wallet]) -> QuerySet[Wallet]:  # noqa: ARG002
        """The wallets of the choice."""
        match self.value():
            case "credit":
                return queryset.filter(balance__gt=F("held"))
            case "nothing":
                return queryset.filter(balance__lte=F("held"), overdraft=0)
            case "overdraft":
                return queryset.filter(overdraft__gt=0)
        return queryset


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    """Wallets: found by id or account key."""

    list_display = (
        "account_column", "id_column", "status_column", "available_column", "held_column", "overdraft_column", "opened_at",
    )  # fmt: skip
    list_display_links = ("account_column", "id_column")
    list_select_related = ("account",)
    list_filter = ("status", HoldsFilter)
    search_fields = ("public_id__exact", "account__key__exact", "account__name__icontains")
    search_help_text = "Wallet id, account key or name"
    ordering = ("-id",)

    @display(description="Account", ordering="account__name")
    def account_column(self, wallet: Wallet) -> str:
        """Whose it is."""
        return f"{wallet.account.name}{f' · {wallet.name}' if wallet.name else ''}"

    @display(description="Wallet", ordering="public_id")
    def id_column(self, wallet: Wallet) -> SafeString:
        """Its public id."""
        return id_cell(wallet.public_id)

    @display(description="Status", ordering="status", label={"ACTIVE": "success", "FROZEN": "info", "CLOSED": None})
    def status_column(self, wallet: Wallet) -> str:
        """May it be charged?"""
        return wallet.status

    @display(description="Available", ordering=F("balance") - F("held"))
    def available_column(self, wallet: Wallet) -> SafeString:
        """Balance less holds."""
        return headline_cell(wallet.available, wallet.currency)

    @display(description="Held", ordering="held")
    def held_column(self, wallet: Wallet) -> SafeString:
        """Set aside for work in flight."""
        return optional_cell(wallet.held, wallet.currency)

    @display(description="Overdraft", ordering="overdraft")
    def overdraft_column(self, wallet: Wallet) -> SafeString:
        """Owed to us."""
        return optional_cell(wallet.overdraft, wallet.currency)

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        own = self.action_urls(
            ("<int:pk>/grant-credit/", self.grant_credit_view, "grant_credit"),
            ("<int:pk>/policy/", self.policy_view, "policy"),
            ("<int:pk>/thresholds/", self.thresholds_view, "thresholds"),
            ("<int:pk>/freeze/", self.freeze_view, "freeze"),
            ("<int:pk>/thaw/", self.thaw_view, "thaw"),
            ("<int:pk>/lots/<int:lot_pk>/void/", self.void_lot_view, "void_lot"),
        )
        return own + super().get_urls()

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """The wallet page."""
        wallet = self._wallet(object_id)
        at = now()
        page = read_wallet_page(wallet, at=at)
        context = self.page_context(
            request,
            wallet,
            wallet=page,
            actions_detail=self._buttons(request, page),
            may_void=self.allows_lot(request, "change"),
            largest_kind=max((kind.remaining for kind in page.kinds), default=ZERO),
        )
        return TemplateResponse(request, "admin/wallet_page.html", context)

    @moves_money
    def grant_credit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Grant credit to a wallet."""
        wallet = self._wallet(pk)
        if not self.allows_lot(request, "add"):
            raise PermissionDenied

        def preview(answers: dict[str, Any]) -> list[Change]:
            return _balance_after(wallet, answers["amount"])

        def perform(answers: dict[str, Any]) -> str:
            at = now()
            lot = grant_credit(
                wallet_id=wallet.pk,
                amount=answers["amount"],
                kind=answers["kind"],
                at=at,
                price_paid=answers["price_paid"] if answers["kind"] == CreditLot.Kind.PAID else None,
                priority=answers["priority"],
                expires_at=_end_of(answers["valid_through"], wallet.account.time_zone),
                reason=answers["reason"],
                source="back office",
                actor=request.user.get_username(),
            )
            note_moved_alone(
                user=request.user, amount=lot.amount, currency=wallet.currency, kind="grant", subject=lot.public_id, at=at,  # type: ignore[arg-type]
                instead="Use Adjust: a second person approves it there.",
            )  # fmt: skip
            return f"{headline_text(answers['amount'], wallet.currency)} granted as lot {lot.public_id}."

        page = ActionPage("Grant credit", "Grant credit", GrantForm, _page_of(wallet), perform, preview)
        return run_action_page(request, page, self.page_context(request, wallet))

    def policy_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change what the gate does when the wallet is empty."""
        wallet = self._changeable(request, pk)
        page = wallet_policy_page(wallet, back=_page_of(wallet), tell=lambda text: self.log_change(request, wallet, text))
        return run_action_page(request, page, self.page_context(request, wallet))

    def thresholds_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change what the wallet is watched for."""
        wallet = self._changeable(request, pk)
        page = wallet_thresholds_page(wallet, back=_page_of(wallet), tell=lambda text: self.log_change(request, wallet, text))
        return run_action_page(request, page, self.page_context(request, wallet))

    def freeze_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop a wallet from being spent."""
        wallet = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            freeze_wallet(wallet_id=wallet.pk, at=now())
            self.log_change(request, wallet, f"Frozen: {answers['reason']}")
            return "The wallet is frozen: the gate refuses its calls until it is thawed."

        page = ActionPage(
            "Freeze wallet", "Freeze wallet", ReasonForm, _page_of(wallet), perform,
            lambda _: [Change("Status", wallet.status, Wallet.Status.FROZEN.value), *_balance_after(wallet, ZERO)],
            warning="The gate refuses every call of this wallet from now on. Its credit stays.", danger=True,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, wallet))

    def thaw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let a frozen wallet be spent again."""
        wallet = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            thaw_wallet(wallet_id=wallet.pk, at=now())
            self.log_change(request, wallet, f"Thawed: {answers['reason']}")
            return "The wallet is active again."

        page = ActionPage(
            "Thaw wallet", "Thaw wallet", ReasonForm, _page_of(wallet), perform,
            lambda _: [Change("Status", wallet.status, Wallet.Status.ACTIVE.value), *_balance_after(wallet, ZERO)],
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, wallet))

    @moves_money
    def void_lot_view(self, request: HttpRequest, pk: int, lot_pk: int) -> HttpResponse:
        """Take back what a lot still holds."""
        wallet = self._wallet(pk)
        if not self.allows_lot(request, "change"):
            raise PermissionDenied
        lot = CreditLot.objects.filter(pk=lot_pk, wallet=wallet).first()
        if lot is None:
            raise Http404

        def perform(answers: dict[str, Any]) -> str:
            void_lot(lot_public_id=lot.public_id, at=now(), reason=answers["reason"], actor=request.user.get_username())
            return f"Lot {lot.public_id} is voided."

        page = ActionPage(
            f"Void lot {lot.public_id}", "Void lot", ReasonForm, _page_of(wallet), perform,
            lambda _: [
                Change("Left in the lot", lot.remaining, ZERO, wallet.currency),
                *_balance_after(wallet, -lot.remaining),
            ],
            warning="What the lot still holds is taken back. This cannot be undone; grant new credit instead.", danger=True,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, wallet))

    def allows_lot(self, request: HttpRequest, verb: str) -> bool:
        """May this person `add` or `change` lots?"""
        return bool(request.user.has_perm(f"wallets.{verb}_creditlot"))

    def _wallet(self, pk: int | str) -> Wallet:
        wallet = Wallet.objects.select_related("account").filter(pk=pk).first() if str(pk).isdecimal() else None
        if wallet is None:
            raise Http404
        return wallet

    def _changeable(self, request: HttpRequest, pk: int) -> Wallet:
        wallet = self._wallet(pk)
        if not self.allows(request, "change"):
            raise PermissionDenied
        return wallet

    def _buttons(self, request: HttpRequest, page: WalletPage) -> list[dict[str, Any]]:
        """The actions this person may take on this wallet now, in the form of Unfold's header."""
        buttons: list[tuple[str, str, str, str]] = []
        if self.allows(request, "change") and not page.is_closed:
            frozen = page.is_frozen
            buttons.append(("Policy", "wallet_policy", "tune", "default"))
            buttons.append(("Thresholds", "wallet_thresholds", "notifications", "default"))
            buttons.append(("Thaw" if frozen else "Freeze", "wallet_thaw" if frozen else "wallet_freeze", "ac_unit", "default"))
        if self.allows_lot(request, "add") and not page.is_closed:
            buttons.append(("Grant credit", "wallet_grant_credit", "add", "primary"))
        if request.user.has_perm("wallets.add_adjustment") and not page.is_closed:
            buttons.append(("Adjust", "adjustment_adjust", "exposure", "default"))
        if request.user.has_perm("wallets.add_topup") and not page.is_closed:
            buttons.append(("Expect wire", "bankline_expect", "account_balance", "default"))
        return [
            {
                "title": title,
                "path": reverse(f"admin:wallets_{name}", args=[page.pk]),
                "icon": icon,
                "variant": variant,
                "attrs": {},
            }
            for title, name, icon, variant in buttons
        ]


def read_wallet_page(wallet: Wallet, *, at: datetime) -> WalletPage:
    """The page of a wallet (its account selected along): eleven queries, whatever it holds."""
    without_lapsed([wallet], at=at)
    return WalletPage(
        pk=wallet.pk,
        public_id=wallet.public_id,
        name=wallet.name,
        currency=wallet.currency,
        status=wallet.status,
        is_default=wallet.is_default,
        account_pk=wallet.account.pk,
        account_key=wallet.account.key,
        account_name=wallet.account.name,
        account_status=wallet.account.status,
        available=wallet.available,
        balance=wallet.balance,
        held=wallet.held,
        overdraft=wallet.overdraft,
        on_empty=wallet.on_empty,
        grace_limit=wallet.grace_limit,
        throttle_per_minute=wallet.throttle_per_minute,
        version=wallet.version,
        head_hash=bytes(wallet.head_hash).hex(),
        thresholds=threshold_words(wallet),
        reference_balance=wallet.reference_balance if wallet.own_reference is None else wallet.own_reference,
        let_through=wallet.let_through,
        opened_at=wallet.opened_at,
        as_of=at,
        kinds=credit_by_kind(wallet_id=wallet.pk),
        lots=lots_in_burn_order(wallet_id=wallet.pk, at=at, limit=LOTS_SHOWN),
        finished=finished_lots(wallet_id=wallet.pk, at=at, limit=FINISHED_SHOWN),
        entries=history_of(wallet_id=wallet.pk, limit=ENTRIES_SHOWN),
        steps=balance_steps(wallet_id=wallet.pk, limit=STEPS_SHOWN),
        holds=open_holds_of(wallet_id=wallet.pk, at=at, limit=HOLDS_SHOWN),
        crossings=list(ThresholdCrossing.objects.filter(wallet_id=wallet.pk).order_by("-number")[:CROSSINGS_SHOWN]),
        recharge=read_recharge_card(wallet),
    )


def _page_of(wallet: Wallet) -> str:
    return reverse("admin:wallets_wallet_change", args=[wallet.pk])


def _balance_after(wallet: Wallet, change: Decimal) -> list[Change]:
    """Balance and available before and after a change."""
    return [
        Change("Balance", wallet.balance, wallet.balance + change, wallet.currency),
        Change("Available", wallet.available, wallet.available + change, wallet.currency),
    ]


def _end_of(last_day: Any, zone: str) -> datetime | None:
    """The moment after the last day, in the account's zone."""
    if last_day is None:
        return None
    return datetime.combine(last_day + timedelta(days=1), time.min, tzinfo=ZoneInfo(zone))
