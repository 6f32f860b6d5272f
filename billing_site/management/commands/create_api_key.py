"""Issue an API key and print it once: `python manage.py create_api_key gateway --scopes events:write,gate:check`."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api_keys.issue import issue_api_key
from wallets.api_keys.models import SCOPES
from wallets.errors import Refusal


class Command(BaseCommand):
    """Issue an API key."""

    help = "Issue an API key and print it; it is not kept and cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """NAME --scopes a,b [--account KEY] [--json]."""
        parser.add_argument("name", help="what the key is for, such as gateway")
        parser.add_argument("--scopes", required=True, help=f"comma-separated, or all: {', '.join(SCOPES)}")
        parser.add_argument("--account", help="key of the only account it sees; left out: all accounts")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_: Any, name: str, scopes: str, account: str | None, json: bool, **__: Any) -> None:
        """Issue and print."""
        wanted = SCOPES if scopes.strip() == "all" else [scope.strip() for scope in scopes.split(",") if scope.strip()]
        try:
            confined_to = account_by_key(key=account) if account else None
            issued = issue_api_key(name=name, scopes=wanted, at=clock.now(), account=confined_to)
        except Refusal as refusal:
            expected = "; ".join(f"{field}: {text}" for field, text in refusal.fields.items())
            raise CommandError(f"{refusal.message} {expected}".strip()) from refusal
        key = issued.api_key
        if json:
            self.stdout.write(_as_json(issued.secret, key.prefix, key.name, key.scopes, account))
        else:
            self.stdout.write(issued.secret)
            self.stderr.write(f"{key.name}: {', '.join(key.scopes)}{f', account {account} only' if account else ''}. "
                              "Keep it now: it is not shown again.")  # fmt: skip


def _as_json(secret: str, prefix: str, name: str, scopes: list[str], account: str | None) -> str:
    return json.dumps({"key": secret, "prefix": prefix, "name": name, "scopes": scopes, "account": account})
