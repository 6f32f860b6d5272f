"""The site without leases: what is authorised is not reserved. For the control."""

from __future__ import annotations

from typing import Any

from billing_site.wsgi import application as application
from metering.gate import check
from tests.concurrency import patient as patient

_decide = check.decide_in_redis


def _without_lease(run: Any, **asked: Any) -> Any:
    return _decide(run, **asked | {"lease": None})


check.decide_in_redis = _without_lease  # type: ignore[assignment]
