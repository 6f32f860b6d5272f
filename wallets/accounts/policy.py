"""How an account's work is let through: when the stores cannot be reached, when it costs more than its hold, when its last
units are used. The vendor's to say, not the customer's."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from wallets.accounts.models import Account
from wallets.input import Input
from wallets.outbox.topics import AccountsChanged
from wallets.outbox.write import add_news

LONGEST_URL: Final = 500
URL_EXPECTED: Final = "an address that begins with https:// or http://, or nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPolicy:
    """What to change; None leaves a part as it is.

    on_outage: closed (refuse while the stores cannot be reached) or open (let through up to `offline_allowance`, in the
    account's currency). capture_above: excess, refuse or cap (`wallets/holds/capture.py`). final_unit_action: terminate,
    redirect (to `final_unit_url`; empty: the top-up page) or restrict (to `final_unit_meters`, codes of meters).
    """

    on_outage: str | None = None
    offline_allowance: Decimal | None = None
    capture_above: str | None = None
    final_unit_action: str | None = None
    final_unit_url: str | None = None
    final_unit_meters: list[str] | None = None


def set_account_policy(*, account: Account, policy: AccountPolicy, at: datetime) -> Account:
    """Change an account's policy. Raises InvalidInput."""
    changes = {name: value for name, value in asdict(policy).items() if value is not None}
    check = Input()
    check.expect("policy", changes, "at least one of its parts")
    if "on_outage" in changes:
        check.choice("policy.on_outage", changes["on_outage"], [str(one) for one in Account.OnOutage])
    if "offline_allowance" in changes:
        check.amount("policy.offline_allowance", changes["offline_allowance"])
    if "capture_above" in changes:
        check.choice("policy.capture_above", changes["capture_above"], [str(one) for one in Account.CaptureAbove])
    if "final_unit_action" in changes:
        check.choice("policy.final_unit_action", changes["final_unit_action"], [str(one) for one in Account.FinalUnitAction])
    if "final_unit_url" in changes:
        url = changes["final_unit_url"] = check.text("policy.final_unit_url", changes["final_unit_url"], longest=LONGEST_URL)
        check.expect("policy.final_unit_url", not url or url.startswith(("https://", "http://")), URL_EXPECTED)
    if "final_unit_meters" in changes:
        changes["final_unit_meters"] = check.names("policy.final_unit_meters", changes["final_unit_meters"])
    check.refuse("The policy is not acceptable.")
    for name, value in changes.items():
        setattr(account, name, value)
    with transaction.atomic():
        account.save(update_fields=list(changes))
        add_news([("", AccountsChanged([account.pk]))], at=at, bucket=account.bucket)
    return account
