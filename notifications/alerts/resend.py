"""Send again, with the ids it had: one delivery, or a range of an endpoint's; and settle a mail nobody knows about."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from notifications.alerts.models import Delivery
from notifications.alerts.raise_alert import wake_sender
from notifications.channels.webhook.endpoints import EndpointDisabled
from notifications.channels.webhook.models import WebhookEndpoint
from wallets.errors import Conflict, InvalidInput, NotFound

State = Delivery.State
ON_ITS_WAY = (State.WAITING, State.SENDING, State.GATHERING)


class StillOnItsWay(Conflict):
    """It is sent by itself."""

    code = "delivery_on_its_way"


def deliveries_of(endpoint: WebhookEndpoint) -> QuerySet[Delivery]:
    """The log of an endpoint."""
    return Delivery.objects.filter(endpoint=endpoint).select_related("alert")


def delivery_to(endpoint: WebhookEndpoint, *, public_id: str) -> Delivery:
    """One of the log. Raises NotFound."""
    delivery = deliveries_of(endpoint).filter(public_id=public_id).first()
    if delivery is None:
        raise NotFound(f"There is no delivery {public_id[:40]} to this webhook endpoint.")
    return delivery


def resend(*, endpoint: WebhookEndpoint, since: datetime, until: datetime, at: datetime) -> int:
    """Have every event of [since, until) sent again, also those that were taken; how many. What is waiting or
    under way stays so. Raises InvalidInput, EndpointDisabled."""
    if since >= until:
        raise InvalidInput("Nothing is in this range.", fields={"until": "later than since"})
    _refuse_disabled(endpoint)
    over = deliveries_of(endpoint).filter(alert__raised_at__gte=since, alert__raised_at__lt=until)
    return _again(over, at)


def resend_one(*, delivery: Delivery, at: datetime) -> None:
    """Have one delivery, read with its endpoint, sent again, whatever became of it; a mail may then arrive twice. It is not
    held back by quiet hours or a digest. Raises StillOnItsWay, EndpointDisabled."""
    if delivery.endpoint is not None:
        _refuse_disabled(delivery.endpoint)
    if not _again(Delivery.objects.filter(pk=delivery.pk), at):
        raise StillOnItsWay("It is on its way already.")


def count_as_sent(*, delivery: Delivery, at: datetime) -> None:
    """Settle a mail of which nobody knows whether it arrived: as if it had. Raises Conflict when it is not such a one."""
    uncertain = Delivery.objects.filter(pk=delivery.pk, state=State.UNCERTAIN)
    if not uncertain.update(state=State.SENT, sent_at=at, reason="counted as sent by hand"):
        raise Conflict("Only a mail of which nobody knows whether it arrived can be counted as sent.")


def _refuse_disabled(endpoint: WebhookEndpoint) -> None:
    if endpoint.state != WebhookEndpoint.State.ACTIVE or endpoint.removed_at is not None:
        raise EndpointDisabled("The webhook endpoint is disabled; enable it first.")


def _again(deliveries: QuerySet[Delivery], at: datetime) -> int:
    with transaction.atomic():
        over = deliveries.exclude(state__in=ON_ITS_WAY)
        count = Delivery.objects.filter(pk__in=over.values("pk")).update(
            state=State.WAITING,
            next_at=at,
            attempts_before=F("attempts"),
            handed_over_at=None,
            gathered_in=None,
            reason="",
        )
        transaction.on_commit(wake_sender, robust=True)
    return count
