"""Who gets sign-up credit only once. Pure.

One company, one credit: the domain of its verified e-mail address is the guard. At public mailbox providers, where a domain
says nothing, it is the mailbox: without what follows a plus sign, and without dots where the provider ignores them.
"""

from __future__ import annotations

import re
from typing import Final

ADDRESS: Final = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
DOTS_IGNORED: Final = frozenset({"gmail.com"})
SAME_PROVIDER: Final = {"googlemail.com": "gmail.com", "hotmail.com": "outlook.com", "live.com": "outlook.com"}
PUBLIC_PROVIDERS: Final = frozenset({
    "aol.com", "fastmail.com", "free.fr", "gmail.com", "gmx.de", "gmx.net", "hey.com", "icloud.com", "laposte.net", "libero.it",
    "mac.com", "mail.com", "mail.ru", "mailbox.org", "me.com", "msn.com", "naver.com", "orange.fr", "outlook.com",
    "posteo.de", "proton.me", "protonmail.com", "qq.com", "t-online.de", "tuta.com", "web.de", "wp.pl", "yahoo.com",
    "yandex.ru", "zoho.com", "163.com", "126.com",
})  # fmt: skip


def guard_of(email: str) -> str | None:
    """What may get sign-up credit once: a company's domain (`acme.example`) or a public mailbox (`a@gmail.com`).

    None when the address is none.
    """
    address = email.strip().lower()
    if not ADDRESS.fullmatch(address) or ".." in address:
        return None
    mailbox, _, domain = address.rpartition("@")
    domain = SAME_PROVIDER.get(domain, domain)
    if "." not in domain:
        return None
    if domain not in PUBLIC_PROVIDERS:
        return domain
    mailbox = mailbox.partition("+")[0]
    if domain in DOTS_IGNORED:
        mailbox = mailbox.replace(".", "")
    return f"{mailbox}@{domain}" if mailbox else None
