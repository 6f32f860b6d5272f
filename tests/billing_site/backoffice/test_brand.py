"""An administrator sets the brand; customers see it at once, on pages, in mails and on statements."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from notifications.channels.contract import Message
from notifications.channels.email.render import render_mail
from tests.factories.balances import AT
from tests.factories.pictures import png
from tests.factories.shop import text_of
from wallets.accounts.models import User
from wallets.audit.models import AuditEvent
from wallets.brand.models import Brand

pytestmark = pytest.mark.django_db
ADD = "/admin/wallets/brand/add/"
SAID = {
    "name": "Cloud Compute", "colour": "#FFFF00", "support_email": "help@cloud.example",
    "support_url": "https://help.cloud.example/", "terms_url": "https://cloud.example/terms", "terms_text": "",
    "privacy_url": "", "privacy_text": "We keep <b>little</b>.", "refunds_url": "", "refunds_text": "",
    "embed_origins": "https://app.cloud.example",
}  # fmt: skip


@pytest.fixture
def client(fiona: User) -> Client:
    signed_in = Client()
    signed_in.force_login(fiona)
    return signed_in


def set_brand(client: Client, **said: object) -> None:
    logo = SimpleUploadedFile("logo.gif", png())  # its name says nothing
    answer = client.post(ADD, SAID | {"logo_file": logo} | said)
    assert answer.status_code == 302, text_of(answer)


def test_what_is_set_is_what_customers_see(client: Client) -> None:
    set_brand(client)
    page = Client().get("/login/").content.decode()
    assert "Sign in · Cloud Compute</title>" in page
    assert "mailto:help@cloud.example" in page
    assert "Privacy policy" in page
    css_address = next(part for part in page.split('"') if part.startswith("/brand/colours-"))
    css = Client().get(css_address)
    assert "--accent: light-dark(#727200, #ffff00);" in css.content.decode()
    assert "immutable" in css["Cache-Control"]
    logo_address = next(part for part in page.split('"') if part.startswith("/brand/") and part.endswith(".png"))
    logo = Client().get(logo_address)
    assert logo.content == png()
    assert (logo["Content-Type"], logo["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert "default-src 'none'" in logo["Content-Security-Policy"]
    assert Client().get("/brand/00000.png").status_code == 404
    assert Client().get("/legal/terms/")["Location"] == "https://cloud.example/terms"
    assert "We keep &lt;b&gt;little&lt;/b&gt;." in Client().get("/legal/privacy/").content.decode()
    assert Client().get("/legal/refunds/").status_code == 404
    mail = render_mail(Message(delivery="", event="e", topic="test", happened_at=AT, account="acme", facts={}))
    assert "Questions? Write to help@cloud.example." in mail.text
    assert "Cloud Compute" in mail.html
    assert "background:#727200" in mail.html
    event = AuditEvent.objects.get(subject_kind="wallets.brand")
    assert (event.action, event.after["colour"]) == ("Add brand", "#ffff00")
    assert client.get("/admin/wallets/brand/")["Location"] == "/admin/wallets/brand/1/change/"
    assert "#727200 on light pages" in client.get("/admin/wallets/brand/1/change/").content.decode()
    changed = client.post("/admin/wallets/brand/1/change/", SAID | {"name": "", "colour": "", "without_logo": "on"})
    assert changed.status_code == 302
    page = Client().get("/login/").content.decode()
    assert "Sign in · Prepaid</title>" in page
    assert "/brand/" not in page


def test_what_is_wrong_is_said_at_its_field(client: Client) -> None:
    wrong = {
        "colour": "teal", "support_url": "javascript:alert(1)", "embed_origins": "https://a.example/path",
        "logo_file": SimpleUploadedFile("logo.png", b"<svg/>"),
    }  # fmt: skip
    answer = client.post(ADD, SAID | wrong)
    assert answer.status_code == 200
    said = text_of(answer)
    for expected in ("#0f766e", "begins with https://", "origins without a path", "a PNG or WebP picture"):
        assert f"{expected}" in said
    assert not Brand.objects.exists()
    assert not AuditEvent.objects.exists()


def test_support_sets_no_brand(sam: User) -> None:
    signed_in = Client()
    signed_in.force_login(sam)
    assert signed_in.post(ADD, SAID).status_code == 403
