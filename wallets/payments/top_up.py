"""Create a top-up: the row that everything about a payment hangs on, committed before anybody asks the provider."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import IntegrityError, transaction

from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.errors import Conflict
from wallets.idempotency.claim import KeyReused
from wallets.input import Input
from wallets.payments.find import card_by_id, cards_of
from wallets.payments.models import PaymentMethod, TopUp
from wallets.payments.providers.registry import STRIPE, card_provider
from wallets.payments.taxes import learn_tax
from wallets.payments.terms import Quote, policy_in_force, quote_top_up
from wallets.risk.screen import Candidate, screen_top_up

LONGEST_KEY: Final = 300
# Finance knows what it does; a plan's fee is not chosen by whoever has the card.
_NOT_SCREENED: Final = (TopUp.Origin.FINANCE, TopUp.Origin.FEE)
_MACHINE_MADE: Final = (TopUp.Origin.RECHARGE, TopUp.Origin.SCHEDULE)


class NoCard(Conflict):
    """The account has no card that could be charged."""

    code = "no_card"


class PolicyNotAccepted(Conflict):
    """The refund policy in force has to be accepted; it is another one than was accepted."""

    code = "refund_policy_not_accepted"


def create_top_up(  # noqa: PLR0913 - who wants what from where
    *,
    wallet: Wallet,
    amount: Decimal,
    at: datetime,
    origin: str,
    actor: str = "",
    card_id: str | None = None,
    accepted_policy: int | None = None,
    request_key: str | None = None,
    address: str = "",
) -> TopUp:
    """Create a top-up of `amount` (in the wallet's currency) by card; nothing is charged before `start_payment`.

    wallet: with its account.  card_id: `card_…`; None is the account's default.  accepted_policy: the version of the refund
    policy that was shown and accepted; None does not ask (the vendor's own calls, auto-recharge under its own terms).
    request_key: whoever asks again with it gets the first top-up.  address: the payer's network address, where known.

    Commits before it returns, so it cannot be called inside a transaction. Raises WalletClosed, CurrencyNotCharged,
    AmountOutOfRange, InvalidInput, CardsNotTaken, NoCard, NotFound, PolicyNotAccepted, KeyReused; VelocityExceeded and
    TrustLimit leave a review item behind (`wallets/risk`).
    """
    check = Input()
    check.amount("amount", amount, above_zero=True)
    actor = check.text("actor", actor, longest=200)
    check.expect("request_key", request_key is None or 0 < len(request_key) <= LONGEST_KEY, f"1 to {LONGEST_KEY} characters")
    check.refuse("The wallet cannot be topped up like this.")
    if request_key is not None:
        first = _asked_before(request_key, wallet=wallet, amount=amount, card_id=card_id)
        if first is not None:
            return first
    if wallet.status == Wallet.Status.CLOSED:
        raise WalletClosed(f"Wallet {wallet.public_id} is closed.")
    learn_tax(account=wallet.account, currency=wallet.currency, at=at)
    quote = quote_top_up(wallet=wallet, amount=amount, at=at)
    card_provider()
    card = _card(wallet, card_id)
    policy = policy_in_force(at=at)
    if accepted_policy is not None and (policy is None or policy.version != accepted_policy):
        raise PolicyNotAccepted("The refund policy has changed; read and accept it again.")
    top_up = TopUp(
        **_terms(quote),
        bucket=wallet.bucket,
        wallet=wallet,
        means=TopUp.Means.CARD,
        provider=STRIPE,
        method=card,
        policy=policy if accepted_policy is not None else None,
        origin=origin,
        actor=actor,
        request_key=request_key,
        created_at=at,
        moved_at=at,
    )
    try:
        with transaction.atomic(durable=True):
            refusal = _screen(top_up, address=address, at=at)
            if refusal is None:
                top_up.save(force_insert=True)
    except IntegrityError as error:
        if request_key is None or "top_up_request_once" not in str(error):
            raise
        first = _asked_before(request_key, wallet=wallet, amount=amount, card_id=card_id)
        assert first is not None, request_key
        return first
    if refusal is not None:
        raise refusal
    return top_up


def _screen(top_up: TopUp, *, address: str, at: datetime) -> Conflict | None:
    """Why a top-up that is about to be made may not be; the attempt is noted either way."""
    if top_up.origin in _NOT_SCREENED:
        return None
    candidate = Candidate(
        top_up=top_up.public_id,
        account=top_up.wallet.account,
        wallet=top_up.wallet,
        card=top_up.method.fingerprint if top_up.method else "",
        address=address,
        amount=top_up.amount,
        currency=top_up.currency,
        machine=top_up.origin in _MACHINE_MADE,
    )
    return screen_top_up(candidate, at=at).refusal


def _terms(quote: Quote) -> dict[str, str | Decimal]:
    names = ("currency", "amount", "bonus", "tax", "tax_name", "tax_percent", "tax_country", "fee", "total")
    return {name: getattr(quote, name) for name in names}


def _card(wallet: Wallet, card_id: str | None) -> PaymentMethod:
    if card_id is not None:
        return card_by_id(public_id=card_id, only_account_id=wallet.account_id)
    cards = cards_of(account_id=wallet.account_id)
    if not cards:
        raise NoCard("There is no card to charge; save one first.")
    return cards[0]


def _asked_before(request_key: str, *, wallet: Wallet, amount: Decimal, card_id: str | None) -> TopUp | None:
    first = TopUp.objects.select_related("wallet__account", "method").filter(request_key=request_key).first()
    if first is None:
        return None
    same_card = card_id is None or (first.method is not None and first.method.public_id == card_id)
    if first.wallet_id != wallet.pk or first.amount != amount or not same_card:
        raise KeyReused("This key was used for another top-up before; use a new one for a new top-up.")
    return first
