"""`manage.py bench pages`: how long the pages take that people open, on a company with a million events, each beside the page
on which one signs in, in one run: a request to each in turn, so that a slow moment falls on all of them. Over HTTP, one
connection, the web processes of `manage.py run`; the first two turns are not counted."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.test import Client
from django.urls import reverse

from billing_site.benchmarks.big_company import OWNER, make_big_company
from billing_site.benchmarks.http_load import percentile
from billing_site.benchmarks.web import web_processes
from billing_site.portal.navigation import GROUPS, address_of
from metering.usage.models import UsageEvent
from wallets.accounts.models import Account, User
from wallets.credit.models import CreditLot
from wallets.payments.models import TopUp
from wallets.statements.models import Statement

ROUNDS: Final = 22
WARM: Final = 2
SIGN_IN: Final = "sign_in"
STAFF: Final = "benchmark@vendor.example"
OK: Final = 200
GOAL_MS: Final = 300.0
LISTS: Final = (
    "wallets_account", "wallets_wallet", "wallets_creditlot", "wallets_journalentry", "wallets_topup", "wallets_auditevent",
    "metering_usageevent", "metering_hourlyusage",
)  # fmt: skip


def measure_pages(
    *, at: datetime, events: int, rounds: int = ROUNDS, tell: Callable[[str], object] = lambda _: None
) -> dict[str, float]:
    """p50 and p99 (milliseconds) of each page, and how many times the sign-in page's p50 it takes; `tell` gets a line each."""
    made = make_big_company(events=events, at=at, tell=tell)
    pages = {SIGN_IN: ("", reverse("portal:login"))} | _pages(Account.objects.get(key=made.accounts[0]))
    took: dict[str, list[float]] = {name: [] for name in pages}
    with web_processes() as address:
        link = http.client.HTTPConnection(address, timeout=60)
        session = f"session_{address.rpartition(':')[2]}" if settings.SITE_IS_LOCAL else settings.SESSION_COOKIE_NAME
        for number in range(rounds):
            for name, (key, page) in pages.items():
                millis = _ask(link, page, f"{session}={key}" if key else "")
                if number >= min(WARM, rounds - 1):
                    took[name].append(millis)
        link.close()
    figures: dict[str, float] = {}
    sign_in = statistics.median(took[SIGN_IN])
    for name, of_page in took.items():
        of_page.sort()
        figures[f"{name}_p50_ms"], figures[f"{name}_p99_ms"] = statistics.median(of_page), percentile(of_page, 99)
        if name != SIGN_IN:
            figures[f"{name}_over_{SIGN_IN}"] = figures[f"{name}_p50_ms"] / sign_in
        if figures[f"{name}_p50_ms"] > GOAL_MS:
            tell(f"{name} takes {figures[f'{name}_p50_ms']:.0f} ms, more than {GOAL_MS:.0f}")
    return figures


def _pages(account: Account) -> dict[str, tuple[str, str]]:
    """Name -> the session of whoever looks, and the address: every page of the navigation, pages below them, and of the back
    office its front page, one customer, its largest lists and its reports."""
    owner = _session(User.objects.get(email=OWNER))
    staff = _session(User.objects.create_superuser(STAFF))
    key = account.key
    below = {
        "overview_day": f"{reverse('portal:balance')}?account={key}&span=day",
        "usage_by_model": f"{reverse('portal:usage', args=[key])}?by=model&span=quarter",
        "usage_by_user": f"{reverse('portal:usage', args=[key])}?by=user&span=week",
        "usage_events": f"{reverse('portal:usage_events', args=[key])}?span=quarter",
        "usage_events_of_user": f"{reverse('portal:usage_events', args=[key])}?span=quarter&by=user&value=u_7",
        "charge": reverse("portal:charge", args=[UsageEvent.objects.filter(account=account).latest("time").pk]),
        "lot": reverse("portal:lot", args=[CreditLot.objects.filter(wallet__account=account).latest("id").public_id]),
        "receipt": reverse("portal:receipt", args=[TopUp.objects.filter(wallet__account=account).latest("id").public_id]),
    }
    statement = Statement.objects.filter(wallet__account=account).order_by("-id").first()
    if statement is not None:
        below["statement"] = reverse("portal:statement", args=[statement.public_id])
    portal = {page.name: address_of(page, key) for _label, pages in GROUPS for page in pages} | below
    office = {
        "admin_today": reverse("admin:index"),
        "admin_customer": reverse("admin:customer", args=[account.pk]),
        **{f"admin_{name}": reverse(f"admin:{name}_changelist") for name in LISTS},
    }
    return {name: (owner, page) for name, page in portal.items()} | {name: (staff, page) for name, page in office.items()}


def _session(user: User) -> str:
    """Key of the session of a browser in which this person is signed in."""
    browser = Client()
    browser.force_login(user)
    return str(browser.cookies[settings.SESSION_COOKIE_NAME].value)


def _ask(link: http.client.HTTPConnection, page: str, cookie: str) -> float:
    """Milliseconds from the request to the last byte of the answer."""
    headers: dict[str, Any] = {"Cookie": cookie} if cookie else {}
    started = time.perf_counter()
    link.request("GET", page, headers=headers)
    response = link.getresponse()
    response.read()
    if response.status != OK:
        raise RuntimeError(f"{page} answers {response.status}")
    return (time.perf_counter() - started) * 1000
