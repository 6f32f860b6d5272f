"""`manage.py create_api_key` prints a key once."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.cast import Api, Company
from wallets.api_keys.models import SCOPES, ApiKey


def create(*arguments: str) -> str:
    out = StringIO()
    call_command("create_api_key", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_key_alone_is_printed_so_that_a_script_can_take_it(db: None) -> None:
    printed = create("gateway", "--scopes", "events:write,accounts:read")
    assert Api(printed.strip()).get("/accounts").status_code == 200
    assert ApiKey.objects.get().scopes == ["events:write", "accounts:read"]


def test_as_json(acme: Company) -> None:
    printed = json.loads(create("portal", "--scopes", "accounts:read", "--account", "acme", "--json"))
    assert (printed["name"], printed["scopes"], printed["account"]) == ("portal", ["accounts:read"], "acme")
    assert [one["account"] for one in Api(printed["key"]).get("/accounts").json()["data"]] == ["acme"]


def test_all_scopes_by_one_word(db: None) -> None:
    create("backend", "--scopes", "all")
    assert ApiKey.objects.get().scopes == list(SCOPES)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x", "--scopes", "everything"], "scopes"),
        (["x", "--scopes", ""], "scopes"),
        (["", "--scopes", "all"], "name"),
        (["x", "--scopes", "all", "--account", "nobody"], "nobody"),
    ],
)
def test_what_is_not_acceptable_is_said(db: None, arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        create(*arguments)
    assert not ApiKey.objects.exists()
