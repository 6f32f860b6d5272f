"""Looking top-ups and cards up. `only_account_id` is the account a caller is confined to (I12)."""

from __future__ import annotations

from django.db.models import QuerySet

from wallets.balances.lock import lock_wallets
from wallets.errors import NotFound
from wallets.payments.models import PaymentMethod, TopUp


def top_up_by_id(*, public_id: str, only_account_id: int | None = None) -> TopUp:
    """The top-up with this id (`top_…`), with its wallet, account and card. Raises NotFound, also when it is another's."""
    found = TopUp.objects.select_related("wallet__account", "method").filter(public_id=public_id)
    if only_account_id is not None:
        found = found.filter(wallet__account_id=only_account_id)
    top_up = found.first()
    if top_up is None:
        raise NotFound(f"There is no top-up {public_id[:40]}.")
    return top_up


def top_ups_of(*, wallet_id: int) -> QuerySet[TopUp]:
    """A wallet's top-ups, with their cards."""
    return TopUp.objects.select_related("wallet", "method").filter(wallet_id=wallet_id)


def cards_of(*, account_id: int) -> list[PaymentMethod]:
    """An account's cards: the default one, the backup, then the newest."""
    cards = PaymentMethod.objects.filter(account_id=account_id, removed_at__isnull=True)
    return list(cards.order_by("-is_default", "-is_backup", "-id"))


def card_by_id(*, public_id: str, only_account_id: int | None = None) -> PaymentMethod:
    """The card with this id (`card_…`), with its account. Raises NotFound, also for one that was removed or is another's."""
    cards = PaymentMethod.objects.select_related("account").filter(public_id=public_id, removed_at__isnull=True)
    if only_account_id is not None:
        cards = cards.filter(account_id=only_account_id)
    card = cards.first()
    if card is None:
        raise NotFound(f"There is no card {public_id[:40]}.")
    return card


def lock_top_up(top_up_id: int) -> TopUp:
    """Lock a top-up's wallet for this transaction; the top-up as it is then. It changes only under its wallet's lock.

    Raises LockBusy.
    """
    bucket, wallet_id = TopUp.objects.values_list("bucket", "wallet_id").get(pk=top_up_id)
    lock_wallets([wallet_id], bucket=bucket)
    return TopUp.objects.select_related("wallet__account", "method").get(bucket=bucket, pk=top_up_id)
