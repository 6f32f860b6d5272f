"""The app's endpoints below /api/v1/."""

from __future__ import annotations

from django.urls import path

from wallets.api.approvals import ApprovalApprove, ApprovalDecline, Approvals, OneApproval, WalletAdjustments
from wallets.api.credit_preview import CreditPreview
from wallets.api.credits import CreditVoid, WalletCredits
from wallets.api.payment_methods import (
    AccountPaymentMethods,
    OnePaymentMethod,
    PaymentMethodBackup,
    PaymentMethodDefault,
    PaymentMethodSetUp,
)
from wallets.api.portal_sessions import PortalSessions, WidgetTokens
from wallets.api.recharges import WalletAutoRecharge, WalletRechargeDecisions, WalletSchedule
from wallets.api.refunds import OneRefund, OneWithdrawal, TopUpRefunds, WalletWithdrawals, WithdrawalCancel
from wallets.api.statements import AccountStatements, OneStatement, StatementCsv, StatementPdf
from wallets.api.thresholds import AccountThresholdsView, WalletThresholdsView
from wallets.api.topups import OneTopUp, WalletTopUps
from wallets.api.wallets import AccountWallets, OneWallet, WalletFreeze, WalletLedger, WalletThaw, WalletTransfers

urlpatterns = [
    path("accounts/<path:key>/wallets", AccountWallets.as_view(), name="account_wallets"),
    path("wallets/<str:wallet_id>", OneWallet.as_view(), name="wallet"),
    path("wallets/<str:wallet_id>/credits", WalletCredits.as_view(), name="wallet_credits"),
    path("wallets/<str:wallet_id>/ledger", WalletLedger.as_view(), name="wallet_ledger"),
    path("wallets/<str:wallet_id>/freeze", WalletFreeze.as_view(), name="wallet_freeze"),
    path("wallets/<str:wallet_id>/thaw", WalletThaw.as_view(), name="wallet_thaw"),
    path("wallets/<str:wallet_id>/transfers", WalletTransfers.as_view(), name="wallet_transfers"),
    path("wallets/<str:wallet_id>/thresholds", WalletThresholdsView.as_view(), name="wallet_thresholds"),
    path("portal-sessions", PortalSessions.as_view(), name="portal_sessions"),
    path("accounts/<path:key>/widget-tokens", WidgetTokens.as_view(), name="widget_tokens"),
    path("accounts/<path:key>/thresholds", AccountThresholdsView.as_view(), name="account_thresholds"),
    path("wallets/<str:wallet_id>/topups", WalletTopUps.as_view(), name="wallet_top_ups"),
    path("wallets/<str:wallet_id>/auto-recharge", WalletAutoRecharge.as_view(), name="wallet_auto_recharge"),
    path("wallets/<str:wallet_id>/scheduled-top-up", WalletSchedule.as_view(), name="wallet_scheduled_top_up"),
    path("wallets/<str:wallet_id>/recharge-decisions", WalletRechargeDecisions.as_view(), name="wallet_recharge_decisions"),
    path("wallets/<str:wallet_id>/adjustments", WalletAdjustments.as_view(), name="wallet_adjustments"),
    path("approvals", Approvals.as_view(), name="approvals"),
    path("approvals/<str:approval_id>", OneApproval.as_view(), name="approval"),
    path("approvals/<str:approval_id>/approve", ApprovalApprove.as_view(), name="approval_approve"),
    path("approvals/<str:approval_id>/decline", ApprovalDecline.as_view(), name="approval_decline"),
    path("topups/<str:top_up_id>/refunds", TopUpRefunds.as_view(), name="top_up_refunds"),
    path("refunds/<str:refund_id>", OneRefund.as_view(), name="refund"),
    path("wallets/<str:wallet_id>/withdrawals", WalletWithdrawals.as_view(), name="wallet_withdrawals"),
    path("withdrawals/<str:withdrawal_id>", OneWithdrawal.as_view(), name="withdrawal"),
    path("withdrawals/<str:withdrawal_id>/cancel", WithdrawalCancel.as_view(), name="withdrawal_cancel"),
    path("topups/<str:top_up_id>", OneTopUp.as_view(), name="top_up"),
    path("accounts/<path:key>/statements", AccountStatements.as_view(), name="account_statements"),
    path("statements/<str:statement_id>.pdf", StatementPdf.as_view(), name="statement_pdf"),
    path("statements/<str:statement_id>.csv", StatementCsv.as_view(), name="statement_csv"),
    path("statements/<str:statement_id>", OneStatement.as_view(), name="statement"),
    path("accounts/<path:key>/payment-methods", AccountPaymentMethods.as_view(), name="payment_methods"),
    path("accounts/<path:key>/payment-methods/set-up", PaymentMethodSetUp.as_view(), name="payment_method_set_up"),
    path("payment-methods/<str:card_id>", OnePaymentMethod.as_view(), name="payment_method"),
    path("payment-methods/<str:card_id>/default", PaymentMethodDefault.as_view(), name="payment_method_default"),
    path("payment-methods/<str:card_id>/backup", PaymentMethodBackup.as_view(), name="payment_method_backup"),
    path("credits/preview", CreditPreview.as_view(), name="credit_preview"),
    path("credits/<str:lot_id>/void", CreditVoid.as_view(), name="credit_void"),
]
