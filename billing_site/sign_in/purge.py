"""Forget sessions that ended, and with them from where they were."""

from __future__ import annotations

from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session


def purge_sessions(*, at: datetime) -> int:
    """Delete sessions past their end, and what was noted of sessions that are not there any more; how many notes."""
    Session.objects.filter(expire_date__lte=at).delete()
    gone, _ = UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return int(gone)
