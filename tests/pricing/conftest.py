"""Fixtures of the tests of pricing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def journal_holds(db: None) -> Iterator[None]:
    """The proofs over the journal hold after the test; usage that came without events is not asked for its charges."""
    from tests.factories.journal import assert_books_hold  # noqa: PLC0415 - Django is set up by then

    yield
    assert_books_hold()
