"""What a decline means and what to do about it, in words for the person who pays. Codes: docs.stripe.com/declines/codes, and
the error codes of a payment that never reached the bank (docs.stripe.com/error-codes)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_DECLINED: Final = "Your bank declined the card. Use another card, or ask your bank."
_LIMIT: Final = "The card has reached its limit. Try again tomorrow, choose a smaller amount, or use another card."
_LATER: Final = "The bank had a problem. Nothing was charged; try again in a few minutes."
_CODE: Final = "The security code is wrong. Save the card again with the right one."
_NUMBER: Final = "The card number is wrong. Save the card again."
_EXPIRY: Final = "The expiry date is wrong. Save the card again with the right one."
_POSTCODE: Final = "The postcode is not the one your bank knows. Save the card again with the right one."
_NOT_FOR_THIS: Final = "The card cannot be used for this. Use another card, or ask your bank to allow online payments."
_CONFIRM: Final = "Your bank wants you to confirm this payment. Try again and confirm it."
_NOT_CONFIRMED: Final = "The payment was not confirmed with your bank. Try again and confirm it."

SENTENCES: Final[Mapping[str, str]] = {
    # The bank says no, and nobody but the bank knows why. Lost, stolen and suspected cards are told no more than this.
    "card_declined": _DECLINED,
    "generic_decline": _DECLINED,
    "do_not_honor": _DECLINED,
    "call_issuer": _DECLINED,
    "do_not_try_again": _DECLINED,
    "no_action_taken": _DECLINED,
    "security_violation": _DECLINED,
    "stop_payment_order": _DECLINED,
    "revocation_of_authorization": _DECLINED,
    "revocation_of_all_authorizations": _DECLINED,
    "fraudulent": _DECLINED,
    "lost_card": _DECLINED,
    "merchant_blacklist": _DECLINED,
    "pickup_card": _DECLINED,
    "restricted_card": _DECLINED,
    "stolen_card": _DECLINED,
    # Money and limits.
    "insufficient_funds": "There is not enough money on the card. Choose a smaller amount or another card.",
    "invalid_amount": "The card cannot pay this amount. Choose a smaller amount or another card.",
    "card_velocity_exceeded": _LIMIT,
    "withdrawal_count_limit_exceeded": _LIMIT,
    # What was entered.
    "expired_card": "The card has expired. Save its successor, or use another card.",
    "incorrect_cvc": _CODE,
    "invalid_cvc": _CODE,
    "incorrect_number": _NUMBER,
    "invalid_number": _NUMBER,
    "invalid_expiry_month": _EXPIRY,
    "invalid_expiry_year": _EXPIRY,
    "incorrect_zip": _POSTCODE,
    "incorrect_address": "The address is not the one your bank knows. Save the card again with the right one.",
    "invalid_account": "The account behind the card is closed or wrong. Use another card, or ask your bank.",
    "new_account_information_available": "The card was replaced by a new one. Save the new card.",
    # What the card is for.
    "card_not_supported": _NOT_FOR_THIS,
    "not_permitted": _NOT_FOR_THIS,
    "service_not_allowed": _NOT_FOR_THIS,
    "transaction_not_allowed": _NOT_FOR_THIS,
    "currency_not_supported": "The card cannot pay in this currency. Use another card.",
    "duplicate_transaction": "The bank saw the same payment a moment ago. Look at your balance before you try again.",
    # A bank out of order.
    "processing_error": _LATER,
    "reenter_transaction": _LATER,
    "try_again_later": _LATER,
    "issuer_not_available": "Your bank could not be reached. Nothing was charged; try again in a few minutes.",
    # 3-D Secure.
    "authentication_required": _CONFIRM,
    "approve_with_id": _CONFIRM,
    "authentication_not_handled": _NOT_CONFIRMED,
    "payment_intent_authentication_failure": _NOT_CONFIRMED,
    "setup_intent_authentication_failure": "Your bank did not confirm that the card is yours. Try again and confirm it.",
    # Test cards with a real key, and real cards with a test key.
    "testmode_decline": "This is a test card; it pays nothing. Use a real card.",
    "live_mode_test_card": "This is a test card; it pays nothing. Use a real card.",
    "test_mode_live_card": "Payments are being tested here; a real card is not charged. Use a test card.",
    # Ours.
    "cancelled": "The payment was given up before any money moved. Try again.",
    "provider_refused": "The payment could not be made with this card. Use another card.",
}
"""Decline code -> sentence."""


def explain_decline(code: str) -> str:
    """The sentence for a decline code; one nobody knows is a decline like any other."""
    return SENTENCES.get(code, _DECLINED)
