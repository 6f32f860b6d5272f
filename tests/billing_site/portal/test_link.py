"""One-time links into the portal, and the widget."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import Api, Company
from tests.factories.shop import Shop, text_of
from tests.threads import at_once
from wallets.accounts.close import close_account
from wallets.accounts.models import Member
from wallets.audit.models import AuditEvent
from wallets.brand.change import change_brand
from wallets.clock import now
from wallets.portal_links.make import MOST_IN_AN_HOUR, LinkTerms, hash_of, make_link
from wallets.portal_links.models import PortalLink
from wallets.portal_links.use import LinkOver, use_link
from wallets.visits.models import SignIn

db = pytest.mark.django_db


def link_of(vendor: Api, **said: object) -> str:
    """The path of a new link to acme."""
    answer = vendor.post("/portal-sessions", {"account": "acme", **said})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["url"]).partition("/enter/")[2].join(["/enter/", ""])


def page(browser: Client, name: str, account: str = "acme") -> int:
    return browser.get(reverse(f"portal:{name}", args=[account])).status_code


@db
def test_a_guest_reads_one_account_once_and_changes_nothing(shop: Shop, vendor: Api) -> None:
    path, browser = link_of(vendor, return_url="https://app.example.com/"), Client()
    assert browser.head(path).status_code == 200, "a look at the address uses nothing up"
    assert browser.get(path)["Location"] == "/?account=acme"
    assert Client().get(path).status_code == 404
    said = text_of(browser.get("/?account=acme"))
    assert "You came to Acme by a link. Nothing can be changed." in said
    assert "Go back" in said
    assert {
        name: page(browser, name) for name in ("usage", "credit", "statements", "alerts", "team", "billing")
    } == dict.fromkeys(("usage", "credit", "statements", "alerts", "team", "billing"), 200)
    assert {page(browser, name) for name in ("top_up", "cards", "withdraw", "developers", "privacy", "download")} == {403}
    assert page(browser, "usage", "globex") == 404
    assert browser.get("/security/?account=acme").status_code == 403
    for address in ("/admin/", "/2fa/", "/sessions/", "/email/"):
        assert browser.get(address).status_code in {302, 404}, address
    assert browser.post(reverse("portal:billing", args=["acme"]), {"legal_name": "Mine"}).status_code == 403
    assert browser.post(reverse("portal:top_up", args=["acme"]), {"amount": "50"}).status_code == 403
    assert browser.post(reverse("portal:leave"))["Location"] == "https://app.example.com/"
    assert browser.get("/?account=acme").status_code == 302
    link = PortalLink.objects.get()
    assert link.token_hash == hash_of(path.split("/")[2])
    events = [(one.action, one.account_id) for one in AuditEvent.objects.order_by("id")]
    assert events == [("POST /portal-sessions", shop.acme.account.pk), ("Open the portal by a link", shop.acme.account.pk)]
    assert path.split("/")[2] not in str(list(AuditEvent.objects.values()))


@db
def test_a_member_keeps_the_role_but_not_what_wants_a_sign_in(shop: Shop, vendor: Api) -> None:
    owner = shop.acme.owner
    browser = Client()
    browser.force_login(shop.globex.owner)
    browser.get(link_of(vendor, user=owner.email.upper(), read_only=False))
    assert page(browser, "usage", "globex") == 404, "whoever was signed in is not any more"
    assert page(browser, "top_up") in {200, 422}
    saved = browser.post(reverse("portal:billing", args=["acme"]), {"legal_name": "Acme Ltd"})
    assert saved.status_code == 302
    assert AuditEvent.objects.get(action="Change billing details").user == owner
    assert SignIn.objects.filter(user=owner).latest("id").method == "link"
    assert page(browser, "developers") == page(browser, "privacy") == 403
    invite = {"what": "invite", "email": "x@y.example", "role": "OWNER"}
    assert browser.post(reverse("portal:team", args=["acme"]), invite).status_code == 403
    Member.objects.filter(account=shop.acme.account).exclude(user=owner).delete()
    reading = Client()
    reading.get(link_of(vendor, user=owner.email))
    assert page(reading, "usage") == 200
    assert reading.post(reverse("portal:billing", args=["acme"]), {"legal_name": "X"}).status_code == 403
    Member.objects.filter(user=owner).delete()
    assert page(browser, "usage") == page(reading, "usage") == 302


@db
def test_links_end(shop: Shop, vendor: Api) -> None:
    at = now()
    made = make_link(account=shop.acme.account, terms=LinkTerms(ttl_seconds=10), by="api:key_1", at=at - timedelta(seconds=11))
    with pytest.raises(LinkOver):
        use_link(token=made.url.split("/")[-2], at=at)
    browser = Client()
    browser.get(link_of(vendor))
    assert page(browser, "usage") == 200
    PortalLink.objects.filter(ends_at__isnull=False).update(ends_at=at)
    assert page(browser, "usage") == 302
    assert Client().get("/enter/nothing/").status_code == 404
    close_account(account=shop.acme.account, at=at)
    assert vendor.post("/portal-sessions", {"account": "acme"}).json()["code"] == "account_closed"


@db
@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"user": "stranger@globex.example"}, "user"),
        ({"read_only": False}, "read_only"),
        ({"ttl_seconds": 9}, "ttl_seconds"),
        ({"session_minutes": 721}, "session_minutes"),
        ({"return_url": "javascript:alert(1)"}, "return_url"),
    ],
)
def test_what_is_wrong_is_named(acme: Company, vendor: Api, said: dict[str, object], field: str) -> None:
    answer = vendor.post("/portal-sessions", {"account": "acme", **said})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


@db
def test_so_many_an_hour(acme: Company, vendor: Api) -> None:
    PortalLink.objects.bulk_create(
        PortalLink(
            public_id=f"pls_{number}", account=acme.account, read_only=True, token_hash=str(number), session_minutes=1,
            made_by="api:key_1", created_at=now(), expires_at=now(),
        )
        for number in range(MOST_IN_AN_HOUR)
    )  # fmt: skip
    answer = vendor.post("/portal-sessions", {"account": "acme"})
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (429, "too_many_portal_sessions", "60")
    assert acme.api.post("/portal-sessions", {"account": "acme"}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_comes_in_and_looking_first_lets_more_in(acme: Company) -> None:
    at = now()
    token = make_link(account=acme.account, terms=LinkTerms(), by="api:key_1", at=at).url.split("/")[-2]
    answers = at_once([lambda: use_link(token=token, at=at)] * 8)
    assert sum(isinstance(one, PortalLink) for one in answers) == 1
    assert sum(isinstance(one, LinkOver) for one in answers) == 7
    other = make_link(account=acme.account, terms=LinkTerms(), by="api:key_1", at=at).link
    all_have_looked = Barrier(8, timeout=30)

    def in_a_hurry() -> bool:
        found = PortalLink.objects.get(pk=other.pk)
        all_have_looked.wait()
        if found.used_at is not None:
            return False
        PortalLink.objects.filter(pk=other.pk).update(used_at=at, ends_at=at)
        return True

    assert at_once([in_a_hurry] * 8).count(True) > 1


@db
def test_the_widget_shows_balance_and_usage_where_it_may(shop: Shop, customer: Client) -> None:
    made = shop.acme.api.post("/accounts/acme/widget-tokens").json()
    path = "/widget/" + made["url"].partition("/widget/")[2]
    nobody = Client()
    answer = nobody.get(path)
    policy = answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert answer.content.decode().count("<script") == 1
    change_brand(values={"embed_origins": ["https://app.example.com"], "colour": "#7c3aed"}, at=now())
    answer = nobody.get(f"{path}?theme=dark")
    policy = answer["Content-Security-Policy"]
    assert "frame-ancestors https://app.example.com" in policy
    assert "default-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert "script-src 'self';" in policy + ";"
    assert "X-Frame-Options" not in answer
    assert not answer.cookies
    html, said = answer.content.decode(), text_of(answer)
    assert '<html lang="en" class="dark">' in html
    assert '<main data-live="60">' in html
    assert "/brand/colours-" in html
    assert "Available" in said
    assert "What used it in the last 30 days" in said
    assert nobody.get(path.replace("/widget/", "/widget/x")).status_code == 404
    assert shop.globex.api.post("/accounts/acme/widget-tokens").status_code == 404
    assert "DENY" in customer.get("/")["X-Frame-Options"]
