"""The audit log: what differs before and after, no secret, never changed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import InternalError, ProgrammingError, connection, transaction

from tests.cast import Company
from wallets.accounts.models import User
from wallets.api_keys.verify import Caller
from wallets.audit.models import AuditEvent
from wallets.audit.record import record_change
from wallets.audit.rows import account_id_of, fields_of, kind_of, name_of

AT = datetime(2026, 11, 5, 10, tzinfo=UTC)


def recorded(actor: Any, **changes: Any) -> AuditEvent:
    said: dict[str, Any] = {"before": {}, "after": {}, "reason": "", "subject_kind": "wallets.wallet", "subject": "wal_1"}
    event = record_change(actor=actor, action="Freeze wallet", at=AT, **said | changes)
    return AuditEvent.objects.get(pk=event.pk)


def test_it_keeps_who_what_why_and_only_what_differs(fiona: User, acme: Company) -> None:
    event = recorded(
        fiona,
        before={"status": "ACTIVE", "balance": D("1.50"), "opened_at": AT},
        after={"status": "FROZEN", "balance": D("1.5"), "opened_at": AT},
        reason="Stolen card",
        account=acme.account,
        address="192.0.2.1",
    )
    assert (event.before, event.after) == ({"status": "ACTIVE"}, {"status": "FROZEN"})
    assert (event.who, event.reason, event.account, event.address, event.at) == (
        "fiona@vendor.example", "Stolen card", acme.account, "192.0.2.1", AT,
    )  # fmt: skip


def test_programs_and_jobs_are_named(fiona: User) -> None:
    caller = Caller(key_id=1, prefix="key_abc", name="backend", scopes=frozenset())
    assert [recorded(one).who for one in (caller, "expire_lots")] == ["api:key_abc", "system:expire_lots"]


def test_secrets_are_never_written_down(fiona: User) -> None:
    event = recorded(
        fiona,
        before={"password": "md5$old", "email": "a@b.example"},
        after={"password": "md5$new", "email": "a@b.example"},
        details={"client_secret": "pi_1_secret", "nested": [{"signing_secret": "whsec_1"}], "code": "7QXK", "file": b"x" * 9},
        hide=("code",),
    )
    assert event.before == event.after == {"password": "(hidden)"}
    assert event.details == {
        "client_secret": "(hidden)", "nested": [{"signing_secret": "(hidden)"}], "code": "(hidden)", "file": "(9 bytes)",
    }  # fmt: skip


def test_long_texts_and_lists_are_cut(fiona: User) -> None:
    event = recorded(fiona, details={"note": "x" * 9_000, "rows": list(range(300))})
    assert len(event.details["note"]) == 500
    assert event.details["rows"][-1] == "and 200 more"


def test_nothing_recorded_is_changed_or_removed(fiona: User) -> None:
    event = recorded(fiona)
    connection.check_constraints()
    for attempt in (
        lambda: AuditEvent.objects.filter(pk=event.pk).update(reason="Another"),
        lambda: AuditEvent.objects.filter(pk=event.pk).delete(),
        lambda: connection.cursor().execute("TRUNCATE wallets_auditevent"),
    ):
        with pytest.raises((ProgrammingError, InternalError)), transaction.atomic():
            attempt()
    assert AuditEvent.objects.get(pk=event.pk).reason == ""


def test_a_row_says_what_it_is_whose_and_called_what(acme: Company, fiona: User) -> None:
    wallet = acme.wallet
    assert (kind_of(wallet), name_of(wallet), account_id_of(wallet)) == (
        "wallets.wallet", wallet.public_id, acme.account.pk,
    )  # fmt: skip
    assert (name_of(acme.account), account_id_of(acme.account), name_of(fiona)) == ("acme", acme.account.pk, fiona.email)
    assert fields_of(wallet)["status"] == "ACTIVE"
    assert "head_hash" not in fields_of(wallet)
    assert (fields_of(None), name_of(None), account_id_of(None)) == ({}, "", None)
