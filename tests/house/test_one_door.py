"""Rules that strings and SQL would get around the import contracts."""

import re

from tests.house.source import calls, imported_names, modules, place

JOURNAL_WRITTEN = re.compile(r"(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|COPY)\s+wallets_(?:journalentry|posting)\b", re.IGNORECASE)
JOURNAL_ROWS = re.compile(r"(?:JournalEntry|Posting)(?:\.objects\.\w*(?:create|update|delete)\w*)?")
WALLET_LOCKED = re.compile(r"wallets_wallet\b[^;]{0,400}?FOR\s+(?:NO\s+KEY\s+)?UPDATE", re.IGNORECASE | re.DOTALL)
WALLET_LOCK_BY_MODEL = re.compile(r"Wallet\.objects\b.*\.select_for_update")
# Banned by ruff everywhere; pages of the admin have that rule switched off, since they import the admin.
BANNED = ("django.utils.timezone.now", "django.dispatch", "django.db.models.signals", "time.sleep")
BANNED_CALLS = ("datetime.now", "timezone.now", "time.sleep", "sleep")


# Fills a database of its own with what a million transactions would have left, and is reachable from nothing that serves.
MADE_UP = {"billing_site/benchmarks/reports.py"}


def test_only_the_ledger_writes_the_journal():
    found = []
    for path in modules():
        if place(path).startswith("wallets/ledger/") or place(path) in MADE_UP:
            continue
        if JOURNAL_WRITTEN.search(path.read_text()):
            found.append(place(path))
        found += [place(path, call) for name, call in calls(path) if JOURNAL_ROWS.fullmatch(name)]
    assert not found


def test_only_one_file_locks_wallets():
    """The textbook path of the benchmark shows what happens otherwise."""
    locking = {
        place(path)
        for path in modules()
        if WALLET_LOCKED.search(path.read_text()) or any(WALLET_LOCK_BY_MODEL.match(name) for name, _ in calls(path))
    }
    assert locking == {"wallets/balances/lock.py", "billing_site/benchmarks/yardsticks.py"}


def test_admin_pages_import_nothing_banned():
    pages = [path for path in modules() if "admin" in path.parts or "backoffice" in path.parts]
    names = [(name, place(path, node)) for path in pages for name, node in imported_names(path)]
    assert not [where for name, where in names if name.startswith(BANNED)]
    assert not [place(path, call) for path in pages for name, call in calls(path) if name in BANNED_CALLS]
