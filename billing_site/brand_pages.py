"""What the brand looks like to a browser: its logo, its colours as a style sheet, its legal texts. Public. Logo and colours
have what they are in their addresses, so a browser may keep them for good."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from wallets.brand.read import BrandShown, brand, brand_logo
from wallets.clock import now
from wallets.payments.terms import policy_in_force

FOR_GOOD: Final = "public, max-age=31536000, immutable"
TITLES: Final = {"terms": _("Terms"), "privacy": _("Privacy policy"), "refunds": _("Refund policy")}


def brand_in_templates(request: HttpRequest) -> dict[str, object]:  # noqa: ARG001 - a context processor's signature
    """`brand` in every template, read when one uses it."""
    return {"brand": SimpleLazyObject(brand)}


def colours_of(shown: BrandShown) -> str:
    """The style sheet that replaces the accents of tokens.css; nothing without a colour."""
    if not shown.colour:
        return ""
    light, dark = shown.light, shown.dark
    pairs = {
        "--accent": (light.accent, dark.accent), "--accent-strong": (light.strong, dark.strong),
        "--accent-soft": (light.soft, dark.soft), "--accent-mid": (light.mid, dark.mid), "--on-accent": (light.on, dark.on),
    }  # fmt: skip
    return ":root {" + " ".join(f"{name}: light-dark({one}, {other});" for name, (one, other) in pairs.items()) + "}\n"


def colours_address(shown: BrandShown) -> str:
    """Where that style sheet is; empty without a colour."""
    css = colours_of(shown)
    return reverse("brand_colours", args=[_version(css)]) if css else ""


@require_safe
def colours(request: HttpRequest, version: str) -> HttpResponse:  # noqa: ARG001 - a view's signature
    """The colours. An old address gets the present ones, and is not kept."""
    css = colours_of(brand())
    if not css:
        raise Http404
    kept = FOR_GOOD if version == _version(css) else "no-cache"
    return HttpResponse(css, content_type="text/css; charset=utf-8", headers={"Cache-Control": kept})


@require_safe
def logo(request: HttpRequest, name: str) -> HttpResponse:  # noqa: ARG001 - a view's signature
    """The picture, as a picture and nothing else."""
    shown = brand()
    found = brand_logo() if name == shown.logo else None
    if found is None:
        raise Http404
    content, media_type = found
    response = HttpResponse(content, content_type=media_type)
    response.headers["Cache-Control"] = FOR_GOOD
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Content-Disposition"] = f'inline; filename="logo.{media_type.removeprefix("image/")}"'
    return response


@require_safe
def legal(request: HttpRequest, kind: str) -> HttpResponse:
    """A legal text, or the way to it. Without one of the brand, refunds are what customers accept when they pay."""
    found = next((one for one in brand().legal if one.kind == kind), None)
    if found is not None and found.url:
        return redirect(found.url)
    text = found.text if found is not None else ""
    if not text and kind == "refunds":
        policy = policy_in_force(at=now())
        text = f"{policy.sentence}\n\n{policy.text}".strip() if policy else ""
    if not text or kind not in TITLES:
        raise Http404
    return render(request, "portal/legal.html", {"title": TITLES[kind], "text": text})


def _version(css: str) -> str:
    return sha256(css.encode()).hexdigest()[:16]
