"""Whose pages these are. Every query of the customer's pages starts here, from the accounts of the person who signed
in; what belongs to anyone else does not exist (404), whether it does or not (I12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse

from metering.usage.models import UsageEvent
from wallets.accounts.models import Account, User
from wallets.balances.models import Wallet

Rest = ParamSpec("Rest")


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
