import re

import pytest

from tests.house.source import ORDER, PROJECT, modules, place

DRAWERS = re.compile(r"utils?|helpers?|common|misc|base|services?|selectors?")
LONGEST_FILE_LINES = 400
LONGEST_PAGE_LINES = 400


def test_no_file_is_a_drawer():
    """A file is named for what it does; in a drawer nobody finds anything."""
    assert not [place(path) for path in modules() if DRAWERS.fullmatch(path.stem) or DRAWERS.fullmatch(path.parent.name)]


@pytest.mark.parametrize("folder", [*ORDER, "tests"])
def test_every_file_fits_a_reading(folder):
    sizes = {place(path): len(path.read_text().splitlines()) for path in modules(folder)}
    assert not {name: lines for name, lines in sizes.items() if lines > LONGEST_FILE_LINES}


def test_every_template_fits_a_reading():
    sizes = {place(path): len(path.read_text().splitlines()) for path in (PROJECT / "templates").rglob("*.html")}
    assert not {name: lines for name, lines in sizes.items() if lines > LONGEST_PAGE_LINES}


def test_packages_hold_nothing_in_their_init():
    """One import path for everything. The index of an app's admin pages is Django's way to find them."""
    full = [place(path) for path in modules() if path.name == "__init__.py" and path.read_text().strip()]
    assert not [name for name in full if not name.endswith("admin/__init__.py")]
