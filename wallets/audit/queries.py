"""Finding in the audit log by what an index knows: who, what it is about, whose account, when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.db.models import Q, QuerySet

from wallets.accounts.models import Account, User
from wallets.audit.models import AuditEvent

ROWS_AT_ONCE: Final = 2_000
COLUMNS: Final = (
    "at", "who", "action", "subject_kind", "subject", "account", "reason", "before", "after", "details", "address",
)  # fmt: skip


def named(events: QuerySet[AuditEvent], term: str) -> QuerySet[AuditEvent]:
    """The events a term names: the id of what was changed or how it begins, an account's key, a person's e-mail address, an
    API key (`api:key_…`) or a job (`system:…`)."""
    term = term.strip()
    if not term:
        return events
    users = list(User.objects.filter(email=term.lower()).values_list("pk", flat=True)[:1])
    accounts = list(Account.objects.filter(key=term).values_list("pk", flat=True)[:1])
    by_actor = Q(actor__in=[term, f"api:{term}", f"system:{term}"])
    return events.filter(Q(subject__startswith=term) | Q(user__in=users) | Q(account__in=accounts) | by_actor)


def rows_of(events: QuerySet[AuditEvent]) -> Iterator[tuple[object, ...]]:
    """The events as rows of COLUMNS, a part at a time: however many there are, few are in memory."""
    for one in events.select_related("user", "account").iterator(chunk_size=ROWS_AT_ONCE):
        account = one.account.key if one.account is not None else ""
        yield (
            one.at.isoformat(), one.who, one.action, one.subject_kind, one.subject, account, one.reason,
            one.before, one.after, one.details, one.address or "",
        )  # fmt: skip
