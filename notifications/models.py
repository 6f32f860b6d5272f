"""Django's index of the rooms' models; imported by nobody."""

from notifications.alerts.models import Alert, Attempt, Delivery, HeldAlert, Recipient
from notifications.channels.email.kept import KeptMail
from notifications.channels.webhook.models import WebhookEndpoint
from notifications.rules.models import RuleAct, ThresholdRule
from notifications.watch.models import WatchedPace

__all__ = [
    "Alert",
    "Attempt",
    "Delivery",
    "HeldAlert",
    "KeptMail",
    "Recipient",
    "RuleAct",
    "ThresholdRule",
    "WatchedPace",
    "WebhookEndpoint",
]
