"""What a decline means, in words for the person who pays. Codes: docs.stripe.com/declines/codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_OTHER_CARD: Final = "Use another card, or ask your bank."
SENTENCES: Final[Mapping[str, str]] = {
    "card_declined": f"Your bank declined the card. {_OTHER_CARD}",
    "generic_decline": f"Your bank declined the card. {_OTHER_CARD}",
    "do_not_honor": f"Your bank declined the card. {_OTHER_CARD}",
    "insufficient_funds": "There is not enough money on the card. Choose a smaller amount or another card.",
    "expired_card": "The card has expired. Save its successor, or use another card.",
    "incorrect_cvc": "The security code is wrong. Save the card again with the right one.",
    "invalid_cvc": "The security code is wrong. Save the card again with the right one.",
    "incorrect_number": "The card number is wrong. Save the card again.",
    "lost_card": f"Your bank declined the card. {_OTHER_CARD}",
    "stolen_card": f"Your bank declined the card. {_OTHER_CARD}",
    "fraudulent": f"Your bank declined the card. {_OTHER_CARD}",
    "pickup_card": f"Your bank declined the card. {_OTHER_CARD}",
    "processing_error": "The bank had a problem. Nothing was charged; try again in a few minutes.",
    "issuer_not_available": "Your bank could not be reached. Nothing was charged; try again in a few minutes.",
    "card_velocity_exceeded": "The card has reached its limit. Try again tomorrow, or use another card.",
    "withdrawal_count_limit_exceeded": "The card has reached its limit. Try again tomorrow, or use another card.",
    "currency_not_supported": "The card cannot pay in this currency. Use another card.",
    "card_not_supported": "The card cannot be used for this. Use another card.",
    "authentication_required": "Your bank wants you to confirm this payment. Try again and confirm it.",
    "payment_intent_authentication_failure": "The payment was not confirmed with your bank. Try again and confirm it.",
    "cancelled": "The payment was given up before any money moved.",
    "provider_refused": "The payment could not be made with this card. Use another card.",
}
"""Decline code -> sentence. Lost, stolen and fraudulent cards say no more than any other decline."""


def explain_decline(code: str) -> str:
    """The sentence for a decline code; one nobody knows is a decline like any other."""
    return SENTENCES.get(code, SENTENCES["card_declined"])
