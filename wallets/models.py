"""Django's index of this app's models; imported by nobody. The models live in the rooms."""

from wallets.accounts.models import Account, Member, User
from wallets.api_keys.models import ApiKey
from wallets.balances.models import ThresholdCrossing, Wallet
from wallets.credit.models import CreditLot
from wallets.holds.models import Hold
from wallets.idempotency.models import StoredAnswer
from wallets.ledger.models import JournalEntry, LedgerAccount, Posting
from wallets.outbox.models import Delivery, News

__all__ = [
    "Account",
    "ApiKey",
    "CreditLot",
    "Delivery",
    "Hold",
    "JournalEntry",
    "LedgerAccount",
    "Member",
    "News",
    "Posting",
    "StoredAnswer",
    "ThresholdCrossing",
    "User",
    "Wallet",
]
