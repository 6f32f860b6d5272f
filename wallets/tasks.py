"""Every Celery task of the app. A task takes keywords only, ignores what a newer sender adds, asks the clock and calls one
verb; it may run twice or late, so the verbs are idempotent. Work that a crash left behind is found by the next run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from celery import shared_task
from django.conf import settings
from django.utils.module_loading import import_string

from wallets import clock
from wallets.balances import publish
from wallets.credit import activate, expire
from wallets.holds import lapse
from wallets.holds import purge as purge_ended
from wallets.idempotency import purge
from wallets.ledger import days
from wallets.mirror import lots as mirror_lots
from wallets.mirror import send
from wallets.mirror.since import mirrored_since
from wallets.outbox import deliver
from wallets.outbox.topics import AccountsChanged, BalancesChanged
from wallets.outbox.wake import Waker
from wallets.outbox.write import at_once, on_news
from wallets.payments import compare, expiring, reconcile, taxes
from wallets.payments.receive_event import on_event
from wallets.recharge import sweep
from wallets.recharge.wake import on_due
from wallets.refunds.handle_event import handle_money_events
from wallets.refunds.pay_out import pay_out_due
from wallets.refunds.send import send_due_refunds
from wallets.refunds.withdraw import lapse_withdrawals
from wallets.risk import screen
from wallets.visits import sign_ins

# News that only says "look again" is worth nothing later; the rest is kept to answer "who was told what, when".
KEPT_LOOK_AGAIN: Final = timedelta(days=1)
KEPT: Final = timedelta(days=90)
# No velocity rule looks back further.
KEPT_ATTEMPTS: Final = timedelta(days=31)
# A wake that nobody took for so long is overtaken by the sweep.
WAKE_EXPIRES_SECONDS: Final = 30


@shared_task(acks_late=True, ignore_result=True)
def deliver_news(**_: Any) -> None:
    """Hand news to its readers: woken by commits, and every few seconds for what a crash left."""
    deliver.deliver_news(readers=import_string(settings.OUTBOX_READERS), at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def purge_news(**_: Any) -> None:
    """Delete old news that every reader has."""
    deliver.purge_news(before=clock.now() - KEPT_LOOK_AGAIN, topics=[BalancesChanged, AccountsChanged])
    deliver.purge_news(before=clock.now() - KEPT)


@shared_task(acks_late=True, ignore_result=True)
def purge_sign_ins(**_: Any) -> int:
    """Delete the history of sign-ins beyond its time."""
    return sign_ins.purge_sign_ins(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def expire_lots(**_: Any) -> int:
    """Book what is left of lots past their end."""
    return expire.expire_lots(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def activate_lots(**_: Any) -> int:
    """Let scheduled lots enter the balance when their time has come."""
    return activate.activate_lots(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def roll_up_journal(**_: Any) -> int:
    """Add up the days of the journal that are over, for reports."""
    return days.roll_up_journal(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def lapse_holds(**_: Any) -> int:
    """Write down which holds have ended, so that few readers need to look."""
    return lapse.lapse_holds(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def purge_holds(**_: Any) -> int:
    """Forget holds that ended long ago."""
    return purge_ended.purge_holds(before=clock.now() - KEPT)


@shared_task(acks_late=True, ignore_result=True)
def handle_payment_events(**_: Any) -> int:
    """Handle stored webhooks: woken by each that arrives, and every few seconds for what a crash left."""
    return handle_money_events(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def reconcile_payments(**_: Any) -> int:
    """Ask the provider about payments in flight."""
    return reconcile.reconcile_in_flight(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def compare_payments(**_: Any) -> int:
    """Compare our account with the provider with the books."""
    return compare.compare_with_provider(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def send_refunds(**_: Any) -> int:
    """Send refunds that wait to be sent, ask about those on their way."""
    return send_due_refunds(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def pay_withdrawals(**_: Any) -> int:
    """Pay withdrawals whose time has come, end those that nobody confirmed or decided."""
    at = clock.now()
    return lapse_withdrawals(at=at) + pay_out_due(at=at)


@shared_task(acks_late=True, ignore_result=True)
def tell_expiring_cards(**_: Any) -> int:
    """Tell whose card expires soon."""
    return expiring.tell_expiring_cards(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def mirror_credit(**_: Any) -> int:
    """Note new and ended credit for the mirror, and tell what waits."""
    if mirrored_since() is None:
        return 0
    at = clock.now()
    mirror_lots.note_lots(at=at)
    mirror_lots.note_ends(at=at)
    return send.send_items(at=at)


@shared_task(acks_late=True, ignore_result=True)
def refresh_taxes(**_: Any) -> int:
    """Ask the tax provider, if there is one, for every account's tax again."""
    return taxes.refresh_taxes(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def purge_attempts(**_: Any) -> int:
    """Forget attempts to top up that no velocity rule looks at any more."""
    return screen.purge_attempts(before=clock.now() - KEPT_ATTEMPTS)


@shared_task(acks_late=True, ignore_result=True)
def purge_answers(**_: Any) -> int:
    """Forget stored answers to idempotent requests after their time."""
    return purge.purge_answers(at=clock.now())


@shared_task(acks_late=True, ignore_result=True)
def sweep_recharges(**_: Any) -> int:
    """Carry out what was decided, and look again where a cool-down, a back-off or a month has ended."""
    return sweep.sweep_recharges(at=clock.now())


def listen_to_news() -> None:
    """Publish what changed right after its commit, and wake a worker for the rest (OUTBOX_WAKES_WORKER)."""
    at_once(AccountsChanged, publish.publish_changed)
    if settings.OUTBOX_WAKES_WORKER:
        on_news(Waker(lambda: deliver_news.apply_async(expires=WAKE_EXPIRES_SECONDS, retry=False)).wake)
        on_event(Waker(lambda: handle_payment_events.apply_async(expires=WAKE_EXPIRES_SECONDS, retry=False)).wake)
        on_due(Waker(lambda: sweep_recharges.apply_async(expires=WAKE_EXPIRES_SECONDS, retry=False)).wake)
