"""The app's endpoints below /api/v1/."""

from __future__ import annotations

from django.urls import path

from wallets.api.credit_preview import CreditPreview
from wallets.api.credits import CreditVoid, WalletCredits
from wallets.api.wallets import AccountWallets, OneWallet, WalletFreeze, WalletLedger, WalletThaw, WalletTransfers

urlpatterns = [
    path("accounts/<path:key>/wallets", AccountWallets.as_view(), name="account_wallets"),
    path("wallets/<str:wallet_id>", OneWallet.as_view(), name="wallet"),
    path("wallets/<str:wallet_id>/credits", WalletCredits.as_view(), name="wallet_credits"),
    path("wallets/<str:wallet_id>/ledger", WalletLedger.as_view(), name="wallet_ledger"),
    path("wallets/<str:wallet_id>/freeze", WalletFreeze.as_view(), name="wallet_freeze"),
    path("wallets/<str:wallet_id>/thaw", WalletThaw.as_view(), name="wallet_thaw"),
    path("wallets/<str:wallet_id>/transfers", WalletTransfers.as_view(), name="wallet_transfers"),
    path("credits/preview", CreditPreview.as_view(), name="credit_preview"),
    path("credits/<str:lot_id>/void", CreditVoid.as_view(), name="credit_void"),
]
