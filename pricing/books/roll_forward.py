"""Begin a new version with the prices of an old one, and change a draft until it is published."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from pricing.books.draft import checked_meters, draft_version, write_prices
from pricing.books.models import Price, PriceBook, PriceVersion
from pricing.books.price_terms import PriceTerms
from pricing.books.publish import VersionAlreadyPublished
from pricing.books.queries import prices_of
from pricing.books.rows import terms_of_row
from pricing.books.validate import PricesRefused
from wallets.errors import Conflict
from wallets.input import Input


class DraftChanged(Conflict):
    """Somebody else has changed these prices of the draft since they were read."""

    code = "draft_changed"


def roll_forward(*, book: PriceBook, version: PriceVersion, at: datetime, note: str = "") -> PriceVersion:
    """Draft the book's next version with all prices of `version`, but those of meters archived since.

    Prices that are left as they are keep their counters when the draft is published: tiers do not begin again. Raises
    PricesRefused, BookIsNegotiated, InvalidInput.
    """
    prices = Price.objects.filter(version=version, meter__archived_at__isnull=True).select_related("meter").order_by("id")
    return draft_version(book=book, prices=[terms_of_row(price) for price in prices], at=at, note=note)


def replace_prices(*, version: PriceVersion, prices: Sequence[PriceTerms], note: str | None = None) -> PriceVersion:
    """Let a draft hold these prices instead of those it holds; note: None leaves it.

    Raises VersionAlreadyPublished, PricesRefused, InvalidInput.
    """
    check = Input()
    note = None if note is None else check.text("note", note, longest=500)
    check.refuse("The version cannot be changed like this.")
    meters = checked_meters(prices, currency=version.book.currency)
    with transaction.atomic():
        draft = _locked_draft(version)
        Price.objects.filter(version=draft).delete()
        write_prices(draft, prices, meters=meters)
        if note is not None:
            draft.note = note
            draft.save(update_fields=["note"])
    return draft


def edit_prices(
    *, version: PriceVersion, changed: Mapping[int, PriceTerms], removed: Collection[int], added: Sequence[PriceTerms]
) -> PriceVersion:
    """Change, remove and add some prices of a draft, named by their row ids; the others stay, and their rows with them.

    Refused prices are named `changed.<row id>.<field>`, `added.<number>.<field>`, those that stay `prices.<number>.<field>`.
    Raises DraftChanged, VersionAlreadyPublished, PricesRefused.
    """
    with transaction.atomic():
        draft = _locked_draft(version)
        standing = {price.pk: terms_of_row(price) for price in prices_of(version=draft)}
        if not {*changed, *removed} <= standing.keys():
            raise DraftChanged("Somebody changed these prices meanwhile: look at them again.")
        kept = {pk: changed.get(pk, terms) for pk, terms in standing.items() if pk not in removed}
        names = [f"changed.{pk}" if pk in changed else f"prices.{row}" for row, pk in enumerate(kept)]
        names += [f"added.{number}" for number in range(len(added))]
        try:
            meters = checked_meters([*kept.values(), *added], currency=draft.book.currency)
        except PricesRefused as refused:
            raise PricesRefused(refused.message, fields=_renamed(refused.fields, names)) from refused
        Price.objects.filter(version=draft, pk__in=[*changed, *removed]).delete()
        write_prices(draft, [*changed.values(), *added], meters=meters)
    return draft


def _locked_draft(version: PriceVersion) -> PriceVersion:
    """The version with its book locked. Raises VersionAlreadyPublished."""
    PriceBook.objects.select_for_update().get(pk=version.book_id)
    draft = PriceVersion.objects.select_related("book").get(pk=version.pk)
    if draft.status == PriceVersion.Status.PUBLISHED:
        raise VersionAlreadyPublished(f"Version {draft.number} of {draft.book.name} is published: draft another.")
    return draft


def _renamed(fields: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Findings by the names of their prices: `prices.3.unit_price` -> `changed.17.unit_price`."""
    found = {}
    for name, expected in fields.items():
        _, _, rest = name.partition(".")
        row, _, field = rest.partition(".")
        found[f"{names[int(row)]}.{field}" if field else name] = expected
    return found
