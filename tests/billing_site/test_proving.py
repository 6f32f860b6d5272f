"""The nightly proof: how it came out is kept, what it names is frozen, finance is told once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction

from billing_site.outbox_readers import READERS
from billing_site.proving import prove_and_keep
from notifications.alerts.models import Alert
from tests.factories.balances import spend, wallet_of
from tests.factories.tampering import tamper
from wallets.audit.models import AuditEvent
from wallets.balances.freeze import thaw_wallet
from wallets.balances.models import Wallet
from wallets.ledger.proof_models import ProofRun
from wallets.ledger.proofs import PROOFS
from wallets.outbox.deliver import deliver_news
from wallets.reports.today import last_proof_run

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 24, 2, 11, tzinfo=UTC)


def tell() -> list[Alert]:
    deliver_news(readers=READERS, at=AT)
    return list(Alert.objects.filter(topic="proof_failed"))


def test_books_that_hold_freeze_nothing_and_tell_nobody() -> None:
    wallet = wallet_of("acme", credit="10")
    spend(wallet, "3")
    run = prove_and_keep(at=AT, provers=PROOFS)
    assert run is not None
    assert (run.holds, run.frozen, run.findings) == (True, [], [])
    assert run.checked >= 10
    assert last_proof_run() == run
    assert tell() == []


def test_the_wallet_a_failed_proof_names_is_frozen_and_finance_is_told_what_differs() -> None:
    wrong, right = wallet_of("acme", credit="10"), wallet_of("globex", credit="10")
    tamper("wallets_wallet", "UPDATE wallets_wallet SET balance = balance + 1 WHERE id = %s", [wrong.pk])
    run = prove_and_keep(at=AT, provers=PROOFS)
    assert run is not None
    assert run.failed >= 1
    assert run.frozen == [wrong.public_id]
    assert any("11.000000000000" in line for one in run.findings for line in one["offenders"])
    assert list(Wallet.objects.order_by("pk").values_list("status", flat=True)) == ["FROZEN", "ACTIVE"]
    assert right.status == "ACTIVE"
    assert AuditEvent.objects.get(action="freeze_wallet").actor == "system:prove_nightly"
    (alert,) = tell()
    assert (alert.audience, alert.severity) == ("finance", "critical")
    assert wrong.public_id in alert.facts["frozen"]
    # The next night it is still wrong: kept and told again; a person thaws it, with a reason, when the books are right.
    again = prove_and_keep(at=AT.replace(day=25), provers=PROOFS)
    assert again is not None
    assert again.frozen == [wrong.public_id]
    tamper("wallets_wallet", "UPDATE wallets_wallet SET balance = balance - 1 WHERE id = %s", [wrong.pk])
    thaw_wallet(wallet_id=wrong.pk, at=AT)
    healed = prove_and_keep(at=AT.replace(day=26), provers=PROOFS)
    assert healed is not None
    assert healed.holds


def test_an_entry_a_proof_names_leads_to_its_wallet() -> None:
    wallet = wallet_of("acme", credit="10")
    tamper("wallets_journalentry", "UPDATE wallets_journalentry SET reason = 'altered'")
    with pytest.raises(CommandError, match="do not hold"):
        call_command("prove", "--keep")
    run = last_proof_run()
    assert run is not None
    assert run.frozen == [wallet.public_id]


def test_a_run_that_was_kept_is_neither_changed_nor_deleted() -> None:
    run = prove_and_keep(at=AT, provers=())
    assert run is not None
    for sql in ("UPDATE wallets_proofrun SET failed = 0", "DELETE FROM wallets_proofrun", "TRUNCATE wallets_proofrun"):
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    assert ProofRun.objects.get() == run
