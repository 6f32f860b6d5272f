"""Fixtures of the tests of pages: a shop with something in it, and the browsers of those who look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.test import Client

    from tests.cast import Company
    from tests.factories.shop import Shop
    from wallets.accounts.models import User


@pytest.fixture
def books_hold(db: None) -> Iterator[None]:
    """The proofs over the journal hold after the test."""
    from tests.factories.journal import assert_books_hold  # noqa: PLC0415 - Django is set up by then

    yield
    assert_books_hold()


@pytest.fixture
def shop(acme: Company, globex: Company) -> Iterator[Shop]:
    """A day of business; the clock stands two hours after it."""
    from tests.factories.shop import NOW, open_shop  # noqa: PLC0415 - Django is set up by then
    from wallets import clock  # noqa: PLC0415 - as above

    shop = open_shop(acme, globex)
    with clock.set_to(NOW):
        yield shop


@pytest.fixture
def finance(fiona: User) -> Client:
    """Fiona's browser."""
    from tests.factories.shop import browser_of  # noqa: PLC0415 - Django is set up by then

    return browser_of(fiona)


@pytest.fixture
def support(sam: User) -> Client:
    """Sam's browser: looks, does not touch."""
    from tests.factories.shop import browser_of  # noqa: PLC0415 - Django is set up by then

    return browser_of(sam)


@pytest.fixture
def customer(shop: Shop) -> Client:
    """The browser of acme's owner."""
    from tests.factories.shop import browser_of  # noqa: PLC0415 - Django is set up by then

    return browser_of(shop.acme.owner)


@pytest.fixture
def stranger(shop: Shop) -> Client:
    """The browser of globex's owner, who must see nothing of acme's."""
    from tests.factories.shop import browser_of  # noqa: PLC0415 - Django is set up by then

    return browser_of(shop.globex.owner)
