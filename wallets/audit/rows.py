"""What a row says at a moment, and what it is called: so that before and after need not be told by each door."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import BinaryField, Model

from wallets.accounts.models import Account
from wallets.balances.models import Wallet

NAMES: Final = ("public_id", "key", "code", "prefix", "event_id", "email", "name")
"""What a row is called by, the first of these it has; else its number."""


def fields_of(record: Model | None) -> dict[str, Any]:
    """The row of `record` as the database has it now; empty when there is none. One query."""
    if record is None or record.pk is None:
        return {}
    model = type(record)
    names = [field.attname for field in model._meta.concrete_fields if not isinstance(field, BinaryField)]  # noqa: SLF001 - Django's
    return model._base_manager.filter(pk=record.pk).values(*names).first() or {}  # noqa: SLF001 - Django's


def links_of(record: Model) -> dict[str, list[str]]:
    """What the row is linked to by tables between (roles of a person, permissions of a role). One query a link."""
    links = record._meta.many_to_many  # noqa: SLF001 - Django's own way to ask
    return {link.name: sorted(map(str, getattr(record, link.name).all())) for link in links} if record.pk else {}


def kind_of(record: Model | type[Model]) -> str:
    """`wallets.wallet`."""
    return record._meta.label_lower  # noqa: SLF001 - Django's own way to ask


def name_of(record: Model | None) -> str:
    """What people call it."""
    if record is None:
        return ""
    return str(next((value for name in NAMES if (value := getattr(record, name, None))), record.pk or ""))


def account_id_of(record: Model | None) -> int | None:
    """Whose it is, when it is an account's. At most one query."""
    if record is None:
        return None
    if isinstance(record, Account):
        return record.pk
    of_account: int | None = getattr(record, "account_id", None)
    if isinstance(of_account, int):
        return of_account
    wallet_id = getattr(record, "wallet_id", None)
    if not isinstance(wallet_id, int):
        return None
    return Wallet.objects.filter(pk=wallet_id).values_list("account_id", flat=True).first()
