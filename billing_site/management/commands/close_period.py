"""Close a month of the books: `python manage.py close_period 2026-10 --by fiona@vendor.example --reason "Month end"`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from billing_site.backoffice.period_checks import checklist
from wallets import clock
from wallets.accounts.models import User
from wallets.audit.record import record_change
from wallets.errors import Refusal
from wallets.periods.close import close_period
from wallets.periods.period import Period, period_of
from wallets.periods.prove import prove_period


class Command(BaseCommand):
    """Prove and close a month."""

    help = "Show the checklist of a month of the books, prove it, close it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The month, --prove, --by, --reason, --leave-open, --json."""
        parser.add_argument("month", help="such as 2026-10")
        parser.add_argument("--prove", action="store_true", help="prove its entries and statements first")
        parser.add_argument("--by", help="e-mail address of who closes it; left out: only the checklist is shown")
        parser.add_argument("--reason", default="", help="why now")
        parser.add_argument("--leave-open", action="store_true", help="what may stay open stays open")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of words")

    def handle(self, *_: Any, **options: Any) -> None:
        """Show, prove, close; exits 1 when it is refused."""
        period, at = _period(options["month"]), clock.now()
        by = _person(options["by"]) if options["by"] else None
        if options["prove"]:
            prove_period(period=period, at=at, by=by)
        findings = [row.finding for row in checklist(period=period, at=at)]
        if not options["json"]:
            for one in findings:
                self.stdout.write(f"{'done' if one.done else 'open':5} {one.title}: {one.said}")
        if by is not None:
            self._close(period, findings, by, at, options)
        if options["json"]:
            rows = [{"code": one.code, "open": one.open, "said": one.said, "must": one.must} for one in findings]
            self.stdout.write(json.dumps({"period": options["month"], "closed": by is not None, "checklist": rows}))

    def _close(self, period: Period, findings: list[Any], by: User, at: datetime, options: dict[str, Any]) -> None:
        try:
            with transaction.atomic():
                closing = close_period(
                    period=period, findings=findings, by=by, reason=options["reason"], at=at, leave_open=options["leave_open"]
                )
                record_change(
                    actor=by, action="Close the period", subject_kind="wallets.periodclosing", subject=closing.public_id,
                    before={}, after={"state": closing.state, "period": period.name}, reason=options["reason"], at=at,
                )  # fmt: skip
        except Refusal as refusal:
            raise CommandError(refusal.message) from refusal
        if not options["json"]:
            self.stdout.write(f"{period.name} is closed.")


def _period(text: str) -> Period:
    try:
        return period_of(datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC))
    except ValueError as error:
        raise CommandError("The month: such as 2026-10.") from error


def _person(email: str) -> User:
    found = User.objects.filter(email__iexact=email, is_staff=True, is_active=True).first()
    if found is None or not found.has_perm("wallets.add_periodclosing"):
        raise CommandError(f"{email} is nobody who may close a period.")
    return found
