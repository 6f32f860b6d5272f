"""Signing secrets are closed in the database and survive a change of SECRET_KEY that keeps the old one as a fallback."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from notifications.channels.webhook.endpoints import EndpointTerms, make_endpoint, rotate_secret, signing_secrets
from notifications.channels.webhook.models import WebhookEndpoint
from notifications.channels.webhook.sealed import SecretLost
from tests.cast import OPENED_AT, Company

pytestmark = pytest.mark.django_db


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM notifications_webhookendpoint e")
        return str(cursor.fetchone()[0])


def test_a_copy_of_the_database_signs_nothing_and_a_changed_key_loses_nothing(acme: Company, settings, capsys) -> None:
    endpoint = make_endpoint(account=acme.account, terms=EndpointTerms(url="https://acme.example/"), at=OPENED_AT)
    endpoint = rotate_secret(endpoint=endpoint, at=OPENED_AT)
    secrets = signing_secrets(endpoint, at=OPENED_AT)
    assert len(secrets) == 2
    assert all(secret.startswith("whsec_") for secret in secrets)
    assert "whsec_" not in stored()
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key"
    assert signing_secrets(endpoint, at=OPENED_AT) == secrets
    call_command("reseal")
    assert "1 webhook endpoints" in capsys.readouterr().out
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(SecretLost):
        signing_secrets(endpoint, at=OPENED_AT)
    assert signing_secrets(WebhookEndpoint.objects.get(), at=OPENED_AT) == secrets
