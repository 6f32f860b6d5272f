"""Django's index of this app's models; imported by nobody. The models live in the rooms."""

from wallets.accounts.billing_models import BillingDetails
from wallets.accounts.models import Account, Invitation, Member, User
from wallets.accounts.note_models import AccountNote
from wallets.adjustments.models import Adjustment, Attachment, ReasonCode
from wallets.api_keys.models import ApiKey
from wallets.approvals.models import Approval, ApprovalLimit, MovedAlone
from wallets.audit.models import AuditEvent
from wallets.balances.models import ThresholdCrossing, Wallet
from wallets.brand.models import Brand
from wallets.credit.models import CreditLot
from wallets.holds.models import Hold
from wallets.idempotency.models import StoredAnswer
from wallets.imports.models import CreditImport
from wallets.ledger.day_models import JournalDay, RolledDays, StaleDay
from wallets.ledger.models import JournalEntry, LedgerAccount, Posting
from wallets.ledger.proof_models import ProofRun
from wallets.mirror.models import MirrorDrift, MirrorItem
from wallets.numbers.models import NumberSeries
from wallets.outbox.models import Delivery, News
from wallets.payments.bank_models import BankLine
from wallets.payments.event_models import PaymentException, ProviderEvent
from wallets.payments.models import PaymentMethod, ProviderCustomer, Receipt, TopUp
from wallets.payments.offer_models import AccountTax, BonusSlab, RefundPolicy, TaxRate, TopUpTerms
from wallets.periods.models import PeriodClosing, PeriodProof
from wallets.portal_links.models import PortalLink
from wallets.recharge.models import AutoRecharge, RechargeDecision, ScheduledTopUp
from wallets.refunds.models import Dispute, Refund, Withdrawal
from wallets.reports.models import AccountCode
from wallets.risk.models import HeldCredit, ReviewItem, TopUpAttempt, TrustTier, VelocityRule
from wallets.statements.credit_note_models import CreditedCharge, CreditNote, CreditNoteLine
from wallets.statements.models import Statement, StatementLine
from wallets.visits.models import SignIn, SupportVisit

__all__ = [
    "Account",
    "AccountCode",
    "AccountNote",
    "AccountTax",
    "Adjustment",
    "ApiKey",
    "Approval",
    "ApprovalLimit",
    "Attachment",
    "AuditEvent",
    "AutoRecharge",
    "BankLine",
    "BillingDetails",
    "BonusSlab",
    "Brand",
    "CreditImport",
    "CreditLot",
    "CreditNote",
    "CreditNoteLine",
    "CreditedCharge",
    "Delivery",
    "Dispute",
    "HeldCredit",
    "Hold",
    "Invitation",
    "JournalDay",
    "JournalEntry",
    "LedgerAccount",
    "Member",
    "MirrorDrift",
    "MirrorItem",
    "MovedAlone",
    "News",
    "NumberSeries",
    "PaymentException",
    "PaymentMethod",
    "PeriodClosing",
    "PeriodProof",
    "PortalLink",
    "Posting",
    "ProofRun",
    "ProviderCustomer",
    "ProviderEvent",
    "ReasonCode",
    "Receipt",
    "RechargeDecision",
    "Refund",
    "RefundPolicy",
    "ReviewItem",
    "RolledDays",
    "ScheduledTopUp",
    "SignIn",
    "StaleDay",
    "Statement",
    "StatementLine",
    "StoredAnswer",
    "SupportVisit",
    "TaxRate",
    "ThresholdCrossing",
    "TopUp",
    "TopUpAttempt",
    "TopUpTerms",
    "TrustTier",
    "User",
    "VelocityRule",
    "Wallet",
    "Withdrawal",
]
