"""Mail of a site without a mail server: what would have been sent, as its reader would see it."""

from __future__ import annotations

from typing import Any, Final

from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse

from notifications.channels.email.kept import KeptMail
from wallets.admin.read_only import ReadOnlyAdmin

_POLICY: Final = {
    "default-src": [NONE], "script-src": [NONE], "style-src": [UNSAFE_INLINE], "frame-ancestors": [SELF],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}  # fmt: skip


@admin.register(KeptMail)
class KeptMailAdmin(ReadOnlyAdmin):
    """Newest first. Its links are as good as their reader's signature: only for who may see them."""

    list_display = ("kept_at", "subject", "address")
    list_display_links = ("kept_at", "subject")
    search_fields = ("address__exact", "message_id__exact")
    search_help_text = "E-mail address or Message-ID"
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without the bodies."""
        return super().get_queryset(request).defer("html", "text")

    def get_urls(self) -> list[URLPattern]:
        """The mail itself, for the frame."""
        return [*self.action_urls(("<int:pk>/html/", self.file_view, "file")), *super().get_urls()]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """The mail in a frame that runs nothing, its text, its headers."""
        mail = self._mail(object_id)
        frame = reverse("admin:notifications_keptmail_file", args=[mail.pk])
        context = self.page_context(
            request, mail, title=mail.subject, mail=mail, frame=frame, headers=sorted(mail.headers.items())
        )
        page = TemplateResponse(request, "admin/sent_mail_page.html", context)
        page._csp_update = {"frame-src": [SELF]}  # type: ignore[attr-defined]  # noqa: SLF001 - as csp_update does
        return page

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The HTML as it was sent: no script runs in it, nothing is fetched, only our own page may frame it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return _framed(self._mail(pk).html)

    def _mail(self, pk: int | str) -> KeptMail:
        mail = KeptMail.objects.filter(pk=pk).first() if str(pk).isdecimal() else None
        if mail is None:
            raise Http404
        return mail


def _framed(html: str) -> HttpResponse:
    response = HttpResponse(html, headers={"Cache-Control": "private, no-store", "X-Frame-Options": "SAMEORIGIN"})
    response._csp_replace = _POLICY  # type: ignore[attr-defined]  # noqa: SLF001 - as csp_replace does
    return response
