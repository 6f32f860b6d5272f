"""Whose pages these are. Every query of the customer's pages starts here, from the accounts of the person who signed
in; what belongs to anyone else does not exist (404), whether it does or not (I12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from billing_site.portal.link import link_of
from billing_site.portal.visit import visit_of
from metering.usage.models import UsageEvent
from wallets.accounts.models import Account, Member, User
from wallets.balances.models import Wallet
from wallets.payments.models import TopUp
from wallets.statements.credit_note_models import CreditNote
from wallets.statements.models import Statement

Rest = ParamSpec("Rest")
Answer = TypeVar("Answer", bound=HttpResponseBase)
Role = Member.Role
# Who may do what in an account. The first word says it; a page asks `customer.with_right(word, key)`.
MAY: Final[dict[str, frozenset[str]]] = {
    "read": frozenset(Role),
    "pay": frozenset({Role.OWNER, Role.ADMIN, Role.BILLING}),  # its money, cards, recharge, withdrawals
    "billing_details": frozenset({Role.OWNER, Role.ADMIN, Role.BILLING}),
    "keys": frozenset({Role.OWNER, Role.ADMIN, Role.DEVELOPER}),
    "alerts": frozenset({Role.OWNER, Role.ADMIN, Role.BILLING, Role.DEVELOPER}),  # and webhook endpoints
    "caps": frozenset({Role.OWNER, Role.ADMIN}),
    "team": frozenset({Role.OWNER, Role.ADMIN}),
    "export": frozenset({Role.OWNER, Role.ADMIN}),  # everything at once
    "close": frozenset({Role.OWNER}),
}
# What is left in an account that is closed.
MAY_WHEN_CLOSED: Final = frozenset({"read", "export", "close"})

# What a session that began with a link may do: people, keys and the end of the account want somebody who signed in.
MAY_BY_LINK: Final = frozenset({"read", "pay", "billing_details", "alerts", "caps"})


@dataclass(frozen=True, slots=True)
class Customer:
    """The person who signed in, as a member of accounts. visiting: the one account support looks at, instead of theirs;
    they read everything of it and change nothing (`visit.py`). linked: the one account of a session that began with a link, and
    linked_role what its person is in it (`link.py`)."""

    user: User
    visiting: Account | None = None
    linked: Account | None = None
    linked_role: str | None = None

    def theirs(self, account: str) -> Q:
        """Rows of their accounts, by the path from the row to its account (`wallet__account`)."""
        only = self.visiting or self.linked
        if only is not None:
            return Q(**{account: only})
        return Q(**{f"{account}__members__user": self.user})

    def accounts(self) -> QuerySet[Account]:
        """Their accounts, each with their role in it (`its_role`)."""
        only = self.visiting or self.linked
        if only is not None:
            return Account.objects.filter(pk=only.pk)
        return Account.objects.filter(members__user=self.user).annotate(its_role=F("members__role")).order_by("name", "id")

    def account(self, key: str) -> Account:
        """Their account with this key. Raises Http404."""
        account = self.accounts().filter(key=key).first()
        if account is None:
            raise Http404
        return account

    def wallets(self, account: Account) -> QuerySet[Wallet]:
        """The open wallets of one of their accounts: the one in the account's own currency first."""
        wallets = Wallet.objects.filter(self.theirs("account"), account=account)
        own = Case(When(currency=account.currency, then=Value(0)), default=Value(1))
        return wallets.exclude(status=Wallet.Status.CLOSED).order_by("-is_default", own, "currency", "id")

    def role_in(self, account: Account) -> str | None:
        """Their role in the account; None in one they are no member of."""
        if self.linked is not None:
            return self.linked_role if account.pk == self.linked.pk else None
        if self.visiting is None and hasattr(account, "its_role"):
            return str(account.its_role)
        return Member.objects.filter(account=account, user=self.user).values_list("role", flat=True).first()

    def may(self, action: str, account: Account) -> bool:
        """Whether their role in the account allows the action, a key of MAY; support may read."""
        if self.visiting is not None:
            return action == "read"
        if account.closed_at is not None and action not in MAY_WHEN_CLOSED:
            return False
        if self.linked is not None and action not in MAY_BY_LINK:
            return False
        return self.role_in(account) in MAY[action]

    def with_right(self, action: str, key: str) -> Account:
        """Their account with this key, if their role in it allows the action, a key of MAY.

        Raises Http404 for a stranger, PermissionDenied for a member whose role does not. Support gets it, too: to look at the
        page; the visit refuses whatever would change something.
        """
        account = self.account(key)
        if self.visiting is None and not self.may(action, account):
            raise PermissionDenied
        return account

    def top_up(self, public_id: str) -> TopUp:
        """A top-up of one of their accounts. Raises Http404."""
        found = TopUp.objects.select_related("wallet__account", "method").filter(self.theirs("wallet__account"))
        top_up = found.filter(public_id=public_id).first()
        if top_up is None:
            raise Http404
        return top_up

    def statement(self, public_id: str) -> Statement:
        """A statement of one of their accounts. Raises Http404."""
        found = Statement.objects.select_related("wallet__account").filter(self.theirs("wallet__account"))
        statement = found.filter(public_id=public_id).first()
        if statement is None:
            raise Http404
        return statement

    def credit_note(self, public_id: str) -> CreditNote:
        """An issued credit note of one of their accounts. Raises Http404."""
        found = CreditNote.objects.select_related("statement__wallet__account").filter(
            self.theirs("statement__wallet__account")
        )
        note = found.filter(public_id=public_id, state=CreditNote.State.ISSUED).first()
        if note is None:
            raise Http404
        return note

    def event_pk(self, pk: int) -> int:
        """The row id, if it is of an event of one of their accounts. Raises Http404."""
        if not UsageEvent.objects.filter(self.theirs("account"), pk=pk).exists():
            raise Http404
        return pk


def customer_of(request: HttpRequest) -> Customer:
    """Whoever looks: a person who signed in, support on a visit, or whoever came by a link."""
    user: Any = request.user
    assert not isinstance(user, AnonymousUser), "login_required stands before this"
    link = link_of(request)
    if link is not None:
        member = None if link.read_only else Member.objects.filter(account=link.account, user=user).first()
        return Customer(user, linked=link.account, linked_role=Member.Role.VIEWER if member is None else member.role)
    visit = visit_of(request)
    return Customer(user) if visit is None else Customer(user, visiting=visit.account)


def customer_page(
    view: Callable[Concatenate[HttpRequest, Customer, Rest], Answer],
) -> Callable[Concatenate[HttpRequest, Rest], Answer]:
    """A page for people who signed in; the view is given the customer to start its queries from."""

    @wraps(view)
    def with_customer(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> Answer:
        response = view(request, customer_of(request), *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return login_required(with_customer, login_url="portal:login")


def person_page(
    view: Callable[Concatenate[HttpRequest, Customer, Rest], HttpResponse],
) -> Callable[Concatenate[HttpRequest, Rest], HttpResponse]:
    """A page about the person who signed in rather than an account: not for support that looks at somebody else's."""

    @wraps(view)
    def alone(request: HttpRequest, customer: Customer, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        if customer.visiting is not None or customer.linked is not None:
            raise PermissionDenied
        return view(request, customer, *args, **kwargs)

    return customer_page(alone)
