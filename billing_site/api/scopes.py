"""What a key may do. A view declares `required_scope` (one for all methods, or one a method); one that declares none is
closed. A view about what all customers share declares `vendor_only`: a key confined to one account cannot use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from wallets.api_keys.verify import Caller

if TYPE_CHECKING:  # rest_framework.views imports this module, by its settings
    from rest_framework.views import APIView

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


class ScopeMissing(PermissionDenied):
    """The key does not have the scope this needs."""

    default_code = "missing_scope"


class ConfinedKey(PermissionDenied):
    """The key is confined to one account, and this is not about one account."""

    default_code = "key_confined"
    default_detail = "A key confined to one account cannot use this endpoint."


class HasRequiredScope(BasePermission):
    """The caller's key has the scope the view declares for this method."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Raises NotAuthenticated, ScopeMissing, ConfinedKey."""
        caller = request.auth
        if not isinstance(caller, Caller):
            raise NotAuthenticated("Send an API key: Authorization: Bearer <key>.")
        method = request.method or ""
        if method not in METHODS or not hasattr(view, method.lower()):
            return True  # nothing is there: 405
        scope = required_scope(view, method)
        if scope is None:
            return False
        if scope not in caller.scopes:
            raise ScopeMissing(f"This needs a key with the scope {scope}.")
        if caller.account_id is not None and is_vendor_only(view, method):
            raise ConfinedKey
        return True


def required_scope(view: APIView | type[APIView], method: str) -> str | None:
    """The scope a view declares for a method; None when it declares none."""
    declared = getattr(view, "required_scope", None)
    scope = declared.get("GET" if method == "HEAD" else method) if isinstance(declared, Mapping) else declared
    return scope if isinstance(scope, str) and scope else None


def is_vendor_only(view: APIView | type[APIView], method: str) -> bool:
    """Whether a key confined to one account is refused."""
    declared = getattr(view, "vendor_only", False)
    return method in declared if isinstance(declared, tuple) else bool(declared)
