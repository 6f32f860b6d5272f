from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from billing_site.api.scopes import METHODS, required_scope
from wallets.api_keys.models import SCOPES

# Programs are answered below this path; who they are is checked by APIView's permissions.
API = "api/v1/"


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, route)
        else:
            yield route, pattern


def test_every_view_of_the_api_declares_its_scope():
    """One that declares none is closed to everybody: safe, and a mistake."""
    undeclared = []
    for route, pattern in _patterns(get_resolver()):
        if not route.startswith(API):
            continue
        view = getattr(pattern.callback, "view_class", None) or getattr(pattern.callback, "cls", None)
        assert view is not None, f"{route} is no APIView: nothing asks for a key"
        assert issubclass(view, APIView), f"{route} is no APIView: nothing asks for a key"
        methods = [method for method in METHODS if hasattr(view, method.lower())]
        undeclared += [f"{method} {route}" for method in methods if required_scope(view, method) not in SCOPES]
    assert not undeclared


def test_something_is_below_the_api():
    assert any(route.startswith(API) for route, _ in _patterns(get_resolver()))
