"""After every test of this room its own proofs hold too, beside those of the journal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _money_back_is_proved(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "provider" in request.fixturenames:
        from tests.factories.refunds import assert_money_back_is_proved  # noqa: PLC0415 - Django is set up by then

        assert_money_back_is_proved()
