"""All reports of the back office: what each answers, by which function, with which filters, for whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from metering.reports.burn import read_doubled, read_run_out
from metering.reports.chargeback import read_chargeback
from metering.reports.concentration import read_customers_by_route, read_routes
from metering.reports.refused import read_refusals
from metering.reports.revenue import read_margin, read_revenue
from metering.reports.unbilled import read_unbilled
from wallets.reports.ageing import read_credit_ageing, read_expiry_ladder, read_over_bought
from wallets.reports.breakage import read_breakage
from wallets.reports.cadence import read_top_up_cadence
from wallets.reports.deferred import read_deferred_revenue
from wallets.reports.promotional import read_promotional_cost
from wallets.reports.receivables import read_receivables
from wallets.reports.recharges import read_recharges
from wallets.reports.report import Report
from wallets.reports.roll_forward import read_roll_forward

MONEY: Final = "wallets.view_journalentry"
USAGE: Final = "metering.view_hourlyusage"


class Choice(NamedTuple):
    """A filter besides time and currency. name: of the function's argument; suggestions: values to pick from; free: others
    may be typed; required: there is no answer without it."""

    name: str
    label: str
    suggestions: tuple[str, ...]
    free: bool = True
    required: bool = False


@dataclass(frozen=True, slots=True)
class ReportKind:
    """One report. question: what it answers. spans: it is of a time from - to, else of a moment. right: who may read it."""

    slug: str
    title: str
    group: str
    question: str
    read: Callable[..., Report]
    right: str
    spans: bool
    choices: tuple[Choice, ...] = ()


BY_ANYTHING: Final = Choice("by", "By", ("meter", "model", "endpoint", "account", "version"))
BY_DIMENSION: Final = Choice("by", "By", ("endpoint", "model"))
BY_MARGIN: Final = Choice("by", "By", ("endpoint", "model", "account", "meter"))

REPORTS: Final[dict[str, ReportKind]] = {
    one.slug: one
    for one in (
        ReportKind(
            "liability",
            "Liability roll-forward",
            "What we owe",
            "What did we owe, what changed it, what do we owe?",
            read_roll_forward,
            MONEY,
            spans=True,
        ),
        ReportKind(
            "deferred-revenue",
            "Deferred revenue",
            "What we owe",
            "Of the credit sold in each month, how much is not earned yet?",
            read_deferred_revenue,
            MONEY,
            spans=False,
        ),
        ReportKind(
            "breakage",
            "Breakage",
            "What we owe",
            "How much paid credit expired, and how much is likely to?",
            read_breakage,
            MONEY,
            spans=True,
        ),
        ReportKind(
            "promotional-cost",
            "Promotional credit",
            "What we owe",
            "What did credit we gave away cost?",
            read_promotional_cost,
            MONEY,
            spans=True,
        ),
        ReportKind("expiry", "Expiry ladder", "What we owe", "Which credit ends when?", read_expiry_ladder, MONEY, spans=False),
        ReportKind(
            "ageing",
            "Credit ageing",
            "What we owe",
            "How old is the credit customers hold?",
            read_credit_ageing,
            MONEY,
            spans=False,
        ),
        ReportKind(
            "over-bought",
            "Almost expired",
            "What we owe",
            "Who bought more credit than they use?",
            read_over_bought,
            MONEY,
            spans=False,
        ),
        ReportKind(
            "receivables", "Receivables", "What we owe", "Who owes us, and since when?", read_receivables, MONEY, spans=False
        ),
        ReportKind(
            "cadence",
            "Top-up cadence",
            "Money in",
            "Who tops up like a subscription, who slows down, who stopped?",
            read_top_up_cadence,
            MONEY,
            spans=False,
        ),
        ReportKind(
            "recharges",
            "Recharges",
            "Money in",
            "How many recharges went through, and why not the others?",
            read_recharges,
            MONEY,
            spans=True,
        ),
        ReportKind(
            "revenue",
            "Revenue",
            "Usage",
            "What did customers use, and what did it bring?",
            read_revenue,
            USAGE,
            spans=True,
            choices=(BY_ANYTHING,),
        ),
        ReportKind(
            "margin", "Margin", "Usage", "What costs more than it brings?", read_margin, USAGE, spans=True, choices=(BY_MARGIN,)
        ),
        ReportKind(
            "run-out", "Burn and run-out", "Usage", "Whose credit runs out, and when?", read_run_out, USAGE, spans=False
        ),
        ReportKind("doubled", "Burn doubled", "Usage", "Who suddenly uses twice as much?", read_doubled, USAGE, spans=False),
        ReportKind(
            "routes",
            "Routes",
            "Usage",
            "Which endpoints burn most, and who burns it there?",
            read_routes,
            USAGE,
            spans=True,
            choices=(BY_DIMENSION,),
        ),
        ReportKind(
            "customers-by-route",
            "Customers by route",
            "Usage",
            "Which customers depend on a single endpoint?",
            read_customers_by_route,
            USAGE,
            spans=True,
            choices=(BY_DIMENSION,),
        ),
        ReportKind(
            "chargeback",
            "Chargeback",
            "Usage",
            "How does one customer's bill split by cost centre or tag?",
            read_chargeback,
            USAGE,
            spans=True,
            choices=(
                Choice("account", "Account key", (), required=True),
                Choice("by", "By", ("cost_centre", "team", "user", "api_key")),
            ),
        ),
        ReportKind(
            "refusals",
            "Refused at the gate",
            "Usage",
            "What did the gate refuse, and what would it have brought?",
            read_refusals,
            USAGE,
            spans=True,
        ),
        ReportKind(
            "unbilled",
            "Not charged",
            "Usage",
            "Which usage is not charged yet, and what is it worth?",
            read_unbilled,
            USAGE,
            spans=False,
        ),
    )
}
