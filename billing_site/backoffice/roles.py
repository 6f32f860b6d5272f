"""Roles of the back office: one table, role -> permissions. People get roles, roles get permissions."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from wallets.approvals.models import ApprovalLimit

LOOK: Final = (
    "wallets.view_account",
    "wallets.view_accountnote",
    "wallets.view_wallet",
    "wallets.view_creditlot",
    "wallets.view_hold",
    "wallets.view_journalentry",
    "wallets.view_ledgeraccount",
    "wallets.view_proofrun",
    "wallets.view_accountcode",
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
    "wallets.view_creditnote",
    "wallets.view_periodclosing",
    "notifications.view_delivery",
    "notifications.view_recipient",
    "notifications.view_webhookendpoint",
    "notifications.view_thresholdrule",
    "notifications.view_ruleact",
    "notifications.view_heldalert",
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
    "pricing.view_creditunitrate",
    "pricing.view_versionpin",
    "pricing.view_voucherbatch",
    "pricing.view_voucherattempt",
)

ROLES: Final[dict[str, tuple[str, ...]]] = {
    # looks at everything, the audit log too; changes nothing
    "viewer": (*LOOK, "wallets.view_auditevent"),
    # answers customers' questions; writes notes, changes nothing else
    "support": (*LOOK, "wallets.add_supportvisit"),
    # daily work on customers' money, up to a limit: grants, adjusts, refunds, takes payments in, replays events
    "operator": (
        *LOOK,
        "wallets.add_accountnote",
        "wallets.add_account",
        "wallets.change_account",
        "wallets.add_wallet",
        "wallets.change_wallet",
        "wallets.add_creditlot",
        "wallets.change_creditlot",
        "wallets.add_adjustment",
        "wallets.add_creditnote",
        "wallets.change_reviewitem",
        "wallets.change_providerevent",
        "wallets.change_paymentexception",
        "wallets.add_topup",
        "wallets.add_refund",
        "wallets.change_refund",
        "wallets.change_withdrawal",
        "wallets.add_bankline",
        "wallets.change_bankline",
        "notifications.change_delivery",
        "notifications.change_webhookendpoint",
        "metering.change_deadletter",
        "metering.add_spendcap",
        "metering.change_spendcap",
        "pricing.add_commitment",
        "pricing.add_subscription",
        "pricing.change_subscription",
    ),
    # the second person: decides what others asked for, and moves no money alone
    "approver": (*LOOK, "wallets.add_accountnote", "wallets.view_auditevent", "wallets.change_approval"),
    # answers for the books: the terms of money, reasons and limits; moves none by hand
    "controller": (
        *LOOK,
        "wallets.add_accountnote",
        "wallets.view_auditevent",
        "notifications.add_recipient",
        "notifications.change_recipient",
        "wallets.add_accountcode",
        "wallets.change_accountcode",
        "wallets.delete_accountcode",
        "wallets.view_reasoncode",
        "wallets.add_reasoncode",
        "wallets.change_reasoncode",
        "wallets.view_approvallimit",
        "wallets.add_approvallimit",
        "wallets.change_approvallimit",
        "wallets.delete_approvallimit",
        "wallets.add_topupterms",
        "wallets.change_topupterms",
        "wallets.add_bonusslab",
        "wallets.change_bonusslab",
        "wallets.delete_bonusslab",
        "wallets.add_taxrate",
        "wallets.add_refundpolicy",
        "wallets.change_mirroritem",
        "wallets.add_periodclosing",
        "wallets.change_periodclosing",
    ),
    # what it costs: books, versions, meters, plans, vouchers
    "pricing manager": (
        *LOOK,
        "wallets.add_accountnote",
        "pricing.add_pricebook",
        "pricing.change_priceversion",
        "pricing.change_meter",
        "pricing.add_plan",
        "pricing.change_plan",
        "pricing.add_versionpin",
        "pricing.change_versionpin",
        "pricing.add_assignment",
        "pricing.add_creditproduct",
        "pricing.change_creditproduct",
        "pricing.add_creditunitrate",
        "pricing.add_voucherbatch",
        "pricing.change_voucherbatch",
    ),
    # people, keys and guards; no money
    "administrator": (
        *LOOK,
        "wallets.add_accountnote",
        "wallets.view_auditevent",
        "wallets.view_user",
        "wallets.add_user",
        "wallets.change_user",
        "wallets.view_member",
        "wallets.add_member",
        "wallets.change_member",
        "wallets.delete_member",
        "auth.view_group",
        "wallets.view_brand",
        "wallets.add_brand",
        "wallets.change_brand",
        "wallets.view_apikey",
        "wallets.add_apikey",
        "wallets.change_apikey",
        "notifications.view_keptmail",
        "notifications.add_thresholdrule",
        "notifications.change_thresholdrule",
        "wallets.view_velocityrule",
        "wallets.add_velocityrule",
        "wallets.change_velocityrule",
        "wallets.delete_velocityrule",
        "wallets.view_trusttier",
        "wallets.add_trusttier",
        "wallets.change_trusttier",
        "wallets.delete_trusttier",
    ),
}
"""Role -> what people of it may do. Nobody may do something to what is not in here but superusers. What a permission allows is
narrowed for single objects by the pages and verbs themselves: docs/roles.md lists those rules."""

FORMER: Final[dict[str, tuple[str, ...]]] = {
    "finance": ("operator", "controller", "pricing manager"),
    "support viewer": ("support",),
    "auditor": ("viewer",),
}
"""A role there was once -> what its people have instead."""

FIRST_LIMITS: Final[dict[str, dict[str, Decimal]]] = {
    "operator": {"USD": Decimal(100), "EUR": Decimal(100), "GBP": Decimal(100)},
}
"""Up to how much within 24 hours people of a role move alone, until it is changed; in other currencies nothing."""


class UnknownPermission(LookupError):
    """The table names a permission that does not exist."""


def grant_roles() -> None:
    """Make the groups of the table and give each exactly its permissions; a new one gets its first limits. People of a former
    role get what it became, with its limits. Safe to repeat.
    """
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
        _move_people()


def _move_people() -> None:
    """Former roles end: their people and limits go to the first of what they became, people to the others too."""
    for former in Group.objects.filter(name__in=FORMER):
        became = list(Group.objects.filter(name__in=FORMER[former.name]))
        for person in former.user_set.all():
            person.groups.add(*became)
        heir = next(group for group in became if group.name == FORMER[former.name][0])
        for limit in former.approval_limits.all():
            ApprovalLimit.objects.update_or_create(
                role=heir, kind=limit.kind, currency=limit.currency, defaults={"amount": limit.amount}
            )
        former.delete()
