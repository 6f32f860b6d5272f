"""The app's endpoints below /api/v1/."""

from __future__ import annotations

from django.urls import path

from pricing.api.accounts import AccountReinstate, Accounts, AccountSuspend, OneAccount
from pricing.api.agreements import AccountOverrides, AccountPins, PinEnd
from pricing.api.meters import MeterArchive, Meters, OneMeter
from pricing.api.preview import PricePreview
from pricing.api.price_books import BookVersions, OnePriceBook, PriceBooks
from pricing.api.versions import OneVersion, VersionCsv, VersionDiffView, VersionJson, VersionPublish, VersionWithdraw

urlpatterns = [
    path("accounts", Accounts.as_view(), name="accounts"),
    path("accounts/<path:key>/suspend", AccountSuspend.as_view(), name="account_suspend"),
    path("accounts/<path:key>/reinstate", AccountReinstate.as_view(), name="account_reinstate"),
    path("accounts/<path:key>/overrides", AccountOverrides.as_view(), name="account_overrides"),
    path("accounts/<path:key>/pins", AccountPins.as_view(), name="account_pins"),
    path("pins/<str:pin_id>/end", PinEnd.as_view(), name="pin_end"),
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
]
