"""Every request to the API that changed something goes to the audit log: which key, what it asked for, the row it is about
before and after. Views need not think of it. What is not recorded is named here, with why."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase

from billing_site.api.authentication import bearer_secret
from metering.caps.models import SpendCap
from notifications.channels.webhook.models import WebhookEndpoint
from pricing.books.models import PriceBook, PriceVersion, VersionPin
from pricing.commitments.models import Commitment
from pricing.credit_products.models import CreditProduct, VoucherBatch
from pricing.meters.models import Meter
from pricing.plans.models import Plan, Subscription
from wallets import clock
from wallets.accounts.models import Account
from wallets.admin.recorded import address_of
from wallets.api_keys.verify import Caller, KeyRefused, verify_api_key
from wallets.approvals.models import Approval
from wallets.audit.record import record_change
from wallets.audit.rows import account_id_of, fields_of, kind_of, name_of
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.payments.models import PaymentMethod, TopUp
from wallets.refunds.models import Refund, Withdrawal

CHANGES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
NOT_RECORDED: Final[Mapping[str, str]] = {
    "events": "each event is a row that is never changed, with its charge and its journal entry",
    "authorize": "a decision, counted by the gate",
    "holds": "each hold is a row that says who and when",
    "hold_capture": "as above",
    "hold_renew": "as above",
    "hold_extend": "as above",
    "hold_release": "as above",
    "credit_preview": "stores nothing",
    "price_preview": "stores nothing",
    "widget_tokens": "a signed token; stores nothing",
    "banner_tokens": "a signed token; stores nothing",
    "pricing_simulate": "works out an answer; its run is a row with its actor",
}
"""Name of the URL -> why a request to it that changes something is not in the audit log."""
SUBJECTS: Final[Mapping[str, tuple[type[Model], str]]] = {
    "key": (Account, "key"),
    "wallet_id": (Wallet, "public_id"),
    "lot_id": (CreditLot, "public_id"),
    "top_up_id": (TopUp, "public_id"),
    "refund_id": (Refund, "public_id"),
    "withdrawal_id": (Withdrawal, "public_id"),
    "card_id": (PaymentMethod, "public_id"),
    "code": (Meter, "code"),
    "book_id": (PriceBook, "public_id"),
    "version_id": (PriceVersion, "public_id"),
    "pin_id": (VersionPin, "public_id"),
    "plan_id": (Plan, "public_id"),
    "subscription_id": (Subscription, "public_id"),
    "commitment_id": (Commitment, "public_id"),
    "product_id": (CreditProduct, "public_id"),
    "batch_id": (VoucherBatch, "public_id"),
    "approval_id": (Approval, "public_id"),
    "cap_id": (SpendCap, "public_id"),
    "endpoint_id": (WebhookEndpoint, "public_id"),
}
"""Parameter of an address -> what it names, and by which field."""
HIDDEN: Final[Mapping[str, tuple[str, ...]]] = {"wallet_vouchers": ("code",)}
"""Name of the URL -> fields of the body that are as good as money."""
NAMED_BY: Final = ("id", "account", "code", "key")
"""Fields of an answer that name what was made."""


def records(name: str | None, view: object, method: str | None) -> bool:
    """Whether a request by `method` to the API's `view` at the URL `name` is recorded."""
    return method in CHANGES and hasattr(view, "required_scope") and name not in NOT_RECORDED


def run_recorded(
    request: HttpRequest, view: Callable[..., HttpResponseBase], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> HttpResponseBase:
    """The view's answer; noted when it is no refusal.

    In one transaction with the change where all its effects are ours (`idempotent`, PUT, PATCH); right after it where the
    provider is asked in between, or where a refusal leaves something behind (an attempt at a voucher).
    """
    declared = getattr(view, "cls", None)
    if not (getattr(declared, "idempotent", False) or request.method in {"PUT", "PATCH"}):
        return _run(request, view, args, kwargs)
    with transaction.atomic():
        response = _run(request, view, args, kwargs)
        if response.status_code >= 400:  # noqa: PLR2004 - a refusal leaves nothing behind
            transaction.set_rollback(True)
    return response


def _run(
    request: HttpRequest, view: Callable[..., HttpResponseBase], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> HttpResponseBase:
    caller = _caller(request)
    if caller is None:
        return view(request, *args, **kwargs)  # says 401
    kind, name, row = _subject(kwargs)
    before = fields_of(row)
    body = _body(request)  # the view reads it too; Django keeps it
    response = view(request, *args, **kwargs)
    if response.status_code >= 400:  # noqa: PLR2004 - nothing was changed
        return response
    match = request.resolver_match
    assert match is not None, request.path
    made = getattr(response, "data", None)
    made = next((str(made[one]) for one in NAMED_BY if made.get(one)), "") if isinstance(made, Mapping) else ""
    record_change(
        actor=caller,
        action=f"{request.method} /{match.route.removeprefix('api/v1/')}",
        subject_kind=kind or f"api.{match.url_name}",
        subject=name or made,
        before=before,
        after=fields_of(row),
        reason=str(body.pop("reason", "") or "") if isinstance(body, dict) else "",
        at=clock.now(),
        account=_account_id(row, body, caller),
        details=(body if isinstance(body, dict) else {"body": body}) | ({"made": made} if made and made != name else {}),
        address=address_of(request),
        hide=HIDDEN.get(match.url_name or "", ()),
    )
    return response


def _subject(kwargs: Mapping[str, Any]) -> tuple[str, str, Model | None]:
    """(kind, what it is called, its row) of what an address is about."""
    for parameter, value in kwargs.items():
        if parameter not in SUBJECTS:
            return "", str(value), None
        model, field = SUBJECTS[parameter]
        row = model._base_manager.filter(**{field: value}).first()  # noqa: SLF001 - whatever managers hide
        return kind_of(model), name_of(row) or str(value), row
    return "", "", None


def _account_id(row: Model | None, body: Any, caller: Caller) -> int | None:
    """Whom it concerns: the owner of the row, who the body names, or who the key is confined to."""
    found = account_id_of(row)
    if found is None and isinstance(body, dict) and isinstance(body.get("account"), str):
        found = Account.objects.filter(key=body["account"]).values_list("pk", flat=True).first()
    return caller.account_id if found is None else found


def _body(request: HttpRequest) -> Any:
    try:
        return json.loads(request.body, parse_float=str) if request.body else {}
    except (ValueError, RecursionError):
        return {}


def _caller(request: HttpRequest) -> Caller | None:
    secret = bearer_secret(request.META.get("HTTP_AUTHORIZATION", ""))
    if secret is None:
        return None
    try:
        return verify_api_key(secret, at=clock.now())
    except KeyRefused:
        return None
