"""Rules at thresholds, edited by those who may, and what they did; alerts that wait for a recharge."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from notifications.alerts.models import HeldAlert
from notifications.rules.models import RuleAct, ThresholdRule
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.admin.rules_page import RulesAdmin


@admin.register(ThresholdRule)
class ThresholdRuleAdmin(RulesAdmin):
    """What is done when a wallet falls to a threshold. A rule that has acted is switched off, not deleted."""

    list_display = ("name", "threshold_column", "then", "account", "currency", "is_on")
    list_filter = ("is_on", "then")
    list_select_related = ("account",)
    search_fields = ("name", "account__key__exact")
    autocomplete_fields = ("account",)
    ordering = ("name", "id")

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody: what it did names it."""
        return False

    @display(description="At or below")
    def threshold_column(self, rule: ThresholdRule) -> str:
        """Where it stands."""
        return f"{rule.percent} %" if rule.amount is None else f"{rule.amount.normalize():f} {rule.currency}"


@admin.register(RuleAct)
class RuleActAdmin(ReadOnlyAdmin):
    """What rules did, newest first: found by account key or wallet id."""

    list_display = ("at", "rule_column", "account_column", "wallet_column", "then", "done_column", "lifted_at")
    list_filter = ("then", "done")
    list_select_related = ("rule", "wallet__account")
    search_fields = ("wallet__account__key__exact", "wallet__public_id__exact")
    search_help_text = "Account key or wallet id"
    ordering = ("-at", "-id")

    @display(description="Rule")
    def rule_column(self, act: RuleAct) -> str:
        """By which."""
        return act.rule.name

    @display(description="Account")
    def account_column(self, act: RuleAct) -> str:
        """Whose."""
        return act.wallet.account.name

    @display(description="Wallet")
    def wallet_column(self, act: RuleAct) -> str:
        """Which."""
        return act.wallet.public_id

    @display(description="Done", label={"done": "success"})
    def done_column(self, act: RuleAct) -> str:
        """Or why not."""
        return "done" if act.done else act.note


@admin.register(HeldAlert)
class HeldAlertAdmin(ReadOnlyAdmin):
    """Alerts that waited for a recharge, newest first: found by account key or wallet id."""

    list_display = ("held_at", "account_column", "wallet_column", "topic", "state_column", "ended_at")
    list_filter = ("state",)
    list_select_related = ("wallet__account",)
    search_fields = ("wallet__account__key__exact", "wallet__public_id__exact")
    search_help_text = "Account key or wallet id"
    ordering = ("-held_at", "-id")

    @display(description="Account")
    def account_column(self, held: HeldAlert) -> str:
        """Whose."""
        return held.wallet.account.name

    @display(description="Wallet")
    def wallet_column(self, held: HeldAlert) -> str:
        """Which."""
        return held.wallet.public_id

    @display(description="State", ordering="state", label={"HELD": "warning", "TOLD": "danger", "OVERTAKEN": "success"})
    def state_column(self, held: HeldAlert) -> str:
        """Waits; told, since no recharge came; or overtaken by it."""
        return held.state
