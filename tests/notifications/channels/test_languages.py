"""Mails in the recipient's language: each catalogue under templates/locale says everything the mails say, with the same
placeholders, and is compiled as it is written."""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.utils.translation.template import templatize

from notifications.channels.contract import Message
from notifications.channels.email.render import render_mail
from tests.factories.balances import AT

TEMPLATES: Final = Path(settings.BASE_DIR) / "templates"
OTHERS: Final = [code for code, _ in settings.LANGUAGES if code != "en"]
TEXT: Final = r'"(?:[^"\\]|\\.)*"'


def said() -> set[str]:
    """What the templates of mails say."""
    found: set[str] = set()
    for path in sorted((TEMPLATES / "email").iterdir()):
        source = templatize(path.read_text())
        for call in re.findall(r"gettext\(\s*u?((?:'(?:[^'\\]|\\.)*')|(?:\"(?:[^\"\\]|\\.)*\"))", source):
            found.add(ast.literal_eval(call))
    return found


def written(language: str) -> dict[str, list[str]]:
    """What a catalogue's text says."""
    entries: dict[str, list[str]] = {}
    for block in (TEMPLATES / "locale" / language / "LC_MESSAGES" / "django.po").read_text().split("\n\n"):
        original = re.search(rf"^msgid ({TEXT})", block, re.MULTILINE)
        if original and ast.literal_eval(original[1]):
            entries[ast.literal_eval(original[1])] = [
                ast.literal_eval(text) for text in re.findall(rf"^msgstr(?:\[\d\])? ({TEXT})", block, re.MULTILINE)
            ]
    return entries


def placeholders(text: str) -> list[str]:
    return sorted(set(re.findall(r"%\(\w+\)[sd]", text)))


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_says_all_that_mails_say(language: str) -> None:
    catalogue = written(language)
    assert len(said()) > 100
    assert said() - catalogue.keys() == set()
    for original, translations in catalogue.items():
        for text in translations:
            assert text, original
            assert placeholders(text) == placeholders(original), original


@pytest.mark.parametrize("language", OTHERS)
def test_it_is_compiled_as_it_is_written(language: str) -> None:
    with (TEMPLATES / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for original, translations in written(language).items():
        if len(translations) == 1 and "%(days)d" not in original:
            assert compiled.gettext(original) == translations[0]
        else:
            assert compiled.ngettext(original, f"{original}s", 1) == translations[0]


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "Acme: the balance is used up"),
        ("de", "Acme: das Guthaben ist aufgebraucht"),
        ("fr", "Acme : le solde est épuisé"),
        ("ja", "Acme：残高がなくなりました"),
        ("xx", "Acme: the balance is used up"),
    ],
)
def test_a_mail_speaks_the_recipients_language(language: str, subject: str) -> None:
    message = Message(
        delivery="dlv_1", event="alt_1", topic="wallet_exhausted", happened_at=AT, account="acme", account_name="Acme",
        facts={"balance": "0", "currency": "USD"}, language=language, time_zone="UTC",
    )  # fmt: skip
    assert render_mail(message).subject == subject
