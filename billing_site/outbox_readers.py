"""Who reads which news: the only place where it goes up. A reader's name stands on its deliveries and never changes."""

from __future__ import annotations

from notifications.readers import (
    tell_balance_recovered,
    tell_card_expiring,
    tell_dispute_changed,
    tell_lot_expired,
    tell_recharge_breaker_opened,
    tell_recharge_needs_authentication,
    tell_recharge_not_done,
    tell_refund_failed,
    tell_refund_succeeded,
    tell_spend_cap_reached,
    tell_statement_issued,
    tell_subscription_changed,
    tell_threshold_crossed,
    tell_top_up_failed,
    tell_top_up_succeeded,
    tell_withdrawal_ended,
    tell_withdrawal_requested,
)
from wallets.balances.publish import publish_told
from wallets.outbox.deliver import Reader, Readers
from wallets.outbox.topics import (
    AccountsChanged,
    BalanceRecovered,
    BalancesChanged,
    CardExpiring,
    DisputeChanged,
    LotExpired,
    RechargeBreakerOpened,
    RechargeDue,
    RechargeNeedsAuthentication,
    RechargeNotDone,
    RefundFailed,
    RefundSucceeded,
    SpendCapReached,
    StatementIssued,
    SubscriptionChanged,
    ThresholdCrossed,
    TopUpFailed,
    TopUpSucceeded,
    WithdrawalEnded,
    WithdrawalRequested,
)
from wallets.recharge.on_crossing import recharge_due, recharge_ended

READERS: Readers = {
    BalancesChanged: (Reader("gate", publish_told, together=True),),
    AccountsChanged: (Reader("gate", publish_told, together=True),),
    ThresholdCrossed: (Reader("alerts", tell_threshold_crossed),),
    BalanceRecovered: (Reader("alerts", tell_balance_recovered),),
    LotExpired: (Reader("alerts", tell_lot_expired),),
    SpendCapReached: (Reader("alerts", tell_spend_cap_reached),),
    StatementIssued: (Reader("alerts", tell_statement_issued),),
    SubscriptionChanged: (Reader("alerts", tell_subscription_changed),),
    TopUpSucceeded: (Reader("alerts", tell_top_up_succeeded), Reader("recharge", recharge_ended)),
    TopUpFailed: (Reader("alerts", tell_top_up_failed), Reader("recharge", recharge_ended)),
    RechargeDue: (Reader("recharge", recharge_due),),
    RechargeNotDone: (Reader("alerts", tell_recharge_not_done),),
    RechargeBreakerOpened: (Reader("alerts", tell_recharge_breaker_opened),),
    RechargeNeedsAuthentication: (Reader("alerts", tell_recharge_needs_authentication),),
    CardExpiring: (Reader("alerts", tell_card_expiring),),
    RefundSucceeded: (Reader("alerts", tell_refund_succeeded),),
    RefundFailed: (Reader("alerts", tell_refund_failed),),
    DisputeChanged: (Reader("alerts", tell_dispute_changed),),
    WithdrawalRequested: (Reader("alerts", tell_withdrawal_requested),),
    WithdrawalEnded: (Reader("alerts", tell_withdrawal_ended),),
}
