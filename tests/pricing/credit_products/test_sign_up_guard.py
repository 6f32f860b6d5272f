"""Who gets sign-up credit only once."""

from __future__ import annotations

import pytest

from pricing.credit_products.sign_up_guard import guard_of


@pytest.mark.parametrize(
    ("email", "guard"),
    [
        ("Fiona@Acme.example", "acme.example"),
        ("anybody@acme.example", "acme.example"),
        ("jane.doe+trial2@gmail.com", "janedoe@gmail.com"),
        ("JaneDoe@googlemail.com", "janedoe@gmail.com"),
        ("jane.doe+x@outlook.com", "jane.doe@outlook.com"),
        ("no address", None),
        ("a@b", None),
        ("a@@acme.example", None),
        ("+x@gmail.com", None),
        ("a@acme..example", None),
    ],
)
def test_one_company_or_mailbox_one_credit(email: str, guard: str | None) -> None:
    assert guard_of(email) == guard
