"""The site without the one comparison that makes a hold a hold: whatever is asked for is set aside. For the control."""

from __future__ import annotations

from decimal import Decimal

from billing_site.wsgi import application as application
from wallets.holds import place

place.can_hold = lambda *_, **__: Decimal(1_000_000)  # type: ignore[assignment]
