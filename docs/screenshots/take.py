# ruff: noqa: INP001 - a script of its own, not a package
"""Take the screenshots of this folder from a running demo: `make run`, then in another terminal

    .venv/bin/python docs/screenshots/take.py [--site http://localhost:8000] [--data-dir .data]

Needs the development dependencies and Chromium (`apt-get install chromium`).
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, sync_playwright

HERE: Final = Path(__file__).parent
QUIET: Final = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
]  # fmt: skip


class Photographer:
    """Signs people of the demo in and keeps what they see."""

    def __init__(self, chromium: Any, site: str, logins: dict[str, tuple[str, str]]) -> None:
        self._chromium, self._site, self._logins = chromium, site, logins

    @contextmanager
    def signed_in(self, role: str, *, scheme: str, width: int, height: int) -> Iterator[Page]:
        """A page in which `finance` or `customer` is signed in."""
        email, password = self._logins[role]
        page = self._chromium.new_page(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        page.goto(f"{self._site}/login/")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda url: not url.startswith(f"{self._site}/login/"))
        yield page
        page.close()

    def customer_pages(self) -> None:
        """The balance, light, dark and on a phone; a charge explained."""
        for scheme, width, height, name in (
            ("light", 1280, 960, "customer-light"),
            ("dark", 1280, 960, "customer-dark"),
            ("light", 375, 812, "customer-phone"),
        ):
            with self.signed_in("customer", scheme=scheme, width=width, height=height) as page:
                keep(page, name, full=width < 500)  # noqa: PLR2004 - a phone scrolls
                if name == "customer-light":
                    page.locator("table.feed a").first.click()
                    page.wait_for_load_state()
                    keep(page, "customer-charge")

    def paying_pages(self) -> None:
        """Save a card in the sandbox, look at what a top-up costs, pay, look at the receipt."""
        with self.signed_in("customer", scheme="light", width=1000, height=900) as page:
            page.goto(f"{self._site}/cards/acme")
            card = (
                ("number", "4242424242424242"),
                ("exp_month", "12"),
                ("exp_year", "31"),
                ("cvc", "123"),
                ("postal_code", "1"),
            )
            for place, text in card:
                page.get_by_placeholder(place).fill(text)
            with page.expect_navigation(url="**/cards/acme"):
                page.get_by_role("button", name="Save card").click()
            page.goto(f"{self._site}/top-up/acme?amount=500")
            page.get_by_role("checkbox").check()
            keep(page, "customer-top-up", full=True)
            page.get_by_role("button", name="Pay").click()
            page.wait_for_url(f"{self._site}/top-ups/*/")
            keep(page, "customer-receipt")

    def account_pages(self) -> None:
        """What a customer does without asking anyone: usage, alerts, keys, team, in both themes."""
        for scheme in ("light", "dark"):
            with self.signed_in("customer", scheme=scheme, width=1280, height=960) as page:
                for path, name in (
                    ("/usage/acme?by=model", "usage"),
                    ("/credit/acme", "credit"),
                    ("/alerts/acme", "alerts"),
                    ("/developers/acme", "developers"),
                    ("/team/acme", "team"),
                ):
                    page.goto(f"{self._site}{path}")
                    keep(page, f"customer-{name}-{scheme}")

    def statement_page(self) -> None:
        """Last month's statement."""
        with self.signed_in("customer", scheme="light", width=1000, height=900) as page:
            page.goto(f"{self._site}/statements/acme")
            page.locator("table.feed a").first.click()
            page.wait_for_load_state()
            keep(page, "customer-statement")

    def back_office_pages(self) -> None:
        """The front page, a wallet, an explanation, prices."""
        with self.signed_in("finance", scheme="light", width=1440, height=960) as page:
            self._open(page, "/admin/", None)
            keep(page, "admin-today")
            page.goto(f"{self._site}/admin/customers/?q=acme")
            page.wait_for_load_state("networkidle")
            keep(page, "admin-customer")
            page.goto(f"{self._site}/admin/wallets/auditevent/")
            page.wait_for_load_state("networkidle")
            keep(page, "admin-audit")
            self._open(page, "/admin/wallets/wallet/?q=acme", "Acme")
            keep(page, "admin-wallet")
            self._open(page, "/admin/metering/usageevent/?q=acme", "llm.request")
            keep(page, "admin-explain")
            self._open(page, "/admin/pricing/pricebook/", "standard")
            keep(page, "admin-prices")
            self._open(page, "/admin/pricing/priceversion/?status__exact=PUBLISHED", "standard")
            page.get_by_role("link", name="Simulate").click()
            page.wait_for_load_state("networkidle")
            keep(page, "admin-simulate")
        with self.signed_in("finance", scheme="dark", width=1440, height=960) as page:
            self._open(page, "/admin/wallets/wallet/?q=acme", "Acme")
            keep(page, "admin-wallet-dark")

    def _open(self, page: Page, path: str, record: str | None) -> None:
        """Go to a list and into its first record that says `record`."""
        page.goto(f"{self._site}{path}")
        if record is not None:
            page.locator("#result_list a", has_text=record).first.click()
        page.wait_for_load_state("networkidle")


def keep(page: Page, name: str, *, full: bool = False) -> None:
    """Save the page as NAME.png, once its fonts are there."""
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(300)
    path = HERE / f"{name}.png"
    page.screenshot(path=path, full_page=full)
    print(f"{path.name:26} {path.stat().st_size // 1024:4} kB")  # noqa: T201 - a command's answer


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", default="http://localhost:8000")
    parser.add_argument("--data-dir", type=Path, default=Path(".data"), help="where `make run` keeps its demo logins")
    options = parser.parse_args()
    facts = json.loads((options.data_dir / "demo.json").read_text())
    logins: dict[str, tuple[str, str]] = {}
    for login in facts["logins"]:
        logins.setdefault(login["role"], (login["email"], login["password"]))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        photographer = Photographer(chromium, options.site.rstrip("/"), logins)
        photographer.customer_pages()
        photographer.account_pages()
        photographer.paying_pages()
        photographer.statement_page()
        photographer.back_office_pages()
        chromium.close()


if __name__ == "__main__":
    main()
