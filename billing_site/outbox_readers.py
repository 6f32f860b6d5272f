"""Who reads which news: the only place where it goes up. A reader's name stands on its deliveries and never changes."""

from __future__ import annotations

from typing import Final

from notifications.readers import act_on_rules, lift_what_rules_did, tell_balance_recovered, tell_news, tell_threshold_crossed
from wallets.balances.publish import publish_told
from wallets.outbox.deliver import Reader, Readers
from wallets.outbox.topics import (
    AccountsChanged,
    ApiKeyIssued,
    BalanceRecovered,
    BalancesChanged,
    CardExpiring,
    DisputeChanged,
    LotExpired,
    MemberAdded,
    MemberInvited,
    ProofFailed,
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
    WithdrawalWentOn,
)
from wallets.recharge.on_crossing import recharge_due, recharge_ended

TELL: Final = Reader("alerts", tell_news)
"""Told as `notifications/readers.py` says."""

READERS: Readers = {
    BalancesChanged: (Reader("gate", publish_told, together=True),),
    AccountsChanged: (Reader("gate", publish_told, together=True),),
    ThresholdCrossed: (Reader("alerts", tell_threshold_crossed), Reader("rules", act_on_rules)),
    BalanceRecovered: (Reader("alerts", tell_balance_recovered), Reader("rules", lift_what_rules_did)),
    LotExpired: (TELL,),
    MemberInvited: (TELL,),
    MemberAdded: (TELL,),
    SpendCapReached: (TELL,),
    StatementIssued: (TELL,),
    SubscriptionChanged: (TELL,),
    TopUpSucceeded: (TELL, Reader("recharge", recharge_ended)),
    TopUpFailed: (TELL, Reader("recharge", recharge_ended)),
    RechargeDue: (Reader("recharge", recharge_due),),
    RechargeNotDone: (TELL,),
    RechargeBreakerOpened: (TELL,),
    RechargeNeedsAuthentication: (TELL,),
    ApiKeyIssued: (TELL,),
    CardExpiring: (TELL,),
    ProofFailed: (TELL,),
    RefundSucceeded: (TELL,),
    RefundFailed: (TELL,),
    DisputeChanged: (TELL,),
    WithdrawalRequested: (TELL,),
    WithdrawalWentOn: (TELL,),
    WithdrawalEnded: (TELL,),
}
