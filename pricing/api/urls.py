"""The app's endpoints below /api/v1/."""

from __future__ import annotations

from django.urls import path

from pricing.api.accounts import AccountReinstate, Accounts, AccountSuspend, OneAccount
from pricing.api.agreements import AccountOverrides, AccountPins, PinEnd
from pricing.api.commitments import AccountCommitments, CommitmentPeriods, OneCommitment
from pricing.api.credit_products import ProductArchive, Products, UnitRates, WalletPurchases, WalletSignUpCredit
from pricing.api.meters import MeterArchive, Meters, OneMeter
from pricing.api.plans import OnePlan, PlanClose, PlanRevise, Plans
from pricing.api.preview import PricePreview
from pricing.api.price_books import BookVersions, OnePriceBook, PriceBooks
from pricing.api.subscriptions import (
    AccountSubscriptions,
    OneSubscription,
    SubscriptionCancel,
    SubscriptionChangePlan,
    SubscriptionPause,
    SubscriptionPeriods,
    SubscriptionResume,
)
from pricing.api.versions import OneVersion, VersionCsv, VersionDiffView, VersionJson, VersionPublish, VersionWithdraw
from pricing.api.vouchers import OneVoucherBatch, VoucherBatches, VoucherBatchStop, WalletVouchers

urlpatterns = [
    path("accounts", Accounts.as_view(), name="accounts"),
    path("accounts/<path:key>/suspend", AccountSuspend.as_view(), name="account_suspend"),
    path("accounts/<path:key>/reinstate", AccountReinstate.as_view(), name="account_reinstate"),
    path("accounts/<path:key>/overrides", AccountOverrides.as_view(), name="account_overrides"),
    path("accounts/<path:key>/pins", AccountPins.as_view(), name="account_pins"),
    path("pins/<str:pin_id>/end", PinEnd.as_view(), name="pin_end"),
    path("accounts/<path:key>/subscriptions", AccountSubscriptions.as_view(), name="account_subscriptions"),
    path("accounts/<path:key>/commitments", AccountCommitments.as_view(), name="account_commitments"),
    path("accounts/<path:key>", OneAccount.as_view(), name="account"),
    path("meters", Meters.as_view(), name="meters"),
    path("meters/<str:code>", OneMeter.as_view(), name="meter"),
    path("meters/<str:code>/archive", MeterArchive.as_view(), name="meter_archive"),
    path("pricing/preview", PricePreview.as_view(), name="price_preview"),
    path("price-books", PriceBooks.as_view(), name="price_books"),
    path("price-books/<str:book_id>", OnePriceBook.as_view(), name="price_book"),
    path("price-books/<str:book_id>/versions", BookVersions.as_view(), name="price_book_versions"),
    path("versions/<str:version_id>", OneVersion.as_view(), name="version"),
    path("versions/<str:version_id>/publish", VersionPublish.as_view(), name="version_publish"),
    path("versions/<str:version_id>/diff", VersionDiffView.as_view(), name="version_diff"),
    path("versions/<str:version_id>/withdraw", VersionWithdraw.as_view(), name="version_withdraw"),
    path("versions/<str:version_id>/prices.csv", VersionCsv.as_view(), name="version_csv"),
    path("versions/<str:version_id>/prices.json", VersionJson.as_view(), name="version_json"),
    path("plans", Plans.as_view(), name="plans"),
    path("plans/<str:plan_id>", OnePlan.as_view(), name="plan"),
    path("plans/<str:plan_id>/versions", PlanRevise.as_view(), name="plan_revise"),
    path("plans/<str:plan_id>/close", PlanClose.as_view(), name="plan_close"),
    path("subscriptions/<str:subscription_id>", OneSubscription.as_view(), name="subscription"),
    path("subscriptions/<str:subscription_id>/periods", SubscriptionPeriods.as_view(), name="subscription_periods"),
    path("subscriptions/<str:subscription_id>/change", SubscriptionChangePlan.as_view(), name="subscription_change"),
    path("subscriptions/<str:subscription_id>/pause", SubscriptionPause.as_view(), name="subscription_pause"),
    path("subscriptions/<str:subscription_id>/resume", SubscriptionResume.as_view(), name="subscription_resume"),
    path("subscriptions/<str:subscription_id>/cancel", SubscriptionCancel.as_view(), name="subscription_cancel"),
    path("credit-products", Products.as_view(), name="credit_products"),
    path("credit-products/<str:product_id>/archive", ProductArchive.as_view(), name="credit_product_archive"),
    path("credit-units/rates", UnitRates.as_view(), name="unit_rates"),
    path("wallets/<str:wallet_id>/purchases", WalletPurchases.as_view(), name="wallet_purchases"),
    path("wallets/<str:wallet_id>/sign-up-credit", WalletSignUpCredit.as_view(), name="wallet_sign_up_credit"),
    path("wallets/<str:wallet_id>/vouchers", WalletVouchers.as_view(), name="wallet_vouchers"),
    path("vouchers", VoucherBatches.as_view(), name="vouchers"),
    path("vouchers/<str:batch_id>", OneVoucherBatch.as_view(), name="voucher_batch"),
    path("vouchers/<str:batch_id>/stop", VoucherBatchStop.as_view(), name="voucher_batch_stop"),
    path("commitments/<str:commitment_id>", OneCommitment.as_view(), name="commitment"),
    path("commitments/<str:commitment_id>/periods", CommitmentPeriods.as_view(), name="commitment_periods"),
]
