"""Chromium at the live site, and what it asked for and complained about."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, sync_playwright

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET: Final = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass
class Seen:
    """What the browser asked for and complained about."""

    elsewhere: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@dataclass
class Browser:
    """A page at the site, and what was seen."""

    site: str
    page: Page
    seen: Seen
    name: str

    def fits(self) -> bool:
        """The page does not scroll sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))

    def keep(self, name: str) -> None:
        """A picture of the whole page in the folder PICTURES, if that is set, for whoever wants to look."""
        folder = os.environ.get("PICTURES")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}-{self.name}.png", full_page=True)


@contextmanager
def started() -> Iterator[Chromium]:
    """Chromium, without a page."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@contextmanager
def chromium_at(site: str, *, scheme: str, width: int) -> Iterator[Browser]:
    """A page in light or dark, as wide as a screen or a phone."""
    with started() as chromium:
        page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        seen = Seen()
        page.on("request", lambda sent: None if sent.url.startswith(site) else seen.elsewhere.append(sent.url))
        page.on("console", lambda said: seen.complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        yield Browser(site, page, seen, f"{width}-{scheme}")
