"""What programs change is in the audit log, once for each change and never for a refusal; no secret is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from pytest_django.fixtures import Settings

from tests.access.test_api_bad_input import FINE
from tests.access.test_api_strangers import ALL, acme_things
from tests.cast import Api, Company
from tests.factories.payments import provider_in_memory
from wallets.audit.models import AuditEvent

NOT_CHANGES = {
    "/events", "/authorize", "/credits/preview", "/pricing/preview", "/pricing/simulate",
    "/accounts/{key}/banner-tokens", "/accounts/{key}/widget-tokens",
    "/holds", "/holds/{hold_id}/capture", "/holds/{hold_id}/renew", "/holds/{hold_id}/extend", "/holds/{hold_id}/release",
}  # fmt: skip
WRITING = [one for one in ALL if one.method != "GET"]


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_each_endpoint_that_changes_something_leaves_one_event(acme: Company, vendor: Api, settings: Settings) -> None:
    changed = set()
    with provider_in_memory(settings):
        things = acme_things(acme)
        for endpoint in WRITING:
            for body in (FINE.get(endpoint.path, {}), things.bodies.get(endpoint.path, {}), {}):
                with undone():
                    before = AuditEvent.objects.count()
                    sent = None if endpoint.method == "DELETE" else body
                    answer = vendor.send(endpoint.method, endpoint.path.format(**things.path), sent)
                    events = list(AuditEvent.objects.order_by("id"))[before:]
                    if answer.status_code >= 400:
                        assert not events, f"{endpoint} was refused and is recorded"
                        continue
                    assert len(events) == (endpoint.path not in NOT_CHANGES), f"{endpoint}: {len(events)} events"
                    if not events:
                        break
                    (event,) = events
                    assert re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", event.action) == str(endpoint)
                    assert event.actor.startswith("api:key_")
                    assert "whsec_" not in str([event.after, event.before, event.details])
                    changed.add(str(endpoint))
                break
    assert len(changed) > 30, sorted({str(one) for one in WRITING} - changed)
