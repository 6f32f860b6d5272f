"""What is approved: kind of approval -> what happens then. A verb runs in the transaction of the decision and asks no network;
what has to ask one is left to a task by the room that asked. The doors of those rooms in the back office say what happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from wallets.approvals.models import Approval
from wallets.errors import Conflict


class ApprovalKindUnknown(Conflict):
    """Nobody has said what to do once this is approved."""

    code = "approval_kind_unknown"


def _nothing_to_show(_: Approval) -> Sequence[Any]:
    return ()


@dataclass(frozen=True, slots=True)
class ApprovalKind:
    """title: "Adjustment". approved, declined: carry the decision out, (approval, now); `approved` answers with a sentence for
    the approver. changes: what approving does, in numbers before and after. page: the address of what it is about."""

    title: str
    approved: Callable[[Approval, datetime], str]
    declined: Callable[[Approval, datetime], None]
    changes: Callable[[Approval], Sequence[Any]] = _nothing_to_show
    page: Callable[[Approval], str | None] = lambda _: None


KINDS: Final[dict[str, ApprovalKind]] = {}
"""Kind of approval -> what happens when it is decided."""


def kind_of(approval: Approval) -> ApprovalKind:
    """What is approved. Raises ApprovalKindUnknown."""
    kind = KINDS.get(approval.kind)
    if kind is None:
        raise ApprovalKindUnknown(f"Nobody has said what to do once {approval.kind} is approved.")
    return kind
