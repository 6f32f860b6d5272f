"""Django's index of this app's models; imported by nobody. The models live in the rooms."""

from pricing.books.models import Assignment, Price, PriceBook, PriceVersion, VersionPin
from pricing.commitments.models import Commitment, CommitmentPeriod
from pricing.counters.models import CounterMember, PriceCounter
from pricing.credit_products.models import (
    BonusSlab,
    CreditProduct,
    CreditPurchase,
    CreditUnitRate,
    SignUpCredit,
    VoucherAttempt,
    VoucherBatch,
    VoucherCode,
    VoucherRedemption,
)
from pricing.meters.models import CatalogueToken, Meter
from pricing.plans.models import (
    PeriodAllowance,
    PeriodFee,
    Plan,
    PlanAllowance,
    PreparedAllowance,
    Subscription,
    SubscriptionChange,
    SubscriptionPeriod,
)

__all__ = [
    "Assignment",
    "BonusSlab",
    "CatalogueToken",
    "Commitment",
    "CommitmentPeriod",
    "CounterMember",
    "CreditProduct",
    "CreditPurchase",
    "CreditUnitRate",
    "Meter",
    "PeriodAllowance",
    "PeriodFee",
    "Plan",
    "PlanAllowance",
    "PreparedAllowance",
    "Price",
    "PriceBook",
    "PriceCounter",
    "PriceVersion",
    "SignUpCredit",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionPeriod",
    "VersionPin",
    "VoucherAttempt",
    "VoucherBatch",
    "VoucherCode",
    "VoucherRedemption",
]
