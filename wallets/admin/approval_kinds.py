"""Where pages of the back office find what is approved: the table stands in `wallets/approvals/kinds.py`, below every door."""

from wallets.approvals.kinds import KINDS, ApprovalKind, ApprovalKindUnknown, kind_of

__all__ = ["KINDS", "ApprovalKind", "ApprovalKindUnknown", "kind_of"]
