"""Fixtures of the tests of metering."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def books_hold(db: None) -> Iterator[None]:
    """The proofs over journal and usage hold after the test."""
    from metering.usage import proofs  # noqa: PLC0415 - Django is set up by then
    from tests.factories.journal import assert_books_hold  # noqa: PLC0415 - as above

    yield
    assert_books_hold()
    assert [offender for prover in proofs.PROOFS for offender in prover().offenders] == []
