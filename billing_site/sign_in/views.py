"""allauth's pages of coming in, with what only we know."""

from __future__ import annotations

from typing import Any

from allauth.account.views import ConfirmLoginCodeView, LoginView

from billing_site.sign_in.sign_up import may_sign_up


class SignInView(LoginView):
    """The page of signing in: says whether one may sign up, too."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the page shows."""
        return {**super().get_context_data(**kwargs), "sign_up_open": may_sign_up(self.request)}


class CodeFromLinkView(ConfirmLoginCodeView):
    """The page a mailed link opens, with the code of the link filled in: a look signs nobody in, the button does, and only in
    the browser that asked for the link."""

    def get_initial(self) -> dict[str, Any]:
        """The code of the address, if there is one."""
        initial: dict[str, Any] = super().get_initial()
        return initial | ({"code": self.request.GET["code"][:20]} if "code" in self.request.GET else {})
