"""Vouchers and credit products: what is given and sold, who redeemed, which codes were tried."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from pricing.admin.deal_forms import ProductForm, product_terms
from pricing.admin.deals import MadeByForm, with_buttons
from pricing.admin.plan_forms import VoucherForm
from pricing.admin.plans import button
from pricing.credit_products.define import archive_product, define_product
from pricing.credit_products.issue import VoucherTerms, issue_vouchers, stop_vouchers
from pricing.credit_products.models import CreditProduct, VoucherAttempt, VoucherBatch, VoucherCode, VoucherRedemption
from pricing.credit_products.redeem import TooManyAttempts, VoucherUnknown
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.cells import line_cell, link_cell
from wallets.admin.read_only import ReadOnlyAdmin, moves_money
from wallets.clock import now
from wallets.money import ZERO

REDEMPTIONS_SHOWN: Final = 50


@admin.register(VoucherBatch)
class VoucherBatchAdmin(ReadOnlyAdmin):
    """Batches of vouchers, newest first."""

    list_display = ("name", "worth_column", "codes_column", "used_column", "redeem_until", "status_column", "created_at")
    list_filter = ("kind",)
    search_fields = ("name__icontains", "public_id__exact")
    search_help_text = "Name or id"
    ordering = ("-id",)
    paginator = Paginator
    show_full_result_count = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[VoucherBatch]:
        """Batches with their codes and redemptions counted."""
        batches: QuerySet[VoucherBatch] = super().get_queryset(request)
        return batches.annotate(code_count=Count("codes", distinct=True), redeemed=Count("redemptions", distinct=True))

    @display(description="Worth", ordering="amount")
    def worth_column(self, batch: VoucherBatch) -> SafeString:
        """Of each redemption."""
        return line_cell(batch.amount, batch.currency)

    @display(description="Codes")
    def codes_column(self, batch: VoucherBatch) -> int:
        """How many there are."""
        return int(batch.code_count)  # type: ignore[attr-defined]

    @display(description="Redeemed")
    def used_column(self, batch: VoucherBatch) -> int:
        """How often."""
        return int(batch.redeemed)  # type: ignore[attr-defined]

    @display(description="Status", label={"open": "success", "stopped": "danger", "ended": None, "to come": "info"})
    def status_column(self, batch: VoucherBatch) -> str:
        """Can it be redeemed?"""
        return batch_status(batch, at=now())

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        own = self.action_urls(("issue/", self.issue_view, "issue"), ("<int:pk>/stop/", self.stop_view, "stop"))
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to issue vouchers."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data is not None and self.allows(request, "add"):
            response.context_data["actions_list"] = [button("Issue vouchers", "voucherbatch_issue", "add", variant="primary")]
        return response

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """A batch: what it is worth, what was redeemed by whom."""
        batch = self._batch(object_id)
        redemptions = VoucherRedemption.objects.filter(batch=batch).select_related("account", "code", "lot").order_by("-id")
        used = redemptions.count()
        status = batch_status(batch, at=now())
        may_stop = batch.stopped_at is None and self.allows(request, "change")
        uses = list(VoucherCode.objects.filter(batch=batch).values_list("uses", flat=True))
        context = self.page_context(
            request,
            batch,
            batch=batch,
            status=status,
            used=used,
            uses=sum(uses),
            codes=len(uses),
            given=batch.amount * used,
            redemptions=list(redemptions[:REDEMPTIONS_SHOWN]),
            actions_detail=[button("Stop", "voucherbatch_stop", "block", batch.pk, variant="danger")] if may_stop else [],
        )
        return TemplateResponse(request, "admin/voucher_batch_page.html", context)

    @moves_money
    def issue_view(self, request: HttpRequest) -> HttpResponse:
        """Issue vouchers and show their codes once."""
        if not self.allows(request, "add"):
            raise PermissionDenied
        context = self.page_context(request, None)

        def preview(answers: dict[str, Any]) -> list[Change]:
            most = answers["amount"] * answers["count"] * answers["uses"]
            return [Change("At most given, if all are redeemed", ZERO, most, answers["currency"])]

        def perform(answers: dict[str, Any]) -> HttpResponse:
            terms = VoucherTerms(
                name=answers["name"],
                currency=answers["currency"],
                amount=answers["amount"],
                kind=answers["kind"],
                validity_days=answers["validity_days"],
                redeem_until=_day_after(answers["redeem_through"]),
                uses=answers["uses"],
                per_account=answers["per_account"],
            )
            issued = issue_vouchers(
                terms=terms, count=answers["count"], code=answers["code"], at=now(), actor=request.user.get_username()
            )
            self.log_addition(request, issued.batch, f"Issued: {answers['reason']}")
            shown = {**context, "title": "Vouchers issued", "batch": issued.batch, "codes": issued.codes}
            response = TemplateResponse(request, "admin/vouchers_issued.html", shown)
            response["Cache-Control"] = "no-store"
            return response.render()

        back = reverse("admin:pricing_voucherbatch_changelist")
        page = ActionPage(
            "Issue vouchers", "Issue vouchers", VoucherForm, back, perform, preview,
            warning="The codes are shown once; only their hashes are kept.",
        )  # fmt: skip
        return run_action_page(request, page, context)

    def stop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let nothing more be redeemed."""
        batch = self._batch(pk)
        if not self.allows(request, "change"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> str:
            stop_vouchers(batch=batch, at=now())
            self.log_change(request, batch, f"Stopped: {answers['reason']}")
            return f"The vouchers {batch.name} are stopped."

        page = ActionPage(
            f"Stop {batch.name}", "Stop vouchers", ReasonForm, reverse("admin:pricing_voucherbatch_change", args=[pk]), perform,
            lambda _: [Change("Status", batch_status(batch, at=now()), "stopped")],
            warning="No code of it can be redeemed any more. Credit that was given stays.", danger=True,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, batch))

    def _batch(self, pk: int | str) -> VoucherBatch:
        batch = VoucherBatch.objects.filter(pk=pk).first() if str(pk).isdecimal() else None
        if batch is None:
            raise Http404
        return batch


class OutcomeFilter(admin.SimpleListFilter):
    """Attempts by what came of them; the choices are known, so the table is not gone over for them."""

    title = "outcome"
    parameter_name = "outcome"
    CHOICES: Final = {"redeemed": "Redeemed", VoucherUnknown.code: "Unknown code", TooManyAttempts.code: "Too many attempts"}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - Django's signature
        """The choices."""
        return list(self.CHOICES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[VoucherAttempt]) -> QuerySet[VoucherAttempt]:  # noqa: ARG002
        """The attempts of the choice."""
        return queryset.filter(outcome=self.value()) if self.value() in self.CHOICES else queryset


@admin.register(VoucherAttempt)
class VoucherAttemptAdmin(ReadOnlyAdmin):
    """Codes that were tried: who guesses."""

    list_display = ("account_column", "outcome_column", "at", "actor")
    list_display_links = None
    list_select_related = ("account",)
    list_filter = (OutcomeFilter,)
    search_fields = ("account__key__exact",)
    search_help_text = "Account key"
    ordering = ("-id",)

    @display(description="Account")
    def account_column(self, attempt: VoucherAttempt) -> SafeString:
        """Who."""
        return link_cell("wallets_account", attempt.account_id, attempt.account.name)

    @display(description="Outcome", label={"redeemed": "success", "voucher unknown": "warning", "too many attempts": "danger"})
    def outcome_column(self, attempt: VoucherAttempt) -> str:
        """What came of it."""
        return attempt.outcome.replace("_", " ") or "under way"


@admin.register(CreditProduct)
class CreditProductAdmin(MadeByForm):
    """Credit products on sale."""

    makes = ("Define product", "creditproduct_define", "add")

    list_display = ("name", "code", "sells_column", "price_column", "bought_column", "status_column")
    search_fields = ("name__icontains", "code__icontains", "public_id__exact")
    search_help_text = "Name, code or id"
    ordering = ("-id",)
    paginator = Paginator
    show_full_result_count = True
    fields = (
        "name", "code", "public_id", "sells_column", "price_column", "slabs_column", "validity_days", "meters", "priority",
        "created_at", "archived_at",
    )  # fmt: skip
    readonly_fields = ("sells_column", "price_column", "slabs_column")

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        own = self.action_urls(("define/", self.define_view, "define"), ("<int:pk>/archive/", self.archive_view, "archive"))
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The product, with the way to stop selling it."""
        on_sale = str(object_id).isdecimal() and CreditProduct.objects.filter(pk=object_id, archived_at__isnull=True).exists()
        stop = on_sale and self.allows(request, "change")
        buttons = [button("Archive", "creditproduct_archive", "inventory_2", int(object_id))] if stop else []
        return with_buttons(super().change_view(request, object_id, form_url, extra_context), buttons)

    def define_view(self, request: HttpRequest) -> HttpResponse:
        """Put a product on sale."""
        self._may_make(request)

        def perform(answers: dict[str, Any]) -> str:
            product = define_product(code=answers["code"], terms=product_terms(answers), at=now())
            return f"{product.name} is on sale."

        page = ActionPage(
            "Define credit product", "Define product", ProductForm, reverse("admin:pricing_creditproduct_changelist"), perform,
            warning="A product never changes; another offer is another product.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, None))

    def archive_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop selling a product."""
        product = CreditProduct.objects.filter(pk=pk).first()
        if product is None:
            raise Http404
        if not self.allows(request, "change"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> str:  # noqa: ARG001 - the reason goes to the audit log
            archive_product(product=product, at=now())
            return f"{product.name} is not sold any more."

        back = reverse("admin:pricing_creditproduct_changelist")
        page = ActionPage(
            f"Archive {product.name}", "Archive product", ReasonForm, back, perform,
            lambda _: [Change("Status", self.status_column(product), "archived")],
            warning="What was bought stays.", danger=True,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, product))

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditProduct]:
        """Products with how often they were bought."""
        products: QuerySet[CreditProduct] = super().get_queryset(request)
        return products.annotate(bought=Count("purchases"))

    @display(description="Sells")
    def sells_column(self, product: CreditProduct) -> SafeString | str:
        """So much credit."""
        if product.amount is None:
            return f"any amount in {product.currency}"
        amount = line_cell(product.amount, product.currency)
        return format_html("{} and {} on top", amount, line_cell(product.bonus, product.currency)) if product.bonus else amount

    @display(description="For")
    def price_column(self, product: CreditProduct) -> SafeString | str:
        """So much money."""
        if product.price is not None:
            return line_cell(product.price, product.price_currency)
        return f"{product.least:,.2f} to {product.most:,.2f} {product.price_currency}"

    @display(description="Bonus")
    def slabs_column(self, product: CreditProduct) -> str:
        """Its slabs."""
        slabs = product.slabs.order_by("from_amount")
        return ", ".join(f"from {slab.from_amount.normalize():,f}: {slab.percent.normalize():f} %" for slab in slabs) or "none"

    @display(description="Bought")
    def bought_column(self, product: CreditProduct) -> int:
        """How often."""
        return int(product.bought)  # type: ignore[attr-defined]

    @display(description="Status", ordering="archived_at", label={"on sale": "success", "archived": None})
    def status_column(self, product: CreditProduct) -> str:
        """Is it sold?"""
        return "archived" if product.archived_at else "on sale"


def batch_status(batch: VoucherBatch, *, at: datetime) -> str:
    """`open`, `to come`, `ended` or `stopped`."""
    if batch.stopped_at is not None:
        return "stopped"
    if at < batch.redeem_from:
        return "to come"
    return "ended" if batch.redeem_until is not None and at >= batch.redeem_until else "open"


def _day_after(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC)
