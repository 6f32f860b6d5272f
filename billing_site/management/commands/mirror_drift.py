"""Compare the mirror in the provider's billing with us, now, and print what differs. Exit code 1 when anything does."""

from __future__ import annotations

from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from metering.mirror.drift import compare_mirror
from wallets.accounts.models import Account
from wallets.clock import now
from wallets.errors import Refusal
from wallets.mirror.since import mirrored_since
from wallets.money import plain


class Command(BaseCommand):
    help = "Compare credit and usage with what the provider's billing has of them."

    def handle(self, *_: Any, **__: Any) -> None:
        """Ask the provider, print a table, fail when something differs."""
        since = mirrored_since()
        if since is None:
            raise CommandError("Nothing is mirrored: STRIPE_MIRROR_SINCE is not set.")
        try:
            found = compare_mirror(at=now())
        except Refusal as refusal:
            raise CommandError(refusal.message) from refusal
        if not found:
            self.stdout.write(f"The mirror has everything since {since:%Y-%m-%d %H:%M} as we have it.")
            return
        keys = dict(Account.objects.filter(pk__in={one.account_id for one in found}).values_list("pk", "key"))
        table = Table(box=None)
        for heading in ("account", "difference", "of", "ours", "theirs", ""):
            table.add_column(heading, justify="right" if heading in ("ours", "theirs") else "left")
        for one in found:
            table.add_row(keys[one.account_id], one.what, one.subject, plain(one.ours), plain(one.theirs), one.unit)
        Console(file=cast("IO[str]", self.stdout)).print(table)
        raise CommandError(f"{len(found)} differences.", returncode=1)
