# ruff: noqa: INP001 - a script of its own, not a package
"""Take the screenshots of this folder from a running demo, every page in both themes: `make run`, then in another terminal

    .venv/bin/python docs/screenshots/take.py [--site http://localhost:8000] [--data-dir .data]

Needs the development dependencies and Chromium (`apt-get install chromium`). The pages of the portal are those of its
navigation, so that a new one has its picture, too.
"""

from __future__ import annotations

import argparse
import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Page, sync_playwright

HERE: Final = Path(__file__).parent
QUIET: Final = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
]  # fmt: skip
THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
QUALITY: Final = 82
PHONE: Final = {"width": 375, "height": 812}
TOP_LEVEL: Final = ".pages .inside:first-child a"
SECOND_LEVEL: Final = ".pages .second a"
# What the README shows, and the documents elsewhere: name -> the name it has there, as PNG.
IN_README: Final = {
    "customer-overview-light": "customer-light", "customer-usage-light": "customer-usage-light",
    "customer-statement-light": "customer-statement", "admin-wallet-light": "admin-wallet",
}  # fmt: skip
# Pages of one thing: the page it is opened from, and where to click.
BELOW: Final = {
    "charge": ("/usage/events/acme?span=month", "table.feed a"),
    "lot": ("/credit/acme", "main table a[href*='/credit/lot/']"),
    "statement": ("/statements/acme", "main table a[href*='/statement/']"),
}
OFFICE: Final = {
    "today": ("/admin/", None),
    "customer": ("/admin/customers/?q=acme", None),
    "audit": ("/admin/wallets/auditevent/", None),
    "wallet": ("/admin/wallets/wallet/?q=acme", "Acme"),
    "explain": ("/admin/metering/usageevent/?q=acme", "llm.request"),
    "prices": ("/admin/pricing/pricebook/", "standard"),
    "reports": ("/admin/reports/", None),
    "liability": ("/admin/reports/deferred-revenue/", None),
}


class Photographer:
    """Signs people of the demo in and keeps what they see."""

    def __init__(self, chromium: Any, site: str, logins: dict[str, tuple[str, str]]) -> None:
        self._chromium, self._site, self._logins = chromium, site, logins

    @contextmanager
    def signed_in(self, role: str, *, width: int, height: int) -> Iterator[Page]:
        """A page in which `finance` or `customer` is signed in."""
        email, password = self._logins[role]
        page = self._chromium.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
        page.goto(f"{self._site}/login/")
        if role == "customer":
            self._keep(page, "sign-in")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda url: not url.startswith(f"{self._site}/login/"))
        yield page
        page.close()

    def portal(self) -> None:
        """Every page of the navigation and those below, light and dark; three of them on a phone."""
        with self.signed_in("customer", width=1280, height=960) as page:
            self._save_a_card_and_pay(page)
            for name, address in self._pages(page).items():
                page.goto(f"{self._site}{address}")
                self._keep(page, f"customer-{name}")
            for name, (address, link) in BELOW.items():
                page.goto(f"{self._site}{address}")
                page.locator(link).first.click()
                page.wait_for_load_state()
                self._keep(page, f"customer-{name}")
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]
            for name, address in (("overview", "/"), ("usage", "/usage/acme"), ("alerts", "/alerts/acme")):
                page.goto(f"{self._site}{address}")
                self._keep(page, f"phone-{name}")

    def back_office(self) -> None:
        """Its front page, one customer, a wallet, an explanation, prices, reports, light and dark."""
        with self.signed_in("finance", width=1440, height=960) as page:
            for name, (address, record) in OFFICE.items():
                page.goto(f"{self._site}{address}")
                if record is not None:
                    page.locator("#result_list a", has_text=record).first.click()
                self._keep(page, f"admin-{name}", again=True)

    def _pages(self, page: Page) -> dict[str, str]:
        """Name -> address of each page of the navigation."""
        found = {"overview": "/"}
        page.goto(f"{self._site}/")
        for group in [link.get_attribute("href") for link in page.locator(TOP_LEVEL).all()]:
            page.goto(f"{self._site}{group}")
            below = [link.get_attribute("href") for link in page.locator(SECOND_LEVEL).all()]
            for address in below or [group]:
                name = str(address).partition("?")[0].strip("/").partition("/")[0]
                found.setdefault(name or "overview", str(address))
        return found | {"usage": "/usage/acme?by=model"}

    def _save_a_card_and_pay(self, page: Page) -> None:
        """In the sandbox, so that there is a card, a receipt and something to withdraw."""
        page.goto(f"{self._site}/cards/acme")
        card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "31", "cvc": "123", "postal_code": "1"}
        for place, text in card.items():
            page.get_by_placeholder(place).fill(text)
        with page.expect_navigation(url="**/cards/acme"):
            page.get_by_role("button", name="Save card").click()
        page.goto(f"{self._site}/top-up/acme?amount=500")
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Pay").click()
        page.wait_for_url(f"{self._site}/top-ups/*/")
        self._keep(page, "customer-receipt")

    def _keep(self, page: Page, name: str, *, again: bool = False) -> None:
        """Save the page as NAME-light.webp and NAME-dark.webp, once its fonts are there. again: it chooses its theme when it
        is loaded."""
        for theme in THEMES:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            if again:
                page.reload()
            page.wait_for_load_state("networkidle")
            page.evaluate("document.fonts.ready")
            keep(page, f"{name}-{theme}")


def keep(page: Page, name: str) -> None:
    """What is seen of the page, as WebP; what the README shows as PNG."""
    if name in IN_README:
        path = HERE / f"{IN_README[name]}.png"
        page.screenshot(path=path)
    else:
        path = HERE / f"{name}.webp"
        session = page.context.new_cdp_session(page)
        shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
        path.write_bytes(base64.b64decode(shot["data"]))
        session.detach()
    print(f"{path.name:34} {path.stat().st_size // 1024:4} kB")  # noqa: T201 - a command's answer


def main() -> None:
    """Take them all; those of pages that are no more go."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", default="http://localhost:8000")
    parser.add_argument("--data-dir", type=Path, default=Path(".data"), help="where `make run` keeps its demo logins")
    options = parser.parse_args()
    facts = json.loads((options.data_dir / "demo.json").read_text())
    logins: dict[str, tuple[str, str]] = {}
    for login in facts["logins"]:
        logins.setdefault(login["role"], (login["email"], login["password"]))
    for old in [*HERE.glob("*.webp"), *HERE.glob("*.png")]:
        old.unlink()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        photographer = Photographer(chromium, options.site.rstrip("/"), logins)
        photographer.portal()
        photographer.back_office()
        chromium.close()


if __name__ == "__main__":
    main()
