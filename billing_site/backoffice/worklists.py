"""Worklists: one table of what waits for a person, in the order of the navigation. Each is a list of the admin with a count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet
from django.urls import reverse

from metering.reports.consumption import unrated_events
from notifications.alerts.queries import uncertain_mails
from wallets.reports.worklists import count_rows, open_differences, open_reviews, unmatched_wires, waiting_approvals


@dataclass(frozen=True, slots=True)
class Worklist:
    """model: whose list in the admin it is (`wallets.approval`). waiting: the rows that wait. query: of the list's
    address, where it does not show those by itself."""

    title: str
    icon: str
    model: str
    waiting: Callable[[], QuerySet[Any]]
    query: str = ""

    @property
    def link(self) -> str:
        """The address of what waits."""
        return reverse("admin:{}_{}_changelist".format(*self.model.split("."))) + (f"?{self.query}" if self.query else "")


WORKLISTS: Final = (
    Worklist("Approvals", "approval", "wallets.approval", waiting_approvals),
    Worklist("Reviews", "policy", "wallets.reviewitem", open_reviews),
    Worklist("Differences", "difference", "wallets.paymentexception", open_differences),
    Worklist("Bank lines", "account_balance", "wallets.bankline", unmatched_wires),
    Worklist("Unrated events", "inbox", "metering.deadletter", unrated_events),
    Worklist("Uncertain mails", "unknown_document", "notifications.delivery", uncertain_mails, "state=uncertain"),
)


def waiting_for(user: Any) -> list[tuple[Worklist, int]]:
    """The worklists a person may see, with how much waits in each. One query."""
    mine = [one for one in WORKLISTS if user.has_perm("{}.view_{}".format(*one.model.split(".")))]
    counts = count_rows({one.model: one.waiting() for one in mine})
    return [(one, counts[one.model]) for one in mine]
