"""What a wallet is watched for, and an account's wallets without percentages of their own: seen, and set after a look."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import CharField, DecimalField
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from wallets.accounts.models import Account
from wallets.admin.action_page import ActionPage, Change, ReasonForm
from wallets.balances.models import Wallet
from wallets.balances.set_thresholds import set_account_thresholds, set_thresholds, thresholds_of
from wallets.money import DIGITS, SCALE, plain, to_scale

Tell = Callable[[str], object]
"""Notes a change, with its reason, in the record's history."""

_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,12})?")


def _numbers(text: str) -> list[Decimal]:
    """Numbers parted by spaces or semicolons, or by commas followed by a space."""
    parts = [part for part in re.split(r"[;\s]+", text.replace("%", " ").replace(", ", " ").strip(", ")) if part]
    if not all(_NUMBER.fullmatch(part) for part in parts):
        raise ValidationError("Give numbers parted by spaces, such as 50 20 5.")
    return [Decimal(part) for part in parts]


def _percents(text: str) -> list[int]:
    numbers = _numbers(text)
    if any(number != int(number) for number in numbers):
        raise ValidationError("Give whole percentages.")
    return [int(number) for number in numbers]


class AccountThresholdsForm(ReasonForm):
    """What an account's wallets are watched for."""

    field_order = ["percents", "reason"]

    percents = CharField(
        label="Percentages", max_length=200, required=False, widget=UnfoldAdminTextInputWidget,
        help_text="Of the balance after the last credit: 50 20 5. That a wallet is used up is always told.",
    )  # fmt: skip

    def clean_percents(self) -> list[int]:
        """Whole numbers."""
        return _percents(self.cleaned_data["percents"])


class WalletThresholdsForm(ReasonForm):
    """What a wallet is watched for."""

    field_order = ["percents", "amounts", "reference", "reason"]

    percents = CharField(
        label="Percentages", max_length=200, required=False, widget=UnfoldAdminTextInputWidget,
        help_text="Of its reference: 50 20 5. Empty: those of its account; none: no percentages.",
    )  # fmt: skip
    amounts = CharField(
        label="Amounts", max_length=400, required=False, widget=UnfoldAdminTextInputWidget,
        help_text="Balances in its currency: 25 10.50",
    )  # fmt: skip
    reference = DecimalField(
        label="Reference", max_digits=DIGITS, decimal_places=SCALE, required=False, widget=UnfoldAdminDecimalFieldWidget,
        help_text="What the percentages are of. Empty: the balance after the last credit.",
    )  # fmt: skip

    def clean_percents(self) -> list[int] | None:
        """Whole numbers; None: those of the account."""
        text = self.cleaned_data["percents"].strip()
        if not text:
            return None
        return [] if text.lower() == "none" else _percents(text)

    def clean_amounts(self) -> list[Decimal]:
        """Amounts."""
        return _numbers(self.cleaned_data["amounts"])


def wallet_thresholds_page(wallet: Wallet, *, back: str, tell: Tell) -> ActionPage:
    """Change what a wallet, read with its account, is watched for."""
    now = thresholds_of(wallet)

    def perform(answers: dict[str, Any]) -> str:
        set_thresholds(wallet_id=wallet.pk, **{name: answers[name] for name in ("percents", "amounts", "reference")})
        tell(f"Thresholds changed: {answers['reason']}")
        return "The thresholds are changed. What the balance is below already is not told again."

    def preview(answers: dict[str, Any]) -> list[Change]:
        return [
            Change("Percentages", _words(now.percents), _words(answers["percents"])),
            Change("Amounts", _words(now.amounts), _words(answers["amounts"])),
            Change("Reference", _reference(now.reference), _reference(answers["reference"])),
        ]

    return ActionPage(
        "Change thresholds", "Change thresholds", WalletThresholdsForm, back, perform, preview,
        initial={
            "percents": "" if now.percents is None else _words(now.percents),
            "amounts": _words(now.amounts) if now.amounts else "",
            "reference": now.reference,
        },
    )  # fmt: skip


def account_thresholds_page(account: Account, *, back: str, tell: Tell) -> ActionPage:
    """Change what an account's wallets without percentages of their own are watched for."""
    before = _words(sorted(account.threshold_percents, reverse=True))

    def perform(answers: dict[str, Any]) -> str:
        set_account_thresholds(account_id=account.pk, percents=answers["percents"])
        tell(f"Thresholds changed: {answers['reason']}")
        return "The thresholds are changed, of every wallet without its own."

    return ActionPage(
        "Change thresholds", "Change thresholds", AccountThresholdsForm, back, perform,
        lambda answers: [Change("Percentages", before, _words(answers["percents"]))], initial={"percents": before},
    )  # fmt: skip


def threshold_words(wallet: Wallet) -> str:
    """What a wallet is watched for, in a line: `50 20 5 %, 10 USD`."""
    now = thresholds_of(wallet)
    percents = f"{_words(now.in_force)} %" if now.in_force else ""
    amounts = f"{_words(now.amounts)} {wallet.currency}" if now.amounts else ""
    return ", ".join(part for part in (percents, amounts) if part) or "only when it is used up"


def _words(values: list[int] | list[Decimal] | None) -> str:
    if values is None:
        return "those of the account"
    return " ".join(plain(to_scale(one)) if isinstance(one, Decimal) else str(one) for one in values) or "none"


def _reference(reference: Decimal | None) -> str:
    return "the balance after the last credit" if reference is None else plain(to_scale(reference))
