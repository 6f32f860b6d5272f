"""Where credit came from, as its owner reads it: the payment, the voucher, the plan, the other wallet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pricing.credit_products.models import VoucherRedemption
from pricing.plans.models import Subscription
from wallets.brand.read import brand
from wallets.credit.lot_rows import LotRow
from wallets.payments.models import TopUp

OF_SOURCE: Final = {
    "sign-up": gettext_lazy("Welcome credit"),
    "bonus": gettext_lazy("Bonus"),
    "goodwill": gettext_lazy("Given as a sorry"),
}
KIND_WORDS: Final = {
    "paid": gettext_lazy("Paid"),
    "promotional": gettext_lazy("Promotional"),
    "trial": gettext_lazy("Trial"),
    "compensation": gettext_lazy("Compensation"),
    "plan": gettext_lazy("Plan"),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """What it came from, in words, and the page about that; empty where there is none."""

    words: str
    address: str = ""


def origins_of(lots: Sequence[LotRow], *, account_key: str) -> dict[int, Origin]:
    """Where each of these lots of one account came from, by row id. Three queries, however many."""
    pks = [lot.pk for lot in lots]
    top_ups: dict[int, TopUp] = {}
    for top_up in TopUp.objects.filter(Q(lot_id__in=pks) | Q(bonus_lot_id__in=pks)).select_related("method"):
        top_ups |= {pk: top_up for pk in (top_up.lot_id, top_up.bonus_lot_id) if pk is not None}
    vouchers = dict(VoucherRedemption.objects.filter(lot_id__in=pks).values_list("lot_id", "batch__name"))
    sources = {lot.source for lot in lots if lot.source.startswith("sub_")}
    plans = dict(Subscription.objects.filter(public_id__in=sources).values_list("public_id", "plan__name"))
    plan_page = f"{reverse('portal:plan')}?{urlencode({'account': account_key})}"
    found: dict[int, Origin] = {}
    for lot in lots:
        if lot.pk in top_ups:
            found[lot.pk] = _paid(top_ups[lot.pk], bonus=top_ups[lot.pk].bonus_lot_id == lot.pk)
        elif lot.pk in vouchers:
            found[lot.pk] = Origin(_("Voucher %(name)s") % {"name": vouchers[lot.pk]})
        elif lot.source in plans:
            found[lot.pk] = Origin(_("Plan %(name)s") % {"name": plans[lot.source]}, plan_page)
        elif lot.source.startswith("lot_"):
            found[lot.pk] = Origin(_("Another wallet of yours"), reverse("portal:lot", args=[lot.source]))
        elif lot.source in OF_SOURCE:
            found[lot.pk] = Origin(str(OF_SOURCE[lot.source]))
        else:
            found[lot.pk] = Origin(_("Entered by %(seller)s") % {"seller": brand().name})
    return found


def _paid(top_up: TopUp, *, bonus: bool) -> Origin:
    day = date_format(localtime(top_up.created_at), "j M Y")
    words = _("Bonus on the top-up of %(day)s") if bonus else _("Top-up of %(day)s")
    return Origin(words % {"day": day}, reverse("portal:receipt", args=[top_up.public_id]))
