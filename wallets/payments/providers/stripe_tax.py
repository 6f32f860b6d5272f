"""Stripe Tax: the rate of a customer, from a calculation over a round amount (docs.stripe.com/api/tax/calculations)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.conf import settings

from wallets.payments.currencies import charge_step, to_provider
from wallets.payments.providers.contract import ProviderRefused
from wallets.payments.providers.registry import CardsNotTaken
from wallets.payments.providers.stripe_client import asked, stripe_client
from wallets.payments.providers.taxes import TaxThere

# So many steps of the currency: a rate is the same for any amount.
_STEPS: Final = 100_000
NAMES: Final[Mapping[str, str]] = {
    "vat": "VAT", "gst": "GST", "hst": "HST", "igst": "IGST", "jct": "JCT", "pst": "PST", "qst": "QST", "rst": "RST",
    "sales_tax": "Sales tax", "service_tax": "Service tax",
}  # fmt: skip
"""Stripe's kind of tax -> as receipts say it."""
REVERSE_CHARGE: Final = "Reverse charge"


class StripeTax:
    """The tax provider, by Stripe."""

    def __init__(self, *, secret_key: str, tax_code: str, api_url: str = "") -> None:
        """tax_code: what is sold, in Stripe's words.  api_url: of another server; empty is Stripe's own."""
        self._tax, self._code = stripe_client(secret_key, api_url).v1.tax, tax_code

    def tax_of(self, *, customer_id: str, country: str, currency: str, at: datetime) -> TaxThere:
        by_country = {"customer_details": {"address": {"country": country}, "address_source": "billing"}}
        if customer_id:
            try:
                return self._asked({"customer": customer_id}, currency=currency, at=at)
            except ProviderRefused:  # it knows no address of the customer
                if not country:
                    raise
        if not country:
            raise ProviderRefused("The country of the customer is not known.")
        return self._asked(by_country, currency=currency, at=at)

    def _asked(self, customer: dict[str, Any], *, currency: str, at: datetime) -> TaxThere:
        params: Any = {
            "currency": currency.lower(),
            "tax_date": int(at.timestamp()),
            "line_items": [
                {
                    "amount": to_provider(charge_step(currency) * _STEPS, currency),
                    "reference": "credit",
                    "tax_behavior": "exclusive",
                    "tax_code": self._code,
                }
            ],
        } | customer
        calculation = asked(lambda: self._tax.calculations.create(params))
        return _read(calculation.tax_breakdown or [])


def from_settings() -> StripeTax:
    """Stripe as the settings say. Raises CardsNotTaken when there is no key."""
    if not settings.STRIPE_SECRET_KEY:
        raise CardsNotTaken("No payment provider is set up here, so it cannot work tax out.")
    return StripeTax(secret_key=settings.STRIPE_SECRET_KEY, tax_code=settings.STRIPE_TAX_CODE, api_url=settings.STRIPE_API_URL)


def _read(parts: Any) -> TaxThere:
    """All taxes of a calculation as one: their percentages add up, on the whole amount or not at all."""
    percent, names = Decimal(0), []
    for part in parts:
        details = part.tax_rate_details
        if part.taxability_reason == "reverse_charge":
            names.append(REVERSE_CHARGE)
        if not part.amount or details is None:
            continue
        if getattr(details, "rate_type", None) == "flat_amount" or not details.percentage_decimal:
            raise ProviderRefused("The tax is no percentage.")
        percent += Decimal(details.percentage_decimal)
        names.append(NAMES.get(str(details.tax_type), "Tax"))
    return TaxThere(name=" and ".join(dict.fromkeys(names))[:60], percent=percent)
