"""Write down that somebody changed something."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from wallets.accounts.models import Account, User
from wallets.api_keys.verify import Caller
from wallets.audit.clean import cleaned, differing
from wallets.audit.models import AuditEvent

Actor = User | Caller | str
"""A person, the program behind an API key, or the name of a job (`expire_lots`)."""
NOTHING: Final[Mapping[str, Any]] = {}


def record_change(  # noqa: PLR0913 - a row
    *,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    reason: str,
    at: datetime,
    account: Account | int | None = None,
    details: Mapping[str, Any] = NOTHING,
    address: str | None = None,
    hide: tuple[str, ...] = (),
) -> AuditEvent:
    """Add to the audit log, in the caller's transaction: the one of the change.

    before, after: fields of the subject; those that are the same in both are left out. details: what was asked for. Values of
    fields that are named like secrets, or by `hide`, are hidden. account: whom it concerns, the row or its id.
    """
    old, new = differing(before, after)
    return AuditEvent.objects.create(
        at=at,
        user=actor if isinstance(actor, User) else None,
        actor=_named(actor),
        action=action[:120],
        subject_kind=subject_kind,
        subject=subject[:120],
        account_id=account.pk if isinstance(account, Account) else account,
        before=cleaned(old, hide=hide),
        after=cleaned(new, hide=hide),
        details=cleaned(details, hide=hide),
        reason=reason[:500],
        address=address,
    )


def _named(actor: Actor) -> str:
    """How the log names who is no person."""
    if isinstance(actor, User):
        return ""
    return actor.actor if isinstance(actor, Caller) else f"system:{actor}"
