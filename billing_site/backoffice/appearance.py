"""What the back office looks like, for Unfold: names, colours, and navigation by the work rather than by the table."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy

from billing_site.backoffice.reports import MONEY, REPORTS, USAGE
from billing_site.backoffice.worklists import waiting_for
from wallets.mirror.since import mirrored_since


def _may_see(permission: str) -> Any:
    return lambda request: request.user.has_perm(permission)


def _page(title: str, icon: str, model: str, **more: Any) -> dict[str, Any]:
    """An entry of the navigation: the list of `model` (`wallets.account`), for those who may see it."""
    app, _, name = model.partition(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": _may_see(f"{app}.view_{name}"),
        **more,
    }


FIND: Final[dict[str, Any]] = {
    "title": "Find",
    "icon": "person_search",
    "link": reverse_lazy("admin:customer_find"),
    "permission": _may_see("wallets.view_account"),
}
GATE: Final[dict[str, Any]] = {
    "title": "Gate",
    "icon": "traffic",
    "link": reverse_lazy("admin:gate"),
    "permission": _may_see("metering.view_spendcap"),
}


GENERAL_LEDGER: Final[dict[str, Any]] = {
    "title": "General ledger",
    "icon": "upload_file",
    "link": reverse_lazy("admin:general_ledger"),
    "permission": lambda request: request.user.has_perm(MONEY) and request.user.has_perm("wallets.view_accountcode"),
}
PERIODS: Final[dict[str, Any]] = {
    "title": "Periods",
    "icon": "lock_clock",
    "link": reverse_lazy("admin:periods"),
    "permission": _may_see("wallets.view_periodclosing"),
}
IN_NAVIGATION: Final = ("liability", "deferred-revenue", "revenue", "margin", "run-out", "cadence")
ALL_REPORTS: Final[dict[str, Any]] = {
    "title": "All reports",
    "icon": "summarize",
    "link": reverse_lazy("admin:reports"),
    "active": lambda request: request.path == reverse("admin:reports"),
    "permission": lambda request: request.user.has_perm(MONEY) or request.user.has_perm(USAGE),
}


def _report(slug: str) -> dict[str, Any]:
    kind = REPORTS[slug]
    return {
        "title": kind.title,
        "icon": "query_stats",
        "link": reverse_lazy("admin:report", args=[slug]),
        "permission": _may_see(kind.right),
    }


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The side bar."""
    waiting = [
        _page(
            one.title,
            one.icon,
            one.model,
            link=one.link,
            **({"badge": f"{count:,}", "badge_variant": "warning"} if count else {}),
        )
        for one, count in waiting_for(request.user)
    ]
    return [
        {"items": [{"title": "Today", "icon": "home", "link": reverse_lazy("admin:index")}]},
        {"title": "Customers", "items": [FIND, _page("Accounts", "domain", "wallets.account")]},
        {
            "title": "Money in",
            "items": [
                _page("Top-ups", "payments", "wallets.topup"),
                _page("Receipts", "receipt", "wallets.receipt"),
                _page("Refunds", "undo", "wallets.refund"),
                _page("Disputes", "gavel", "wallets.dispute"),
                _page("Withdrawals", "output", "wallets.withdrawal"),
                _page("Cards", "credit_card", "wallets.paymentmethod"),
                _page("Webhooks", "webhook", "wallets.providerevent"),
            ],
        },
        {
            "title": "Credit",
            "items": [
                _page("Wallets", "account_balance_wallet", "wallets.wallet"),
                _page("Credit lots", "confirmation_number", "wallets.creditlot"),
                _page("Holds", "hourglass", "wallets.hold"),
                _page("Adjustments", "exposure", "wallets.adjustment"),
            ],
        },
        {
            "title": "Usage",
            "items": [
                _page("Events", "bolt", "metering.usageevent"),
                _page("Usage by hour", "bar_chart", "metering.hourlyusage"),
                _page("Spend caps", "speed", "metering.spendcap"),
                GATE,
            ],
        },
        {
            "title": "Pricing",
            "items": [
                _page("Price books", "menu_book", "pricing.pricebook"),
                _page("Versions", "history", "pricing.priceversion"),
                _page("Assignments", "assignment_ind", "pricing.assignment"),
                _page("Pins", "push_pin", "pricing.versionpin"),
                _page("Meters", "speed", "pricing.meter"),
            ],
        },
        {
            "title": "Offers",
            "items": [
                _page("Plans", "workspaces", "pricing.plan"),
                _page("Subscriptions", "autorenew", "pricing.subscription"),
                _page("Commitments", "handshake", "pricing.commitment"),
                _page("Credit products", "sell", "pricing.creditproduct"),
                _page("Credit units", "currency_exchange", "pricing.creditunitrate"),
                _page("Vouchers", "redeem", "pricing.voucherbatch"),
                _page("Voucher attempts", "password", "pricing.voucherattempt"),
            ],
        },
        {
            "title": "Books",
            "items": [
                _page("Statements", "description", "wallets.statement"),
                _page("Credit notes", "contract_delete", "wallets.creditnote"),
                PERIODS,
                _page("Entries", "receipt_long", "wallets.journalentry"),
                _page("Chart of accounts", "account_tree", "wallets.ledgeraccount"),
                _page("Proofs", "verified", "wallets.proofrun"),
                GENERAL_LEDGER,
                _page("Account codes", "tag", "wallets.accountcode"),
            ],
        },
        {"title": "Reports", "items": [_report(kind) for kind in IN_NAVIGATION] + [ALL_REPORTS]},
        *_mirror(),
        {
            "title": "Told",
            "items": [
                _page("Deliveries", "forward_to_inbox", "notifications.delivery"),
                _page("Finance's recipients", "contact_mail", "notifications.recipient"),
                _page("Webhook endpoints", "webhook", "notifications.webhookendpoint"),
                _page("Sent mail", "drafts", "notifications.keptmail"),
            ],
        },
        {"title": "Worklists", "items": waiting},
        {
            "title": "Access",
            "items": [
                _page("People", "group", "wallets.user"),
                _page("Roles", "shield_person", "auth.group"),
                _page("Audit log", "history_edu", "wallets.auditevent"),
                _page("API keys", "key", "wallets.apikey"),
                _page("Approval limits", "rule", "wallets.approvallimit"),
                _page("Brand", "storefront", "wallets.brand"),
                _page("Reason codes", "label", "wallets.reasoncode"),
                _page("Top-up terms", "tune", "wallets.topupterms"),
                _page("Tax rates", "percent", "wallets.taxrate"),
                _page("Refund policy", "policy", "wallets.refundpolicy"),
                _page("Threshold rules", "notifications_active", "notifications.thresholdrule"),
                _page("What rules did", "checklist", "notifications.ruleact"),
                _page("Alerts held back", "notifications_paused", "notifications.heldalert"),
                _page("Velocity rules", "speed", "wallets.velocityrule"),
                _page("Trust tiers", "stairs", "wallets.trusttier"),
            ],
        },
    ]


def _mirror() -> list[dict[str, Any]]:
    """The mirror to the provider's billing, where there is one."""
    if mirrored_since() is None:
        return []
    items = [
        _page("Mirrored items", "sync", "wallets.mirroritem"),
        _page("Mirror drift", "sync_problem", "wallets.mirrordrift"),
    ]
    return [{"title": "Mirror", "items": items}]


UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "Prepaid",
    "SITE_HEADER": "Prepaid",
    "SITE_SUBHEADER": "Back office",
    "SITE_SYMBOL": "account_balance_wallet",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("billing_site/mark.svg")}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "STYLES": [
        lambda _: static("billing_site/tokens.css"),
        lambda _: static("billing_site/components.css"),
        lambda _: static("billing_site/backoffice.css"),
    ],
    "COLORS": {
        "base": {
            "50": "#f7f8f8", "100": "#eff1f1", "200": "#e1e5e5", "300": "#c9d0d0", "400": "#98a4a5", "500": "#67767a",
            "600": "#4a585c", "700": "#354246", "800": "#222c30", "900": "#141b1e", "950": "#0b1012",
        },
        "primary": {
            "50": "#effaf8", "100": "#d8f3ee", "200": "#b3e6de", "300": "#80d2c8", "400": "#49b7ac", "500": "#279a91",
            "600": "#0f766e", "700": "#115e59", "800": "#134b48", "900": "#143f3c", "950": "#052523",
        },
    },
    "SIDEBAR": {"show_search": False, "command_search": True, "show_all_applications": False, "navigation": navigation},
    "COMMAND": {"search_models": False, "show_history": True, "search_callback": "billing_site.backoffice.find.find"},
}  # fmt: skip
"""For `settings.UNFOLD`."""
