"""The vendor's own recipients: who in finance is told by mail, of what and when."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import BooleanField, CharField, ChoiceField, EmailField, Form, MultipleChoiceField, TimeField, TimeInput
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from unfold.decorators import display
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from notifications.alerts.models import Recipient
from notifications.alerts.recipients import RecipientTerms, add_recipient, change_recipient, remove_recipient
from notifications.channels.topics import MAY_DECLINE, TOPICS
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.clock import now


def _clock(**options: Any) -> TimeField:
    return TimeField(
        required=False, widget=TimeInput(attrs={"type": "time", "class": " ".join(INPUT_CLASSES)}, format="%H:%M"), **options
    )


class TermsForm(Form):
    """How somebody is told."""

    language = ChoiceField(choices=settings.LANGUAGES, widget=UnfoldAdminSelectWidget)
    time_zone = CharField(max_length=64, initial="UTC", widget=UnfoldAdminTextInputWidget)
    topics = MultipleChoiceField(
        choices=[(name, TOPICS[name].says) for name in MAY_DECLINE], required=False, label="Told of",
        widget=UnfoldAdminCheckboxSelectMultipleWidget, help_text="None: everything. What is mandatory is always told.",
    )  # fmt: skip
    quiet_from = _clock(help_text="What can wait waits until the end.")
    quiet_until = _clock()
    digest = BooleanField(
        required=False, widget=UnfoldBooleanWidget, label="Once a day", help_text="What can wait, in one mail."
    )


class AddForm(TermsForm):
    """Who, and how."""

    email = EmailField(max_length=254, widget=UnfoldAdminEmailInputWidget)
    field_order = ("email", "language", "time_zone", "topics", "quiet_from", "quiet_until", "digest")


@admin.register(Recipient)
class FinanceRecipientAdmin(ReadOnlyAdmin):
    """Who in finance is told. Customers' own recipients are theirs, on their page."""

    list_display = ("email", "language", "time_zone", "told_column", "waits_column", "state_column")
    ordering = ("email", "id")
    search_fields = ("email__icontains",)
    search_help_text = "E-mail"
    fields = (
        "email", "language", "time_zone", "told_column", "waits_column", "unsubscribed", "bounced_at", "complained_at",
        "created_at",
    )  # fmt: skip
    readonly_fields = ("told_column", "waits_column")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recipient]:
        """Of no account."""
        rows: QuerySet[Recipient] = super().get_queryset(request)
        return rows.filter(account__isnull=True)

    @display(description="Told of")
    def told_column(self, recipient: Recipient) -> str:
        """In words."""
        return "; ".join(TOPICS[name].says for name in recipient.topics if name in TOPICS) or "everything"

    @display(description="Waits")
    def waits_column(self, recipient: Recipient) -> str:
        """Quiet hours and digest."""
        quiet = f"quiet {recipient.quiet_from:%H:%M} to {recipient.quiet_until:%H:%M}" if recipient.quiet_from else ""
        return ", ".join(part for part in (quiet, "once a day" if recipient.digest else "") if part) or "no"

    @display(description="State", label={"told": "success", "mailbox does not exist": "danger", "complained": "warning"})
    def state_column(self, recipient: Recipient) -> str:
        """Does mail arrive?"""
        return "mailbox does not exist" if recipient.bounced_at else "complained" if recipient.complained_at else "told"

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        own = self.action_urls(
            ("make/", self.make_view, "make"), ("<int:pk>/terms/", self.terms_view, "terms"),
            ("<int:pk>/remove/", self.remove_view, "remove"),
        )  # fmt: skip
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to add somebody."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data is not None and self.allows(request, "add"):
            response.context_data["actions_list"] = [_button("Tell somebody", "make", "person_add", variant="primary")]
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A recipient, with what can be done."""
        response = super().change_view(request, object_id, form_url, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data is not None and self.allows(request, "change"):
            pk = int(object_id)
            response.context_data["actions_detail"] = [
                _button("Change", "terms", "tune", pk), _button("Remove", "remove", "person_remove", pk, variant="danger"),
            ]  # fmt: skip
        return response

    def make_view(self, request: HttpRequest) -> HttpResponse:
        """Tell somebody more."""
        if not self.allows(request, "add"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> str:
            recipient = add_recipient(account=None, terms=RecipientTerms(**answers), at=now())
            self.log_addition(request, recipient, "Told from now on")
            return f"{recipient.email} is told from now on."

        page = ActionPage("Tell somebody in finance", "Tell", AddForm, _list(), perform)
        return run_action_page(request, page, self.page_context(request, None))

    def terms_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Tell them differently."""
        recipient = self._changeable(request, pk)
        names = ("language", "time_zone", "topics", "quiet_from", "quiet_until", "digest")

        def perform(answers: dict[str, Any]) -> str:
            change_recipient(recipient=recipient, terms=RecipientTerms(email=recipient.email, **answers))
            self.log_change(request, recipient, "Told differently")
            return f"{recipient.email} is told like this now."

        page = ActionPage(
            f"How {recipient.email} is told", "Save", TermsForm, _list(), perform,
            initial={name: getattr(recipient, name) for name in names},
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, recipient))

    def remove_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Tell them nothing more."""
        recipient = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            self.log_change(request, recipient, f"Removed: {answers['reason']}")
            remove_recipient(recipient=recipient)
            return f"{recipient.email} is told no more."

        page = ActionPage(
            f"Remove {recipient.email}", "Remove", ReasonForm, _list(), perform, lambda _: [Change("Told", "yes", "no")],
            warning="What waits for it is not sent.", danger=True,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, recipient))

    def _changeable(self, request: HttpRequest, pk: int) -> Recipient:
        recipient = Recipient.objects.filter(pk=pk, account__isnull=True).first()
        if recipient is None:
            raise Http404
        if not self.allows(request, "change"):
            raise PermissionDenied
        return recipient


def _list() -> str:
    return reverse("admin:notifications_recipient_changelist")


def _button(title: str, name: str, icon: str, *args: int, variant: str = "default") -> dict[str, Any]:
    link = reverse(f"admin:notifications_recipient_{name}", args=args)
    return {"title": title, "path": link, "icon": icon, "variant": variant, "attrs": {}}
