"""Support opens the portal as a customer sees it. While a visit lasts, the session sees that one account, nothing of its own;
whatever would change something is refused, here and for every page there will ever be. The customer sees each visit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from billing_site.sign_in.where import address_of
from wallets.accounts.models import Account, User
from wallets.audit.record import record_change
from wallets.clock import now
from wallets.errors import Refusal
from wallets.visits.models import SupportVisit
from wallets.visits.support import RIGHT, VISIT_MINUTES, begin_visit, end_visit, open_visit

IN_SESSION: Final = "support_visit"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# The back office is its own world; leaving is always possible.
ELSEWHERE: Final = ("/admin/", "/api/", "/gate/", "/webhooks/", "/support/", "/logout/", "/login/", "/2fa/", "/reauthenticate/")


class VisitsChangeNothing:
    """Middleware: refuses what is not a look while a visit lasts, wherever it goes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Raises PermissionDenied."""
        if request.method not in SAFE and not request.path.startswith(ELSEWHERE) and visit_of(request) is not None:
            raise PermissionDenied


def visit_of(request: HttpRequest) -> SupportVisit | None:
    """The visit this session is on; looked up once a request. One that is over is forgotten."""
    if not hasattr(request, "support_visit"):
        pk = request.session.get(IN_SESSION)
        visit = open_visit(pk=pk, user=request.user, at=now()) if pk and isinstance(request.user, User) else None
        if pk and visit is None:
            del request.session[IN_SESSION]
        request.support_visit = visit  # type: ignore[attr-defined]
    found: SupportVisit | None = request.support_visit  # type: ignore[attr-defined]
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@login_required(login_url="portal:login")
def support(request: HttpRequest, account: str) -> HttpResponse:
    """Ask why, then open the customer's pages. Strangers of the back office find nothing here."""
    user = request.user
    found = Account.objects.filter(key=account).first()
    if not isinstance(user, User) or not user.is_staff or not user.has_perm(RIGHT) or found is None:
        raise Http404
    problem = ""
    if request.method == "POST":
        try:
            with transaction.atomic():
                visit = begin_visit(
                    account=found, user=user, reason=request.POST.get("reason", ""), address=address_of(request), at=now()
                )
                record_change(
                    actor=user, action="Look at the portal", subject_kind="wallets.account", subject=found.key, before={},
                    after={"until": visit.ends_at}, reason=visit.reason, at=now(), account=found, address=visit.address,
                )  # fmt: skip
        except Refusal as refusal:
            problem = refusal.message
        else:
            request.session[IN_SESSION] = visit.pk
            return HttpResponseRedirect(f"{reverse('portal:balance')}?account={found.key}")
    context = {"account": found, "problem": problem, "minutes": VISIT_MINUTES}
    return render(request, "portal/support.html", context, status=422 if problem else 200)


@require_POST
@login_required(login_url="portal:login")
def end_support(request: HttpRequest) -> HttpResponse:
    """Close the customer's pages and go back to the back office."""
    visit = visit_of(request)
    if visit is None:
        return redirect("portal:balance")
    end_visit(visit=visit, at=now())
    request.session.pop(IN_SESSION, None)
    return redirect("admin:wallets_account_change", visit.account_id)
