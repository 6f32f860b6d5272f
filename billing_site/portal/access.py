"""Whose pages these are. Every query of the customer's pages starts here, from the accounts of the person who signed
in; what belongs to anyone else does not exist (404), whether it does or not (I12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse

from metering.usage.models import UsageEvent
from wallets.accounts.models import Account, Member, User
from wallets.balances.models import Wallet
from wallets.payments.models import TopUp
from wallets.statements.models import Statement

Rest = ParamSpec("Rest")
PAYERS: Final = (Member.Role.OWNER, Member.Role.ADMIN, Member.Role.BILLING)


@dataclass(frozen=True, slots=True)
class Customer:
    """The person who signed in, as a member of accounts."""

    user: User

    def accounts(self) -> QuerySet[Account]:
        """Their accounts."""
        return Account.objects.filter(members__user=self.user).order_by("name", "id")

    def account(self, key: str) -> Account:
        """Their account with this key. Raises Http404."""
        account = self.accounts().filter(key=key).first()
        if account is None:
            raise Http404
        return account

    def wallets(self, account: Account) -> QuerySet[Wallet]:
        """The open wallets of one of their accounts: the one in the account's own currency first."""
        wallets = Wallet.objects.filter(account=account, account__members__user=self.user)
        own = Case(When(currency=account.currency, then=Value(0)), default=Value(1))
        return wallets.exclude(status=Wallet.Status.CLOSED).order_by("-is_default", own, "currency", "id")

    def payer_of(self, key: str) -> Account:
        """Their account with this key, if they may spend its money. Raises Http404, PermissionDenied."""
        account = self.account(key)
        if not self.may_pay(account):
            raise PermissionDenied
        return account

    def owner_of(self, key: str) -> Account:
        """Their account with this key, if it is theirs to say what others may spend. Raises Http404, PermissionDenied."""
        account = self.account(key)
        if not self.owns(account):
            raise PermissionDenied
        return account

    def owns(self, account: Account) -> bool:
        """Whether they are an owner of the account."""
        return Member.objects.filter(account=account, user=self.user, role=Member.Role.OWNER).exists()

    def may_pay(self, account: Account) -> bool:
        """Whether they may spend the account's money and change its cards."""
        return Member.objects.filter(account=account, user=self.user, role__in=PAYERS).exists()

    def top_up(self, public_id: str) -> TopUp:
        """A top-up of one of their accounts. Raises Http404."""
        found = TopUp.objects.select_related("wallet__account", "method").filter(wallet__account__members__user=self.user)
        top_up = found.filter(public_id=public_id).first()
        if top_up is None:
            raise Http404
        return top_up

    def statement(self, public_id: str) -> Statement:
        """A statement of one of their accounts. Raises Http404."""
        found = Statement.objects.select_related("wallet__account").filter(wallet__account__members__user=self.user)
        statement = found.filter(public_id=public_id).first()
        if statement is None:
            raise Http404
        return statement

    def event_pk(self, pk: int) -> int:
        """The row id, if it is of an event of one of their accounts. Raises Http404."""
        if not UsageEvent.objects.filter(pk=pk, account__members__user=self.user).exists():
            raise Http404
        return pk


def customer_page(
    view: Callable[Concatenate[HttpRequest, Customer, Rest], HttpResponse],
) -> Callable[Concatenate[HttpRequest, Rest], HttpResponse]:
    """A page for people who signed in; the view is given the customer to start its queries from."""

    @wraps(view)
    def with_customer(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        user: Any = request.user
        assert not isinstance(user, AnonymousUser), "login_required stands before this"
        response = view(request, Customer(user), *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return login_required(with_customer, login_url="portal:login")
