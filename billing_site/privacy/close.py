"""Close a customer's account: nothing may be held, owed or left to give back; then keys, recharge, plan and cards end, too."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from pricing.plans.cancel import cancel_subscription
from pricing.plans.queries import subscriptions_seen
from pricing.plans.states import LIVE
from wallets.accounts.close import close_account
from wallets.accounts.models import Account, User
from wallets.api_keys.issue import revoke_api_key
from wallets.api_keys.models import ApiKey
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.errors import Conflict
from wallets.payments.cards import remove_card
from wallets.payments.models import PaymentMethod
from wallets.payments.providers.contract import ProviderUnavailable
from wallets.recharge.configure import switch_auto_recharge
from wallets.recharge.models import AutoRecharge
from wallets.refunds.withdrawable import withdrawable

log = logging.getLogger(__name__)


class NotSettled(Conflict):
    """Something is held, owed, or could still be withdrawn."""

    code = "account_not_settled"


def close_customer(*, account: Account, by: User, at: datetime) -> Account:
    """Close the account and end all that would go on by itself. Credit that cannot be withdrawn is given up.

    Raises NotSettled, AccountClosed, LockBusy.
    """
    actor = by.email
    with transaction.atomic():
        wallets = Wallet.objects.filter(account=account).exclude(status=Wallet.Status.CLOSED)
        for pk in wallets.order_by("id").values_list("pk", flat=True):
            _check_settled(pk, at=at)
        for rule in AutoRecharge.objects.filter(wallet__account=account, is_on=True).order_by("wallet_id"):
            switch_auto_recharge(wallet_id=rule.wallet_id, on=False, at=at, actor=actor)
        for subscription in subscriptions_seen(only_account_id=account.pk).filter(state__in=LIVE).order_by("id"):
            cancel_subscription(subscription=subscription, at=at, now=True, refund=False, reason="Account closed", actor=actor)
        for api_key in ApiKey.objects.filter(account=account, revoked_at__isnull=True).order_by("id"):
            revoke_api_key(api_key=api_key, at=at)
        closed = close_account(account=account, at=at)
    for card in PaymentMethod.objects.filter(account=account, removed_at__isnull=True).order_by("id"):
        try:  # asks the provider: after the transaction, one by one
            remove_card(account=account, card_id=card.public_id, at=at)
        except ProviderUnavailable:  # it is removed here
            log.warning("card %s of closed account %s is still at the provider", card.public_id, account.key)
    return closed


def _check_settled(wallet_id: int, *, at: datetime) -> None:
    wallet = lock_wallet(wallet_id)
    if wallet.held:
        raise NotSettled(
            f"{wallet.held.normalize():f} {wallet.currency} is set aside for calls or a withdrawal. Wait for its end."
        )
    if wallet.overdraft:
        raise NotSettled(f"You owe {wallet.overdraft.normalize():f} {wallet.currency}. Top up first.")
    left = withdrawable(wallet, at=at)
    if left:
        raise NotSettled(f"You can have {left.normalize():f} {wallet.currency} back. Withdraw it first.")
