"""Who may open what in the back office: every address of the admin, every role, one table (`admin_roles.txt`), made by walking.
`again`: it moves money, and asks again who is there. A new page needs a line, and whoever adds it says with the line who may.
To write it anew: WRITE_TABLE=1."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any, Final

import pytest
from django.apps import apps
from django.contrib import admin  # noqa: TID251 - what is registered is what is tested
from django.contrib.auth.models import Group
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseNotAllowed
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from billing_site.backoffice.roles import FORMER, ROLES, grant_roles
from billing_site.proving import prove_and_keep
from metering.caps.set_cap import CapTerms, set_cap
from metering.usage.close_periods import close_periods
from notifications.alerts.models import Recipient
from notifications.alerts.send_test import send_test
from notifications.channels.email.kept import KeptMail
from notifications.channels.webhook.endpoints import EndpointTerms, make_endpoint
from notifications.rules.models import ThresholdRule
from pricing.books.models import PriceVersion
from pricing.books.pin import pin_version
from pricing.credit_products.define import set_unit_rate
from tests.cast import PASSWORD
from tests.factories.adjustments import adjusted, may_alone
from tests.factories.bank_lines import bank_line
from tests.factories.credit_notes import credited, usage_line
from tests.factories.holds import hold_on
from tests.factories.mirror import noted
from tests.factories.money_in import paid_in
from tests.factories.plans import sold_to
from tests.factories.refunds import withdrawal_of
from tests.factories.reviews import reviewed
from tests.factories.shop import NOW, browser_of, open_shop
from wallets import clock
from wallets.accounts.models import User
from wallets.approvals.models import ApprovalLimit
from wallets.audit.models import AuditEvent
from wallets.audit.record import record_change
from wallets.brand.models import Brand
from wallets.payments.offer_models import RefundPolicy, TaxRate, TopUpTerms
from wallets.refunds.refund import Why, refund_top_up
from wallets.reports.models import AccountCode
from wallets.risk.models import TrustTier
from wallets.statements.models import Statement

pytestmark = pytest.mark.django_db
TABLE: Final = Path(__file__).with_name("admin_roles.txt")
LETTERS: Final = dict(zip(ROLES, ("v", "s", "o", "a", "c", "p", "A"), strict=True))
# For everybody of the staff, or about nothing of ours.
DJANGOS: Final = {
    "login",
    "logout",
    "jsi18n",
    "autocomplete",
    "view_on_site",
    "app_list",
    "password_change",
    "password_change_done",
}
OTHER_ROWS: Final = {
    "wallets_adjustment_adjust": "wallets.wallet",
    "wallets_bankline_expect": "wallets.wallet",
    "wallets_refund_make": "wallets.topup",
    "wallets_creditnote_credit": "wallets.statement",
    "wallets_creditnote_events": "wallets.statement",
    "wallets_creditnote_line": "wallets.statement",
}
"""Pages whose address names a row of another kind than their own."""


ONE_ROW: Final[dict[Any, dict[str, Any]]] = {
    Recipient: {"email": "cfo@vendor.example", "created_at": NOW},
    KeptMail: {"message_id": "<1@acme.example>", "address": "billing@acme.example", "subject": "A test", "text": "A test"},
    TrustTier: {"from_age_days": 0, "currency": "USD"},
    Brand: {"changed_at": NOW},
    TopUpTerms: {"currency": "USD", "minimum": 1, "maximum": 9},
    TaxRate: {"country": "DE", "name": "VAT", "percent": 19, "effective_at": NOW},
    ThresholdRule: {"name": "Stop", "percent": 5, "then": "block"},
    RefundPolicy: {"version": 1, "sentence": "None.", "effective_at": NOW},
}
TRIED_ELSEWHERE: Final = re.compile(
    r"_adjustment_file$|_dispute_|_assignment_|_mirrordrift_|_voucherattempt_|_ruleact_|_heldalert_|^reopen-period$"
)
"""Pages on what the shop has none of; tests of their own open them as people who may not."""


@pytest.fixture
def staff(acme: Any, globex: Any, fiona: User) -> Iterator[dict[str, User]]:
    """A person of each role, in a shop that has one of each thing."""
    shop = open_shop(acme, globex)
    with clock.set_to(NOW):
        sold_to(shop.acme, at=NOW)
        hold_on(shop.acme.wallet, "0.01", at=NOW)
        set_cap(account=shop.acme.account, terms=CapTerms("user", "day", D(5), currency="USD"), at=NOW)
        adjusted(shop.acme.wallet, "5000", by=fiona, at=NOW)  # waits for somebody
        reviewed(shop.acme.wallet, at=NOW)
        paid = paid_in(shop.acme, at=NOW)
        bank_line(by=fiona, at=NOW)
        adjusted(shop.acme.wallet, "5", by=may_alone(fiona, "100"), at=NOW)
        refund_top_up(top_up=paid, credit=D(1), why=Why("duplicate"), at=NOW)
        withdrawal_of(shop.acme, "1", at=NOW)
        record_change(
            actor=fiona, action="Test", subject_kind="wallets.wallet", subject="w", before={}, after={}, reason="", at=NOW
        )
        noted(shop.acme.account, at=NOW)
        hook = make_endpoint(account=shop.acme.account, terms=EndpointTerms(url="https://acme.example/"), at=NOW)
        send_test(endpoint=hook, at=NOW)
        set_unit_rate(unit="CREDITS", currency="USD", units=D(100), at=NOW)
        version, later = PriceVersion.objects.filter(status="PUBLISHED").order_by("pk")[0], NOW + timedelta(days=9)
        pin_version(account=shop.acme.account, version=version, effective_at=later, until=later + timedelta(days=1), at=NOW)
        for model, fields in ONE_ROW.items():
            model.objects.create(**fields)
        close_periods(at=NOW + timedelta(days=15))
        credited(Statement.objects.order_by("pk")[0], by=fiona, at=NOW + timedelta(days=15))
        prove_and_keep(at=NOW, provers=())
        AccountCode.objects.create(kind="REVENUE", code="4400")
        grant_roles()
        people = {}
        for role in ROLES:
            people[role] = User.objects.create_user(f"{role.replace(' ', '.')}@vendor.example", PASSWORD, is_staff=True)
            people[role].groups.add(Group.objects.get(name=role))
        yield people


def addresses() -> Iterator[tuple[str, URLPattern]]:
    def walk(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
        for pattern in resolver.url_patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern, route)
            elif route.startswith("admin/") and pattern.name and pattern.name not in DJANGOS:
                yield route, pattern

    return walk(get_resolver(), "")


def arguments(route: str, name: str) -> dict[str, Any]:
    """Rows that are there."""
    given: dict[str, Any] = {}
    kind = OTHER_ROWS.get(name) or ".".join(re.sub(r"^auth_user_password_change$", "wallets_user_", name).split("_")[:2])
    for converter, parameter in re.findall(r"<(?:(\w+):)?(\w+)>", route):
        row = apps.get_model(kind).objects.order_by("pk").first() if kind.count(".") else None
        if parameter in {"pk", "object_id", "id"} and row is not None:
            given[parameter] = row.pk if converter == "int" else str(row.pk)
        elif parameter == "position":
            given[parameter] = usage_line(row).position
        elif parameter == "slug":
            given[parameter] = "liability"
        elif parameter == "lot_pk":
            given[parameter] = row.lots.first().pk
        else:
            given[parameter] = 1 if converter == "int" else "csv"
    return given


def asked_for(user: User, pattern: URLPattern, given: dict[str, Any]) -> str:
    """What a person gets who asks for a page: `yes`, `no`, `nothing` when there is no such row."""
    request: HttpRequest = RequestFactory().get("/admin/")
    request.user = user
    request.session = SessionBase()
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    try:
        answer = pattern.callback(request, **given)
    except PermissionDenied:
        return "no"
    except Http404:
        return "nothing"
    if isinstance(answer, HttpResponseNotAllowed):
        return "yes"
    if answer.get("Location", "") == reverse("admin:index"):
        return "nothing"  # Django's way to say so
    return "no" if answer.status_code == 403 or reverse("admin:login") in answer.get("Location", "") else "yes"


def test_every_page_is_for_whom_the_table_says(
    staff: dict[str, User], fiona: User, acme: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The frame around a page decides nothing, and is most of its cost: three thousand pages are asked for.
    monkeypatch.setattr(admin.site, "each_context", lambda request: {"available_apps": []})
    walked, nowhere = {}, []
    for route, pattern in addresses():
        name = str(pattern.name)
        if name in walked:
            continue
        given = arguments(route, name)
        if asked_for(fiona, pattern, given) == "nothing":
            nowhere.append(name)
        got = {role: asked_for(person, pattern, given) for role, person in staff.items()}
        again = " again" if getattr(pattern.callback, "moves_money", False) else ""
        walked[name + again] = "".join(LETTERS[role] if answer == "yes" else "-" for role, answer in got.items())
        assert asked_for(acme.owner, pattern, given) == "no", name
    lines = [f"{marks}  {name}" for name, marks in sorted(walked.items())]
    if os.environ.get("WRITE_TABLE"):
        TABLE.write_text("".join(f"{line}\n" for line in lines))
    assert not [name for name in nowhere if not TRIED_ELSEWHERE.search(name)], "no row of this kind in the shop"
    assert TABLE.read_text().splitlines() == lines
    assert len(walked) > 200


def test_every_kind_of_record_is_shown_to_some_role() -> None:
    seen = {permission for permissions in ROLES.values() for permission in permissions}
    views = {f"{one._meta.app_label}.view_{one._meta.model_name}" for one in admin.site._registry}
    assert not views - seen


def test_those_who_move_money_neither_approve_nor_set_limits() -> None:
    moves = {"wallets.add_creditlot", "wallets.add_adjustment", "wallets.add_refund"}
    guards = {"wallets.change_approval", "wallets.change_approvallimit", "wallets.change_user"}
    for role, permissions in ROLES.items():
        assert not (moves & set(permissions) and guards & set(permissions)), role


def test_people_of_former_roles_keep_what_they_could_do(fiona: User) -> None:
    former = {name: Group.objects.create(name=name) for name in FORMER}
    ApprovalLimit.objects.create(role=former["finance"], currency="USD", amount=D(750))
    people = {name: User.objects.create_user(f"{name[:3]}@vendor.example", PASSWORD, is_staff=True) for name in FORMER}
    for name, person in people.items():
        person.groups.add(former[name])
    for _ in range(2):
        grant_roles()
        for name, became in FORMER.items():
            assert set(people[name].groups.values_list("name", flat=True)) == set(became)
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)
    limits = ApprovalLimit.objects.filter(role__name="operator").values_list("currency", "amount")
    assert dict(limits)["USD"] == 750


def test_nobody_raises_themselves(fiona: User) -> None:
    grant_roles()
    roles = {name: Group.objects.get(name=name) for name in ("administrator", "operator")}
    ada = User.objects.create_user("ada@vendor.example", PASSWORD, is_staff=True)
    ada.groups.add(roles["administrator"])
    browser = browser_of(ada)
    inline = {f"memberships-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    more = {"email": ada.email, "time_zone": "UTC", "is_active": "on", "is_staff": "on", "is_superuser": "on", **inline}
    own = reverse("admin:wallets_user_change", args=[ada.pk])
    assert browser.post(own, more | {"groups": [roles["operator"].pk]}).status_code == 302
    ada.refresh_from_db()
    assert (ada.is_superuser, list(ada.groups.values_list("name", flat=True))) == (False, ["administrator"])
    superuser = reverse("admin:wallets_user_change", args=[fiona.pk])
    assert browser.post(superuser, more | {"email": "taken@over.example"}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[fiona.pk])
    assert browser.post(password, {"password1": "x" * 12, "password2": "x" * 12}).status_code == 403
    sam = User.objects.create_user("sam2@vendor.example", PASSWORD, is_staff=True)
    other = reverse("admin:wallets_user_change", args=[sam.pk])
    told = more | {"email": sam.email, "groups": [roles["operator"].pk]}
    assert browser.post(other, told).status_code == 302
    sam.refresh_from_db()
    assert (sam.is_superuser, list(sam.groups.values_list("name", flat=True))) == (False, ["operator"])
    event = AuditEvent.objects.latest("id")
    assert (event.user, event.subject, event.after["groups"]) == (ada, sam.email, ["operator"])
