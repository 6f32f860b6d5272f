from django.test import Client

from notifications.alerts.models import Recipient
from notifications.alerts.unsubscribe import unsubscribe_token
from tests.cast import OPENED_AT, Company


def test_one_click_without_signing_in_and_a_look_changes_nothing(acme: Company):
    recipient = Recipient.objects.create(account=acme.account, email="dana@acme.example", created_at=OPENED_AT)
    link = f"/unsubscribe/{unsubscribe_token(recipient, 'lot_expiring')}"
    assert b"dana@acme.example would get no more" in Client().get(link).content
    recipient.refresh_from_db()
    assert recipient.unsubscribed == []
    program = Client(enforce_csrf_checks=True)
    for _ in range(2):
        assert program.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    recipient.refresh_from_db()
    assert recipient.unsubscribed == ["lot_expiring"]
    assert Client().post(link + "x").status_code == 404
