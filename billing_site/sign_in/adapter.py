"""How django-allauth signs people in here: who may sign up, how its mails look, where one goes afterwards.

An adapter is allauth's own place for such decisions; everything else about signing in is a setting.
"""

from __future__ import annotations

from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from billing_site.sign_in.sign_up import OPEN, may_sign_up
from billing_site.sign_in.where import address_of, agent_of
from wallets.accounts.models import User
from wallets.brand.read import brand
from wallets.clock import now
from wallets.visits.models import SignIn
from wallets.visits.sign_ins import record_sign_in

# That somebody signed in or out is seen on the page; it need not be said.
UNSAID: Final = ("account/messages/logged_in.txt", "account/messages/logged_out.txt")


class SignInAdapter(DefaultAccountAdapter):
    """allauth's, with our rules."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """By the setting SIGN_UP."""
        return may_sign_up(request)

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:  # noqa: FBT001, FBT002 - allauth's signature
        """A person who signs up has yet to prove the address."""
        user.signed_up_at = now()
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def pre_login(self, request: HttpRequest, user: User, **about: Any) -> HttpResponse | None:
        """A person made by staff or by a program has proved no address; who made them vouches for it."""
        if user.signed_up_at is None:
            EmailAddress.objects.filter(user=user, primary=True).exclude(email=user.email).update(primary=False)
            EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"primary": True, "verified": True})
        response: HttpResponse | None = super().pre_login(request, user, **about)
        return response

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """The balance; for whoever is in no account the back office (staff), or where one opens an account."""
        user = request.user
        if isinstance(user, User) and not user.memberships.exists():
            if user.is_staff:
                return reverse("admin:index")
            if settings.SIGN_UP == OPEN:
                return reverse("portal:start")
        return str(super().get_login_redirect_url(request))

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """As after any sign-in."""
        return self.get_login_redirect_url(request)

    def login(self, request: HttpRequest, user: User) -> None:
        """Every way in ends here: written down for the person to see."""
        super().login(request, user)
        methods = " ".join(dict.fromkeys(str(one.get("method")) for one in get_authentication_records(request, user)))
        _write_down(request, user, SignIn.Outcome.IN, methods or "sign-up")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A wrong password is written down for whoever it was tried on; of addresses nobody has nothing is kept."""
        user = User.objects.filter(email=str(credentials.get("email", "")).lower()).first()
        if user is not None:
            _write_down(request, user, SignIn.Outcome.REFUSED, "password")

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Say what cannot be seen on the page."""
        if message_template not in UNSAID:
            super().add_message(request, level, message_template, *args, **kwargs)

    def format_email_subject(self, subject: str) -> str:
        """As it is: the sender says who it is from."""
        return str(subject)

    def render_mail(
        self, template_prefix: str, email: str | list[str], context: dict[str, Any], headers: dict[str, str] | None = None
    ) -> EmailMultiAlternatives:
        """Text as allauth words it, HTML in the frame of our other mails."""
        context = {**context, "sender": brand().name, "brand": brand()}
        if "code" in context and template_prefix == "account/email/login_code":
            context["link"] = f"{settings.SITE_URL}{reverse('account_confirm_login_code')}?code={context['code']}"
        mail = super().render_mail(
            template_prefix, email, context, headers={"Auto-Submitted": "auto-generated"} | (headers or {})
        )
        text, _, footer = str(mail.body).partition("\n-- \n")
        framed = {
            **context,
            "subject": mail.subject,
            "preheader": mail.subject,
            "paragraphs": [part for part in text.split("\n\n") if part.strip()],
            "footer": footer.strip(),
        }
        made = EmailMultiAlternatives(mail.subject, mail.body, mail.from_email, mail.to, headers=mail.extra_headers)
        made.attach_alternative(render_to_string("account/email/message.html", framed), "text/html")
        return made


def _write_down(request: HttpRequest, user: User, outcome: str, method: str) -> None:
    record_sign_in(user=user, outcome=outcome, method=method, address=address_of(request), agent=agent_of(request), at=now())
