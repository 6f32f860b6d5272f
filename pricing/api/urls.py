"""The app's endpoints below /api/v1/."""

from __future__ import annotations

from django.urls import path

from pricing.api.accounts import AccountReinstate, Accounts, AccountSuspend, OneAccount
from pricing.api.meters import MeterArchive, Meters, OneMeter
from pricing.api.preview import PricePreview
from pricing.api.price_books import BookVersions, OnePriceBook, OneVersion, PriceBooks, VersionPublish

urlpatterns = [
    path("accounts", Accounts.as_view(), name="accounts"),
    path("accounts/<path:key>/suspend", AccountSuspend.as_view(), name="account_suspend"),
    path("accounts/<path:key>/reinstate", AccountReinstate.as_view(), name="account_reinstate"),
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
]
