"""A credit note, through the verb."""

from __future__ import annotations

from datetime import datetime

from metering.usage.credit_notes import ask_credit_note
from tests.factories.adjustments import may_alone
from wallets.accounts.models import User
from wallets.statements.credit_note import Why
from wallets.statements.credit_note_models import CreditNote
from wallets.statements.models import Statement, StatementLine


def usage_line(statement: Statement) -> StatementLine:
    """The first line of usage that charged something."""
    line = statement.lines.filter(section="USAGE", amount__lt=0).order_by("position").first()
    assert line is not None
    return line


def credited(statement: Statement, *, by: User, at: datetime) -> CreditNote:
    """The first line of usage of a statement, credited."""
    why = Why("Billed twice", "Ticket 7")
    found = Statement.objects.select_related("wallet__account").get(pk=statement.pk)
    return ask_credit_note(statement=found, positions=[usage_line(statement).position], why=why, by=may_alone(by, "100"), at=at)
