"""Roles of the back office: one table, role -> permissions. People get roles, roles get permissions."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from wallets.approvals.models import ApprovalLimit

LOOK: Final = (
    "wallets.view_account",
    "wallets.view_wallet",
    "wallets.view_creditlot",
    "wallets.view_hold",
    "wallets.view_journalentry",
    "wallets.view_ledgeraccount",
    "wallets.view_approval",
    "wallets.view_adjustment",
    "wallets.view_topupterms",
    "wallets.view_bonusslab",
    "wallets.view_taxrate",
    "wallets.view_refundpolicy",
    "wallets.view_mirroritem",
    "wallets.view_mirrordrift",
    "wallets.view_reviewitem",
    "wallets.view_topup",
    "wallets.view_receipt",
    "wallets.view_refund",
    "wallets.view_dispute",
    "wallets.view_withdrawal",
    "wallets.view_paymentmethod",
    "wallets.view_providerevent",
    "wallets.view_paymentexception",
    "wallets.view_bankline",
    "wallets.view_statement",
    "metering.view_usageevent",
    "metering.view_hourlyusage",
    "metering.view_deadletter",
    "metering.view_spendcap",
    "pricing.view_pricebook",
    "pricing.view_priceversion",
    "pricing.view_assignment",
    "pricing.view_meter",
    "pricing.view_plan",
    "pricing.view_subscription",
    "pricing.view_commitment",
    "pricing.view_creditproduct",
    "pricing.view_voucherbatch",
    "pricing.view_voucherattempt",
)

ROLES: Final[dict[str, tuple[str, ...]]] = {
    # grants and voids credit, freezes wallets, opens and suspends accounts, publishes prices, replays events
    "finance": (
        *LOOK,
        "wallets.add_account",
        "wallets.change_account",
        "wallets.add_wallet",
        "wallets.change_wallet",
        "wallets.add_creditlot",
        "wallets.change_creditlot",
        "wallets.change_mirroritem",
        "wallets.add_topupterms",
        "wallets.change_topupterms",
        "wallets.add_bonusslab",
        "wallets.change_bonusslab",
        "wallets.delete_bonusslab",
        "wallets.add_taxrate",
        "wallets.add_refundpolicy",
        "wallets.view_apikey",
        "wallets.view_auditevent",
        "wallets.add_adjustment",
        "wallets.change_reviewitem",
        "wallets.change_providerevent",
        "wallets.change_paymentexception",
        "wallets.add_topup",
        "wallets.add_refund",
        "wallets.change_refund",
        "wallets.change_withdrawal",
        "wallets.add_bankline",
        "wallets.change_bankline",
        "metering.change_deadletter",
        "metering.add_spendcap",
        "metering.change_spendcap",
        "pricing.add_pricebook",
        "pricing.change_priceversion",
        "pricing.change_meter",
        "pricing.add_plan",
        "pricing.change_plan",
        "pricing.add_subscription",
        "pricing.change_subscription",
        "pricing.add_voucherbatch",
        "pricing.change_voucherbatch",
    ),
    # the second person: decides what finance asked for, and moves no money alone
    "approver": (*LOOK, "wallets.view_auditevent", "wallets.change_approval"),
    # answers customers' questions; changes nothing
    "support viewer": LOOK,
}


FIRST_LIMITS: Final[dict[str, dict[str, Decimal]]] = {
    "finance": {"USD": Decimal(100), "EUR": Decimal(100), "GBP": Decimal(100)},
}
"""Up to how much a role moves money alone, until administrators change it; in other currencies nothing."""


class UnknownPermission(LookupError):
    """The table names a permission that does not exist."""


def grant_roles() -> None:
    """Make the groups of the table and give each exactly its permissions; a new one gets its first limits. Safe to repeat."""
    names = {name for permissions in ROLES.values() for name in permissions}
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type").order_by("id")
    }
    missing = sorted(names - known.keys())
    if missing:
        raise UnknownPermission(", ".join(missing))
    with transaction.atomic():
        for role, permissions in ROLES.items():
            group, is_new = Group.objects.get_or_create(name=role)
            if is_new:
                for currency, amount in FIRST_LIMITS.get(role, {}).items():
                    ApprovalLimit.objects.create(role=group, currency=currency, amount=amount)
            group.permissions.set([known[name] for name in permissions])
