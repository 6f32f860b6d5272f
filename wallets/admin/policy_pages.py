"""Changing how calls are let through: a wallet's policy when it is empty, an account's when the stores are away, when work
costs more than its hold, and when the last units are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from django.forms import CharField, ChoiceField, DecimalField, IntegerField
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from wallets.accounts.models import Account
from wallets.accounts.policy import LONGEST_URL, AccountPolicy, set_account_policy
from wallets.admin.action_page import ActionPage, Change, ReasonForm
from wallets.balances.models import Wallet
from wallets.balances.policy import MAX_PER_MINUTE, set_policy
from wallets.clock import now
from wallets.money import DIGITS, SCALE, plain, to_scale

Tell = Callable[[str], object]
"""Notes a change, with its reason, in the record's history."""

WHEN_EMPTY: Final = {
    "block": "Block: refuse calls",
    "throttle": "Throttle: let some through a minute",
    "grace": "Grace: let through down to the limit",
}
ON_OUTAGE: Final = {"closed": "Closed: refuse calls", "open": "Open: let through up to the allowance"}
CAPTURE_ABOVE: Final = {
    "excess": "Excess: take the rest from what is available",
    "refuse": "Refuse: charge nothing, the hold stays",
    "cap": "Cap: the hold is all it costs, we bear the rest",
}
FINAL_UNITS: Final = {
    "terminate": "Terminate: end the service",
    "redirect": "Redirect: send the user to a page",
    "restrict": "Restrict: serve some meters only",
}
LABELS: Final = {
    "on_empty": WHEN_EMPTY,
    "on_outage": ON_OUTAGE,
    "capture_above": CAPTURE_ABOVE,
    "final_unit_action": FINAL_UNITS,
}


def _choice(labels: dict[str, str], label: str) -> ChoiceField:
    return ChoiceField(label=label, choices=list(labels.items()), widget=UnfoldAdminSelectWidget)


def _amount(label: str, help_text: str) -> DecimalField:
    return DecimalField(
        label=label, max_digits=DIGITS, decimal_places=SCALE, min_value=Decimal(0),
        widget=UnfoldAdminDecimalFieldWidget, help_text=help_text,
    )  # fmt: skip


class WalletPolicyForm(ReasonForm):
    """What the gate does when the wallet is empty."""

    field_order = ["on_empty", "grace_limit", "throttle_per_minute", "reason"]

    on_empty = _choice(WHEN_EMPTY, "When empty")
    grace_limit = _amount("Grace limit", "How far below zero grace goes. Holds that stand keep what they were promised.")
    throttle_per_minute = IntegerField(
        label="Calls a minute", min_value=1, max_value=MAX_PER_MINUTE, widget=UnfoldAdminIntegerFieldWidget,
        help_text="Let through when empty, with throttle.",
    )  # fmt: skip


class AccountPolicyForm(ReasonForm):
    """How the account's work is let through."""

    field_order = [
        "on_outage", "offline_allowance", "capture_above", "final_unit_action", "final_unit_url", "final_unit_meters", "reason",
    ]  # fmt: skip

    on_outage = _choice(ON_OUTAGE, "When the stores cannot be reached")
    offline_allowance = _amount("Offline allowance", "Let through then, with open, in the account's currency.")
    capture_above = _choice(CAPTURE_ABOVE, "When work costs more than its hold")
    final_unit_action = _choice(FINAL_UNITS, "When the last units are used")
    final_unit_url = CharField(
        label="Page to redirect to", max_length=LONGEST_URL, required=False, widget=UnfoldAdminTextInputWidget,
        help_text="Empty: the top-up page.",
    )  # fmt: skip
    final_unit_meters = CharField(
        label="Meters to restrict to", required=False, widget=UnfoldAdminTextInputWidget,
        help_text="Codes, parted by commas.",
    )  # fmt: skip

    def clean_final_unit_meters(self) -> list[str]:
        """The codes."""
        return [code.strip() for code in self.cleaned_data["final_unit_meters"].split(",") if code.strip()]


def wallet_policy_page(wallet: Wallet, *, back: str, tell: Tell) -> ActionPage:
    """Change what the gate does when a wallet is empty."""
    names = ("on_empty", "grace_limit", "throttle_per_minute")

    def perform(answers: dict[str, Any]) -> str:
        set_policy(wallet_id=wallet.pk, at=now(), **{name: answers[name] for name in names})
        tell(f"Policy changed: {answers['reason']}")
        return "The policy is changed; the gate knows it already."

    return ActionPage(
        "Change policy", "Change policy", WalletPolicyForm, back, perform,
        lambda answers: _changes(wallet, answers, WalletPolicyForm, names),
        initial={name: getattr(wallet, name) for name in names},
    )  # fmt: skip


def account_policy_page(account: Account, *, back: str, tell: Tell) -> ActionPage:
    """Change how an account's work is let through."""
    names = tuple(name for name in AccountPolicyForm.field_order if name != "reason")

    def perform(answers: dict[str, Any]) -> str:
        policy = AccountPolicy(**{name: answers[name] for name in names})
        set_account_policy(account=account, policy=policy, at=now())
        tell(f"Policy changed: {answers['reason']}")
        return "The policy is changed; the gate knows it already."

    initial = {name: getattr(account, name) for name in names}
    return ActionPage(
        "Change policy", "Change policy", AccountPolicyForm, back, perform,
        lambda answers: _changes(account, answers, AccountPolicyForm, names),
        initial=initial | {"final_unit_meters": ", ".join(account.final_unit_meters)},
    )  # fmt: skip


def policy_lines(account: Account) -> list[tuple[str, str]]:
    """An account's policy in words: what it is about, what is done."""
    lines = [("Stores away", ON_OUTAGE[account.on_outage]), ("Work above its hold", CAPTURE_ABOVE[account.capture_above])]
    if account.on_outage == Account.OnOutage.OPEN:
        allowance = f"{plain(to_scale(account.offline_allowance))} {account.currency}"
        lines[0] = ("Stores away", f"Open: let through up to {allowance}")
    last = FINAL_UNITS[account.final_unit_action]
    if account.final_unit_action == Account.FinalUnitAction.REDIRECT:
        last = f"Redirect to {account.final_unit_url or 'the top-up page'}"
    elif account.final_unit_action == Account.FinalUnitAction.RESTRICT:
        last = f"Restrict to {', '.join(account.final_unit_meters) or 'nothing'}"
    return [*lines, ("Last units", last)]


def _changes(record: Any, answers: dict[str, Any], form: type[ReasonForm], names: Sequence[str]) -> list[Change]:
    """What is different, before and after."""
    return [
        Change(str(form.base_fields[name].label), _words(name, getattr(record, name)), _words(name, answers[name]))
        for name in names
        if getattr(record, name) != answers[name]
    ]


def _words(name: str, value: Any) -> str:
    if isinstance(value, Decimal):
        return plain(to_scale(value))
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return LABELS[name][value] if name in LABELS else str(value) or "none"
