"""Rules that people set: limits, reasons, guards. Unlike records they are edited by hand, with Django's own forms; who changed
what is in the audit log and in Django's own (the page's history)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from unfold.admin import ModelAdmin

from wallets.admin.read_only import PER_PAGE
from wallets.admin.recorded import RecordedForms

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as DjangoModelAdmin

    _Base = DjangoModelAdmin[Any]
else:
    _Base = ModelAdmin


class RulesAdmin(RecordedForms, _Base):
    """Rows that are few and edited by those who may."""

    list_per_page = PER_PAGE
    paginator = Paginator
    list_fullwidth = True
