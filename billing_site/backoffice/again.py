"""Know again who sits there before money moves in the back office: within the last minutes the person must have given their
password, code or passkey. Also the door for staff without a second factor."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from billing_site.sign_in.second_factor import came_in_with_factor, has_factor

Rest = ParamSpec("Rest")
Answer = TypeVar("Answer", bound=HttpResponse)


def asks_again(view: Callable[Rest, Answer]) -> Callable[Rest, Answer | HttpResponseRedirect]:
    """A view (or a method of an admin class) that asks who is there again when that was not said within
    REAUTHENTICATION_MINUTES. A form that was sent is kept and goes on afterwards."""

    @wraps(view)
    def asked(*args: Rest.args, **kwargs: Rest.kwargs) -> Answer | HttpResponseRedirect:
        request = next(one for one in (*args, *kwargs.values()) if isinstance(one, HttpRequest))
        if said_lately(request):
            return view(*args, **kwargs)
        if get_adapter().get_reauthentication_methods(request.user):
            raise ReauthenticationRequired  # allauth's middleware keeps the form, asks, and goes on
        back = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
        logout(request)  # nothing to ask for but a new link by mail
        return HttpResponseRedirect(f"{reverse('portal:login')}?{back}")

    return asked


def said_lately(request: HttpRequest) -> bool:
    """Whether the person said who they are within REAUTHENTICATION_MINUTES, by signing in or when asked again; always when
    that is 0."""
    if not settings.REAUTHENTICATION_MINUTES:
        return True
    if not request.user.is_authenticated:
        return False
    records = get_authentication_records(request, request.user)
    return any(time.time() - record["at"] < settings.REAUTHENTICATION_MINUTES * 60 for record in records)


def stopped_at_the_door(request: HttpRequest) -> str | None:
    """Where staff have to go before the back office opens: to set up a second factor, or to use it; None: it is open."""
    if not settings.STAFF_TWO_FACTOR or not request.user.is_authenticated:
        return None
    if not has_factor(request.user):
        return reverse("mfa_activate_totp")
    if not came_in_with_factor(request, request.user):
        return reverse("mfa_reauthenticate")
    return None
