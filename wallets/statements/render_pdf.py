"""A statement as PDF, set by typst from `templates/statement/statement.typ` (or the vendor's own: STATEMENT_TEMPLATE)."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal

import typst
from django.conf import settings

from wallets.amount_text import exact_text, line_text, quantity_text
from wallets.brand.read import BrandShown, brand, brand_logo
from wallets.statements.document import Document, Section
from wallets.statements.models import StatementLine


def render_pdf(document: Document) -> bytes:
    """The statement's PDF, as `set_pdf` makes it."""
    return set_pdf(settings.STATEMENT_TEMPLATE, statement=_values(document), issued_at=document.issued_at)


def set_pdf(template: str, *, issued_at: datetime, **given: dict[str, object]) -> bytes:
    """A document set by typst: tagged, its fonts embedded, the same bytes each time. given: what it reads, by name."""
    compiled = typst.compile(
        template,
        format="pdf",
        sys_inputs={name: json.dumps(values) for name, values in given.items()},
        ignore_system_fonts=True,
        timestamp=int(issued_at.timestamp()),
    )
    assert isinstance(compiled, bytes), type(compiled)
    return compiled


def _values(document: Document) -> dict[str, object]:
    currency = document.currency
    return brand_values() | {
        "title": f"Statement {document.number}",
        "number": document.number,
        "seller": document.seller,
        "buyer": document.buyer,
        "account": document.account_key,
        "wallet": document.wallet,
        "period": document.period,
        "days": f"{document.first_day:%-d %B %Y} to {document.last_day:%-d %B %Y}, {document.time_zone}",
        "issued": f"{document.issued_at:%-d %B %Y}",
        "currency": currency,
        "opening": figure(document.opening, currency),
        "closing": figure(document.closing, currency),
        "rounding": figure(document.rounding, currency) if document.rounding else "",
        "sections": [_section(section, currency) for section in document.sections],
    }


def brand_values() -> dict[str, object]:
    """Whose document it is."""
    shown = brand()
    return {
        "brand": shown.name,
        "logo": _logo(shown),
        "ask": shown.support_email,
        "colour": shown.light.accent if shown.colour else "",
    }


def _logo(shown: BrandShown) -> list[int]:
    """The bytes of the picture, as typst takes them; empty for none."""
    found = brand_logo() if shown.logo else None
    return list(found[0]) if found else []


def figure(amount: Decimal, currency: str) -> str:
    """An amount without its currency, which stands at the head of the column."""
    return str(line_text(amount, currency)._replace(currency=""))


def _section(section: Section, currency: str) -> dict[str, object]:
    return {
        "title": section.title,
        "usage": section.code in {StatementLine.Section.USAGE, StatementLine.Section.LATE_USAGE},
        "total": figure(section.total, currency),
        "lines": [
            {
                "label": line.label,
                "under": "; ".join(part for part in (line.detail, line.price.replace("\n", "; "), line.reference) if part),
                "when": f"{line.happened_at:%-d %b}" if line.happened_at else "",
                "quantity": "" if line.quantity is None else quantity_text(line.quantity),
                "allowance": "" if not line.allowance else f"{quantity_text(line.allowance)} from allowance",
                "amount": figure(line.rounded, currency),
                "exact": str(exact_text(line.amount, currency)),
            }
            for line in section.lines
        ],
    }
