"""Can an account pay the prices of a book? It needs a wallet in a currency of theirs."""

from __future__ import annotations

from pricing.books.models import Price, PriceBook, PriceVersion
from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.errors import InvalidInput


class PriceBookUnfit(InvalidInput):
    """There is no such price book, or none of its currencies is one the account has a wallet in."""

    code = "price_book_unfit"


def currencies_of(account: Account) -> set[str]:
    """The currencies in which usage of an account is charged."""
    held = Wallet.objects.filter(account=account, is_default=True).exclude(status=Wallet.Status.CLOSED)
    return set(held.values_list("currency", flat=True))


def check_fits(
    *, book: PriceBook | None, account: Account, field: str = "price_book", currencies: set[str] | None = None
) -> PriceBook:
    """The book, if the account can pay its prices: it has a wallet in the book's currency, or its main currency is one the
    last published version has prices in. currencies: those of its wallets, if known. Raises PriceBookUnfit naming `field`."""
    held = currencies_of(account) if currencies is None else currencies
    own = book is not None and book.account_id in (None, account.pk)
    if book is None or not own or not (book.currency in held or _priced_in(book, held & {account.currency})):
        wanted = " or ".join(sorted(held)) or "a currency the account has a wallet in"
        raise PriceBookUnfit("The price book does not fit the account.", fields={field: f"prices in {wanted}"})
    return book


def _priced_in(book: PriceBook, currencies: set[str]) -> bool:
    published = PriceVersion.objects.filter(book=book, status=PriceVersion.Status.PUBLISHED)
    last = published.order_by("-effective_at", "-published_at", "-id").first()
    return bool(currencies) and Price.objects.filter(version=last, currency__in=currencies).exists()
