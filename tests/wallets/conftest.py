"""Fixtures of the tests of wallets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def books_hold(db: None) -> Iterator[None]:
    """The proofs over the journal hold after the test."""
    from tests.factories.journal import assert_books_hold  # noqa: PLC0415 - Django is set up by then

    yield
    assert_books_hold()
