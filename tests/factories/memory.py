"""What a process keeps in memory of the database."""

from __future__ import annotations


def forget_everything() -> None:
    """The rows are gone, or will be: nothing is remembered of them."""
    from metering.ingest import accounts  # noqa: PLC0415 - Django is set up by then
    from metering.ingest.insert import duplicates  # noqa: PLC0415 - as above
    from pricing.books import in_force  # noqa: PLC0415 - as above
    from pricing.counters import counters  # noqa: PLC0415 - as above
    from wallets.api_keys import verify  # noqa: PLC0415 - as above
    from wallets.ledger import chart  # noqa: PLC0415 - as above

    for memory in (accounts, counters, duplicates, in_force, verify, chart):
        memory.forget()
    nothing_branded()


def nothing_branded() -> None:
    """Nobody has set a brand; asking costs no query, in whatever order tests run."""
    from wallets.brand.read import remember_brand, unbranded  # noqa: PLC0415 - as above

    remember_brand(unbranded())
