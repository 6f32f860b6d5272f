"""The cast: always the same people, so that a test says who may do what by a name. Made through the verbs.

| who | is |
| --- | --- |
| acme | the customer everything is about: an account with a wallet in USD, a member who signs in, a confined key |
| globex | the stranger: the same, and must never see anything of acme's |
| vendor | the vendor's own backend: a key with every scope, for all accounts |
| fiona | finance: everything in the admin |
| apollo | approver: the second pair of eyes |
| sam | support: may look, may not touch |
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from pricing.books.open_customer import open_customer
from wallets.accounts.models import Account, Member, User
from wallets.api_keys.issue import issue_api_key
from wallets.api_keys.models import SCOPES
from wallets.balances.models import Wallet

OPENED_AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
PASSWORD: Final = "correct horse battery staple"


class Api:
    """A program with an API key."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self._client = Client(raise_request_exception=False)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        """A request below /api/v1; `raw` instead of a body that is JSON. Headers as `idempotency_key="k"`."""
        sent = {
            "authorization": f"Bearer {self.secret}",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        return self._client.generic(method, f"/api/v1{path}", content, content_type=content_type, headers=sent)

    def get(self, path: str, **headers: Any) -> Any:
        """GET."""
        return self.send("GET", path, **headers)

    def get_with(self, path: str, parameters: dict[str, str]) -> Any:
        """GET with parameters, encoded."""
        return self.get(f"{path}?{urlencode(parameters)}")

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        """POST, an empty object when no body is given."""
        return self.send("POST", path, {} if body is None and "raw" not in options else body, **options)

    def put(self, path: str, body: Any, **options: Any) -> Any:
        """PUT."""
        return self.send("PUT", path, body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> Any:
        """PATCH."""
        return self.send("PATCH", path, body, **options)


@dataclass(frozen=True)
class Company:
    """A customer: its account, its first wallet, the person who signs in, its own program."""

    account: Account
    wallet: Wallet
    owner: User
    api: Api


def open_company(key: str) -> Company:
    """A customer with everything a customer has, from OPENED_AT on."""
    customer = open_customer(key=key, name=key.title(), email=f"billing@{key}.example", at=OPENED_AT)
    owner = User.objects.create_user(f"owner@{key}.example", PASSWORD)
    Member.objects.create(account=customer.account, user=owner, role=Member.Role.OWNER, created_at=OPENED_AT)
    issued = issue_api_key(name=f"{key} itself", scopes=SCOPES, account=customer.account, at=OPENED_AT)
    return Company(customer.account, customer.wallet, owner, Api(issued.secret))


@pytest.fixture
def acme(db: None) -> Company:
    """The customer."""
    return open_company("acme")


@pytest.fixture
def globex(db: None) -> Company:
    """The stranger."""
    return open_company("globex")


@pytest.fixture
def vendor(db: None) -> Api:
    """The vendor's own backend."""
    return Api(issue_api_key(name="backend", scopes=SCOPES, at=OPENED_AT).secret)


@pytest.fixture
def fiona(db: None) -> User:
    """Finance."""
    return User.objects.create_superuser("fiona@vendor.example", PASSWORD, first_name="Fiona")


@pytest.fixture
def apollo(db: None) -> User:
    """The approver."""
    return User.objects.create_superuser("apollo@vendor.example", PASSWORD, first_name="Apollo")


@pytest.fixture
def sam(db: None) -> User:
    """Support: may look at everything in the admin."""
    user = User.objects.create_user("sam@vendor.example", PASSWORD, first_name="Sam", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return user


def days_after_opening(days: int) -> datetime:
    """A moment in the cast's life."""
    return OPENED_AT + timedelta(days=days)
