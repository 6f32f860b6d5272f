"""What is kept of people, why, for how long, and what erasing does to it: one table, shown on the page Privacy. A test finds
columns that hold addresses and are not in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from wallets.visits.models import SIGN_INS_KEPT_DAYS


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of data. columns: where it stands (`wallets.user.email`). erased: what deleting does."""

    what: Any
    why: Any
    how_long: Any
    erased: Any
    columns: tuple[str, ...]


_BOOKS: Final = _("stays, as the law asks of books: ten years")
_WITH_ACCOUNT: Final = _("as long as the account")

PERSONAL: Final = (
    Kept(
        _("Your name, e-mail address, password (as a hash), time zone"), _("to sign in"), _("until you delete yourself"),
        _("taken out; rows of the books that point to you name nobody"),
        ("wallets.user.email", "wallets.user.first_name", "wallets.user.last_name", "account.emailaddress.email"),
    ),
    Kept(
        _("Authenticator app, passkeys, recovery codes"), _("to sign in"), _("until you remove them"), _("deleted"),
        ("mfa.authenticator.data",),
    ),
    Kept(
        _("Sessions: browser and address"), _("so that you can sign out others"), _("until the session ends, at most 14 days"),
        _("deleted"), ("usersessions.usersession.ip", "usersessions.usersession.user_agent"),
    ),
    Kept(
        _("Sign-ins: when, how, address, browser"), _("so that you see who came in as you"),
        _("%(days)d days") % {"days": SIGN_INS_KEPT_DAYS}, _("address and browser taken out"),
        ("wallets.signin.address", "wallets.signin.agent"),
    ),
    Kept(
        _("Name, e-mail address, country of the account"), _("to bill it"), _WITH_ACCOUNT,
        _("taken out; statements and receipts keep what they said"),
        ("wallets.account.name", "wallets.account.email"),
    ),
    Kept(
        _("Billing details: legal name, address, tax id, invoice e-mails"), _("to issue receipts and statements"),
        _WITH_ACCOUNT,
        _("deleted; statements and receipts keep what they said"),
        ("wallets.billingdetails.invoice_emails", "wallets.billingdetails.legal_name", "wallets.billingdetails.address",
         "wallets.billingdetails.tax_id"),
    ),
    Kept(
        _("Invitations: to which address, by whom"), _("to let people in"), _WITH_ACCOUNT, _("the address is taken out"),
        ("wallets.invitation.email",),
    ),
    Kept(
        _("Mailboxes and webhook addresses that are told of things, and what was sent"), _("to tell you"), _WITH_ACCOUNT,
        _("taken out; that something was told stays"),
        ("notifications.recipient.email", "notifications.delivery.address", "notifications.keptmail.address",
         "notifications.webhookendpoint.url"),
    ),
    Kept(
        _("News on its way to whoever is told"), _("to answer who was told what"), _("90 days"), _("stays until then"),
        ("wallets.news.payload",),
    ),
    Kept(
        _("Cards: brand, last four digits, end; never the number"), _("to charge them"), _("until you remove them"),
        _("removed at the payment provider; the last four digits stay on receipts"),
        ("wallets.paymentmethod.last_four", "wallets.paymentmethod.fingerprint"),
    ),
    Kept(
        _("Attempts to top up: address and card"), _("to stop card testing"), _("31 days"), _("stays until then"),
        ("wallets.topupattempt.address",),
    ),
    Kept(
        _("Payments, credit, the journal, statements, receipts, who asked for what"), _("the books"), _("ten years"), _BOOKS,
        ("wallets.journalentry.actor", "wallets.receipt.buyer", "wallets.statement.buyer"),
    ),
    Kept(
        _("Usage events with the properties they were sent with"), _("they are what the charges rest on"), _("ten years"),
        _BOOKS,
        ("metering.usageevent.properties",),
    ),
    Kept(
        _("Spend caps: the key, user or team each is for, as you named it"), _("to stop calls in time"), _("ten years"), _BOOKS,
        ("metering.spendcap.value",),
    ),
    Kept(
        _("Changes of settings: who, what, before and after, from which address"), _("to answer who changed something"),
        _("ten years"), _("stays; it points to a person who has no name any more"),
        ("wallets.auditevent.address", "wallets.supportvisit.address"),
    ),
)  # fmt: skip
