"""Every page people see besides the admin, found by walking the URL configuration, with something on each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver, reverse

from metering.caps.set_cap import CapTerms, set_cap
from metering.usage.close_periods import close_periods
from notifications.alerts.raise_alert import raise_alert
from notifications.alerts.recipients import RecipientTerms, add_recipient
from notifications.alerts.unsubscribe import unsubscribe_token
from notifications.channels.webhook.endpoints import EndpointTerms, make_endpoint
from tests.cast import PASSWORD
from tests.factories.balances import AT
from tests.factories.browsers import sign_in, with_app
from tests.factories.credit_notes import credited, usage_line
from tests.factories.events import event_pk, send
from tests.factories.holds import hold_on
from tests.factories.payments import saved_card, topped_up
from tests.factories.recharge import recharging, set_rule
from tests.factories.refunds import withdrawal_of
from tests.factories.shop import NOW, Shop, browser_of
from wallets.accounts.invite_member import invitation_link, invite_member
from wallets.accounts.models import Member, User
from wallets.balances.models import Wallet
from wallets.brand.change import change_brand
from wallets.payments.manual import record_payment
from wallets.payments.models import TopUp
from wallets.portal_links.widget import widget_token
from wallets.refunds.withdraw import confirmation_link
from wallets.statements.models import Statement

ABOVE: Final = ("admin/", "api/")
"""What is below has walks of its own."""
PASSKEY: Final = 4_000
WITHOUT_PEOPLE: Final = ("healthz", "gate", "banner", "stripe_webhook", "brand_")


@dataclass(frozen=True)
class Seen:
    """A page as a browser gets it: its name, how it came and in how many queries."""

    name: str
    address: str
    headers: dict[str, str]
    html: str
    queries: int


def fill(shop: Shop) -> dict[str, dict[str, Any]]:
    """Put something on every page of acme; what stands in the addresses of the pages, by their names ('' for all)."""
    acme = shop.acme
    wallet = Wallet.objects.select_related("account").get(pk=acme.wallet.pk)
    record_payment(wallet=wallet, amount=Decimal(5), means="wire", reference="1", at=AT, actor="fiona")
    close_periods(at=AT + timedelta(days=15))
    saved_card(acme.account)
    topped_up(wallet, "50", at=AT)
    set_rule(wallet, at=NOW - timedelta(minutes=30), threshold=Decimal(100))
    recharging(at=NOW - timedelta(minutes=30))
    hold_on(wallet, "1.50", at=NOW, ttl=3000)
    for cap in (
        CapTerms("user", "day", Decimal("0.08"), currency="USD"),
        CapTerms("account", "month", Decimal(100), currency="USD"),
    ):
        set_cap(account=acme.account, terms=cap, at=AT)
    send(wallet, ("u1", {"input_tokens": 4000, "user": "ada", "api_key": "prod"}), at=AT + timedelta(minutes=90))
    endpoint = make_endpoint(account=acme.account, terms=EndpointTerms(url="https://acme.example/hook"), at=AT)
    dana = add_recipient(account=acme.account, terms=RecipientTerms("dana@acme.example"), at=AT)
    for topic in ("lot_expiring", "wallet_exhausted"):
        raise_alert(topic=topic, key=topic, account_id=acme.account.pk, wallet_id=wallet.pk, facts={}, at=NOW)
    bob = User.objects.create_user("bob@acme.example", "a quite good one")
    Member.objects.create(account=acme.account, user=bob, role="VIEWER", created_at=AT)
    invited = invite_member(account=acme.account, email="new@acme.example", role="VIEWER", by=acme.owner, at=NOW)
    withdrawal = withdrawal_of(acme, "1", at=NOW)
    change_brand(values={"support_email": "help@vendor.example", "terms_text": "Pay first."}, at=AT)
    statement = Statement.objects.first()
    assert statement is not None
    paid = TopUp.objects.latest("pk").public_id
    address, _ = EmailAddress.objects.get_or_create(user=bob, email=bob.email)
    return {
        "": {"account": "acme"},
        "widget": {"token": widget_token(account=acme.account)},
        "enter": {"token": "x"},
        "legal": {"kind": "terms"},
        "charge": {"event": event_pk("req_1")},
        "receipt": {"public_id": paid},
        "look": {"public_id": paid},
        "statement": {"public_id": statement.public_id},
        "statement_events": {"public_id": statement.public_id},
        "statement_line": {"public_id": statement.public_id, "position": usage_line(statement).position},
        "credit_note": {"public_id": credited(statement, by=acme.owner, at=NOW).public_id},
        "lot": {"public_id": wallet.lots.latest("pk").public_id},
        "webhook": {"public_id": endpoint.public_id},
        "unsubscribe": {"token": unsubscribe_token(dana, "lot_expiring")},
        "invitation": {"token": _last_part(invitation_link(invited))},
        "confirm_withdraw": {"token": _last_part(confirmation_link(withdrawal))},
        "confirm_email": {"key": EmailConfirmationHMAC(address).key},
        "reset_password_from_key": {"uidb36": user_pk_to_url_str(bob), "key": default_token_generator.make_token(bob)},
        "mfa_remove_webauthn": {"pk": PASSKEY},
        "mfa_edit_webauthn": {"pk": PASSKEY},
    }


def addresses(objects: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each named URL that is none of ABOVE, as (name, path). A page about an object that `fill` does not name fails here."""
    for space, route, name, wanted in _patterns(get_resolver()):
        if route.startswith(ABOVE) or name.startswith(WITHOUT_PEOPLE):
            continue
        short = re.sub("^account_|_(pdf|csv)$", "", name)
        own = objects.get(short, objects[""])
        assert wanted <= own.keys(), f"{name} needs {wanted}: name its object in `fill`"
        yield name, reverse(f"{space}{name}", kwargs={key: own[key] for key in wanted})


def pages(shop: Shop) -> tuple[list[Seen], set[str]]:
    """Every page as the first sees it who is shown it: a visitor, the owner, somebody with an authenticator app, somebody in no
    account, somebody on the way in. And the names of URLs that show no page to anybody."""
    objects = fill(shop)
    browsers = _browsers(shop)
    seen: dict[str, Seen] = {}
    names = set()
    for name, address in addresses(objects):
        names.add(name)
        if name not in seen and (page := _look(name, address, browsers)):
            seen[name] = page
    return list(seen.values()), names - seen.keys()


def _look(name: str, address: str, browsers: list[Client]) -> Seen | None:
    if name == "account_reset_password_from_key":  # keeps the key in the session and leads to an address without it
        address = browsers[0].get(address).headers["Location"]
    for browser in browsers:
        with CaptureQueriesContext(connection) as queries:
            response = browser.get(address)
        told = dict(response.headers)
        if response.status_code == 200 and told["Content-Type"].startswith("text/html"):
            return Seen(name, address, told, response.content.decode(), len(queries))
    return None


def _browsers(shop: Shop) -> list[Client]:
    owner, _ = sign_in(shop.acme.owner)
    owner.post("/reauthenticate/", {"password": PASSWORD})
    ada, grace, newcomer = (User.objects.create_user(f"{name}@acme.example", PASSWORD) for name in ("ada", "grace", "newcomer"))
    with_an_app, _ = sign_in(ada)
    with_an_app.post("/reauthenticate/", {"password": PASSWORD})
    with_app(ada)
    RecoveryCodes.activate(ada)
    with_a_passkey, _ = sign_in(grace)
    with_a_passkey.post("/reauthenticate/", {"password": PASSWORD})
    with_a_passkey.raise_request_exception = False  # it is no real one: a page that would ask it for its key is not shown
    Authenticator.objects.create(user=grace, type=Authenticator.Type.WEBAUTHN, data={"name": "Phone"}, pk=PASSKEY)
    on_the_way, _ = sign_in(ada)
    asked_for_code = Client()
    asked_for_code.post("/login/code/", {"email": shop.globex.owner.email})
    return [Client(), owner, with_an_app, with_a_passkey, browser_of(newcomer), on_the_way, asked_for_code]


def _patterns(resolver: URLResolver, space: str = "", route: str = "") -> Iterator[tuple[str, str, str, set[str]]]:
    """(namespace, route, name, what stands in the address) of each named URL."""
    for pattern in resolver.url_patterns:
        path = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _patterns(pattern, inner, path)
        elif pattern.name is not None:
            yield space, path, pattern.name, set(re.findall(r"<(?:\w+:)?(\w+)>", path))


def _last_part(link: str) -> str:
    return link.rstrip("/").rsplit("/", 1)[-1]
