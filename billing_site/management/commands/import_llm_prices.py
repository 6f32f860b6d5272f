"""Draft LLM list prices with a mark-up: `python manage.py import_llm_prices --provider openai --markup 20 --book Standard`."""

from __future__ import annotations

import json as json_text
from argparse import ArgumentParser
from collections import defaultdict
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from pricing.books.draft import create_price_book
from pricing.books.models import PriceBook
from pricing.catalogues.genai_prices import Imported, Skipped, import_list_prices
from wallets import clock
from wallets.errors import Refusal

EXAMPLES: Final = 3  # models named for each reason


class Command(BaseCommand):
    """Import list prices."""

    help = (
        "Draft the next version of a price book from providers' LLM list prices plus a mark-up; the list price is kept as "
        "the unit cost. Nothing is published. Prices that are not one price per token are left out and named."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Providers, models, mark-up, book."""
        parser.add_argument("--provider", action="append", required=True, metavar="ID", dest="providers",
                            help="openai, anthropic, mistral, ...; again for more: the first with a model wins")  # fmt: skip
        parser.add_argument("--model", action="append", default=[], metavar="PATTERN", dest="models",
                            help="an id or a pattern such as 'gpt-5*'; again for more; default: all")  # fmt: skip
        parser.add_argument("--markup", required=True, metavar="PERCENT", help="20 sells at 1.2 times the list price")
        parser.add_argument("--book", required=True, metavar="NAME", help="made in USD if there is none of this name")
        parser.add_argument("--exchange-rate", metavar="RATE", help="currency of the book for one USD, for a book not in USD")
        parser.add_argument("--json", action="store_true", help="print JSON, with everything that was left out")

    def handle(self, *_: Any, **options: Any) -> None:
        """Import and print."""
        at = clock.now()
        try:
            with transaction.atomic():
                book = PriceBook.objects.filter(name=options["book"]).first()
                if book is None:
                    book = create_price_book(name=options["book"], currency="USD", at=at)
                imported = import_list_prices(
                    book=book,
                    providers=options["providers"],
                    models=options["models"],
                    markup_percent=_number("--markup", options["markup"]),
                    exchange_rate=_number("--exchange-rate", options["exchange_rate"]) if options["exchange_rate"] else None,
                    at=at,
                )
        except Refusal as refusal:
            expected = "; ".join(f"{name}: {text}" for name, text in refusal.fields.items())
            raise CommandError(f"{refusal.message} {f'({expected})' if expected else ''}".strip()) from refusal
        if options["json"]:
            self.stdout.write(json_text.dumps(_primitives(book, imported)))
        else:
            self.stdout.write(_text(book, imported))


def _number(option: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise CommandError(f"{option} {text}: a number is expected.") from None


def _primitives(book: PriceBook, imported: Imported) -> dict[str, Any]:
    return {
        "price_book": book.public_id,
        "version": imported.version.public_id,
        "number": imported.version.number,
        "note": imported.version.note,
        "prices": imported.prices,
        "models": imported.models,
        "taken_over": imported.taken_over,
        "rounded": imported.rounded,
        "defined_meters": list(imported.defined_meters),
        "skipped": [
            {"provider": one.provider, "model": one.model, "what": one.what, "reason": one.reason} for one in imported.skipped
        ],
    }


def _text(book: PriceBook, imported: Imported) -> str:
    version = imported.version
    drafted = (
        f"Drafted version {version.number} of {book.name} ({version.public_id}): {imported.prices} prices of "
        f"{imported.models} models; {version.note}."
    )
    lines = [drafted]
    if imported.taken_over:
        lines.append(f"Prices of other meters taken over: {imported.taken_over}.")
    if imported.defined_meters:
        lines.append(f"Meters defined: {', '.join(imported.defined_meters)}.")
    if imported.rounded:
        lines.append(f"Rounded to 12 decimals, half-even: {imported.rounded} prices.")
    reasons: dict[str, list[Skipped]] = defaultdict(list)
    for one in imported.skipped:
        reasons[one.reason].append(one)
    for reason, ones in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0])):
        named = ", ".join(f"{one.model} {one.what}".strip() for one in ones[:EXAMPLES])
        more = f" and {len(ones) - EXAMPLES} more" if len(ones) > EXAMPLES else ""
        lines.append(f"Left out, {reason}: {named}{more}.")
    lines.append("A draft: look at it in the admin and publish it there, or POST /api/v1/versions/{id}/publish.")
    return "\n".join(lines)
