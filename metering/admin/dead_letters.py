"""Events that wait for a price: why, for how long, and the step that charges them after the fix."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from metering.ingest.dead_letter_value import Worth, estimate_worth
from metering.ingest.dead_letters import replay_dead_letters
from metering.ingest.models import DeadLetter
from wallets.accounts.models import Account
from wallets.admin.action_page import ActionPage, Change, run_action_page
from wallets.admin.cells import id_cell, line_cell, link_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.clock import now

MOST_AT_ONCE: Final = 5_000


class WaitingFilter(admin.SimpleListFilter):
    """Waiting ones by default."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - Django's signature
        """The choices besides waiting."""
        return [("replayed", "Replayed"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        """Django names its default choice, the first, All; here it is Waiting."""
        choices = super().choices(changelist)
        yield {**next(choices), "display": "Waiting"}
        yield from choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:  # noqa: ARG002
        """The letters of the choice."""
        if self.value() == "all":
            return queryset
        return queryset.filter(replayed_at__isnull=self.value() != "replayed")


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    """Unrated events: found by account key or event id; replayed singly, by selection, or all that wait."""

    list_display = (
        "event_column", "account_column", "worth_column", "reason", "detail", "parked_at", "attempts", "replayed_at",
    )  # fmt: skip
    list_display_links = None
    list_select_related = ("event", "account")
    list_filter = (WaitingFilter, "reason")
    search_fields = ("account__key__exact", "event__event_id__exact")
    search_help_text = "Account key or event id"
    ordering = ("-parked_at", "-id")
    actions = ("replay_selected",)

    @display(description="Event")
    def event_column(self, letter: DeadLetter) -> SafeString:
        """Its id, which opens its explanation."""
        return link_cell("metering_usageevent", letter.event_id, id_cell(letter.event.event_id))

    @display(description="Account")
    def account_column(self, letter: DeadLetter) -> str:
        """Who used it."""
        return letter.account.key

    @display(description="Worth about")
    def worth_column(self, letter: DeadLetter) -> SafeString | str:
        """What it would cost at today's price, or events of its type came to lately."""
        worth: Worth | None = getattr(letter, "worth", None)
        if worth is None:
            return "unknown"
        return format_html("{}{}", line_cell(worth.amount, worth.currency), " on average" if worth.by == "mean" else "")

    def get_urls(self) -> list[URLPattern]:
        """The action's page."""
        return [*self.action_urls(("replay/", self.replay_view, "replay")), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Replaying is for those who may."""
        actions = super().get_actions(request)
        return actions if self.allows(request, "change") else {}

    @admin.action(description="Replay selected events")
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse:  # noqa: ARG002
        """Ask before replaying."""
        ids = ",".join(map(str, queryset.order_by("id").values_list("pk", flat=True)[:MOST_AT_ONCE]))
        return HttpResponseRedirect(f"{reverse('admin:metering_deadletter_replay')}?ids={ids}")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to replay all that wait."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data is not None and "cl" in response.context_data:
            letters = list(response.context_data["cl"].result_list)
            response.context_data["cl"].result_list = letters
            worth = estimate_worth(letters, at=now())
            for letter in letters:
                letter.worth = worth.get(letter.pk)
        if isinstance(response, TemplateResponse) and response.context_data is not None and self.allows(request, "change"):
            link = reverse("admin:metering_deadletter_replay")
            response.context_data["actions_list"] = [
                {"title": "Replay all waiting", "path": link, "icon": "replay", "variant": "primary", "attrs": {}}
            ]
        return response

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:  # noqa: ARG002 - as declared
        """Its explanation says why it waits."""
        letter = DeadLetter.objects.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        if letter is None:
            return None
        return HttpResponseRedirect(reverse("admin:metering_usageevent_change", args=[letter.event_id]))

    def replay_view(self, request: HttpRequest) -> HttpResponse:
        """Charge waiting events with the prices there are now."""
        if not self.allows(request, "change"):
            raise PermissionDenied
        asked = [int(part) for part in request.GET.get("ids", "").split(",") if part.isdecimal()]
        waiting = DeadLetter.objects.filter(replayed_at__isnull=True)
        if asked:
            waiting = waiting.filter(pk__in=asked)
        ids = list(waiting.order_by("id").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        more = len(ids) > MOST_AT_ONCE
        ids = ids[:MOST_AT_ONCE]

        def perform(answers: dict[str, Any]) -> str:  # noqa: ARG001 - nothing is asked
            at = now()
            replay_dead_letters(ids=ids, at=at)
            left = DeadLetter.objects.filter(pk__in=ids, replayed_at__isnull=True).count()
            return f"{len(ids) - left:,} charged, {left:,} still wait."

        def preview(answers: dict[str, Any]) -> list[Change]:  # noqa: ARG001 - nothing is asked
            accounts = Account.objects.filter(pk__in=DeadLetter.objects.filter(pk__in=ids).values("account_id")).count()
            return [
                Change("Events", f"{len(ids):,} waiting", "rated again"),
                Change("Accounts", f"{accounts:,}", "charged"),
            ]

        page = ActionPage(
            "Replay unrated events", "Replay", Form, reverse("admin:metering_deadletter_changelist"), perform, preview,
            warning="Each is charged once, with the price in force at its own time."
            + (f" The oldest {MOST_AT_ONCE:,} go first; come back for the rest." if more else ""),
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, None))
