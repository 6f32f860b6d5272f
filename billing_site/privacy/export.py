"""Everything we keep of an account and of the person who asks, as a ZIP of JSON files, written while it is read: neither the
rows nor the file are ever in memory as a whole."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet

from metering.caps.models import SpendCap
from metering.usage.models import Charge, UsageEvent
from notifications.alerts.models import Alert, Delivery, Recipient
from notifications.channels.webhook.models import WebhookEndpoint
from pricing.plans.models import Subscription
from wallets.accounts.billing_models import BillingDetails
from wallets.accounts.models import Account, Invitation, Member, User
from wallets.api_keys.models import ApiKey
from wallets.audit.models import AuditEvent
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.ledger.entries import entries_of
from wallets.payments.models import PaymentMethod, Receipt, TopUp
from wallets.refunds.models import Refund, Withdrawal
from wallets.statements.models import Statement, StatementLine
from wallets.visits.models import SignIn, SupportVisit

ROWS: Final = 1_000
"""Rows read, and written, at a time."""
JOURNAL: Final = (
    *("wallet__public_id", "wallet_version", "kind", "currency", "at"),
    *("balance_after", "overdraft_after", "reference", "reason", "actor"),
)
Rows = Iterable[dict[str, Any]]


def export_zip(*, account: Account, user: User, at: datetime) -> Iterator[bytes]:
    """The ZIP, piece by piece: of the account what its pages show and more, of people only `user`."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in _parts(account, user):
            with archive.open(zipfile.ZipInfo(f"{name}.json", date_time=at.timetuple()[:6]), "w") as part:
                for text in _array(rows()):
                    part.write(text.encode())
                    yield from sink.taken()
    yield from sink.taken()


def _parts(account: Account, user: User) -> list[tuple[str, Callable[[], Rows]]]:
    """File -> its rows. No secrets: key hashes, webhook secrets and second factors stay here."""
    of_wallet = {"wallet__account": account}
    of: dict[str, tuple[QuerySet[Any], str]] = {
        "account": (Account.objects.filter(pk=account.pk), ""),
        "billing_details": (BillingDetails.objects.filter(account=account), ""),
        "person": (User.objects.filter(pk=user.pk), "email first_name last_name time_zone date_joined last_login"),
        "sign_ins": (SignIn.objects.filter(user=user), "at outcome method address agent"),
        "members": (Member.objects.filter(account=account), "user__email role created_at"),
        "invitations": (Invitation.objects.filter(account=account), "email role state created_at ended_at"),
        "support_visits": (SupportVisit.objects.filter(account=account), "user__email reason began_at ends_at"),
        "changes": (AuditEvent.objects.filter(account=account), "at user__email actor action subject before after reason"),
        "api_keys": (
            ApiKey.objects.filter(account=account),
            "prefix name scopes created_at expires_at revoked_at last_used_at",
        ),
        "spend_caps": (SpendCap.objects.filter(account=account), ""),
        "subscriptions": (Subscription.objects.filter(account=account), ""),
        "cards": (
            PaymentMethod.objects.filter(account=account),
            "public_id brand last_four exp_month exp_year created_at removed_at",
        ),
        "mailboxes": (Recipient.objects.filter(account=account), ""),
        "webhook_endpoints": (
            WebhookEndpoint.objects.filter(account=account),
            "public_id url description event_types state created_at removed_at",
        ),
        "alerts": (Alert.objects.filter(account=account), ""),
        "deliveries": (Delivery.objects.filter(alert__account=account), "public_id channel address state sent_at"),
        "wallets": (Wallet.objects.filter(account=account), ""),
        "credit": (CreditLot.objects.filter(**of_wallet), ""),
        "top_ups": (TopUp.objects.filter(**of_wallet), ""),
        "receipts": (Receipt.objects.filter(top_up__wallet__account=account), ""),
        "refunds": (Refund.objects.filter(**of_wallet), ""),
        "withdrawals": (Withdrawal.objects.filter(**of_wallet), ""),
        "statements": (Statement.objects.filter(**of_wallet), ""),
        "statement_lines": (StatementLine.objects.filter(statement__wallet__account=account), ""),
        "events": (UsageEvent.objects.filter(account=account), "event_id type time received_at properties"),
        "charges": (
            Charge.objects.filter(bucket=account.bucket, wallet__account=account),
            "event__event_id meter__code quantity amount reverses",
        ),
    }
    parts: list[tuple[str, Callable[[], Rows]]] = [
        (name, _reader(rows, columns.split())) for name, (rows, columns) in of.items()
    ]
    return [*parts, ("journal", lambda: _journal(account))]


def _reader(rows: QuerySet[Any], columns: list[str]) -> Callable[[], Rows]:
    return lambda: rows.order_by("pk").values(*columns).iterator(chunk_size=ROWS)


def _journal(account: Account) -> Rows:
    for wallet_id in Wallet.objects.filter(account=account).order_by("pk").values_list("pk", flat=True):
        yield from entries_of(wallet_id=wallet_id).order_by("wallet_version").values(*JOURNAL).iterator(chunk_size=ROWS)


def _array(rows: Rows) -> Iterator[str]:
    """JSON of the rows, some at a time."""
    encode = _Encoder(ensure_ascii=False).encode
    gathered: list[str] = []
    between = "["
    for row in rows:
        gathered.append(f"{between}\n{encode(row)}")
        between = ","
        if len(gathered) == ROWS:
            yield "".join(gathered)
            gathered.clear()
    yield "".join(gathered) + ("\n]\n" if between == "," else "[]\n")


class _Encoder(DjangoJSONEncoder):
    """Amounts as text, exactly; hashes in hex."""

    def default(self, o: Any) -> Any:
        return bytes(o).hex() if isinstance(o, bytes | memoryview) else super().default(o)


class _Sink(io.RawIOBase):
    """What the archive writes into and the answer takes out of."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> Iterator[bytes]:
        """What was written since."""
        pieces, self._pieces = self._pieces, []
        if pieces:
            yield b"".join(pieces)
