"""A real SMTP server: keeps the mails it took, by Message-ID."""

from __future__ import annotations

import email
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class MailServer:
    """Where it is, and how often it took which mail. Mailboxes named `gone@…` do not exist."""

    port: int
    taken: Counter[str] = field(default_factory=Counter)


@contextmanager
def serving_mail() -> Iterator[MailServer]:
    """A server on a free port until the end of the block."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session) as server:
        server.daemon_threads = True
        server.block_on_close = False
        server.mails = MailServer(server.server_address[1])  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server.mails  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        try:
            self._talk()
        except OSError:
            return  # the other side was killed

    def _talk(self) -> None:
        self._say(220)
        while line := self.rfile.readline().decode().strip():
            word = line.upper()
            if word.startswith("RCPT TO:<GONE@"):
                self._say(550, "no such mailbox")
            elif word == "DATA":
                self._say(354)
                if not self._take():
                    return
                self._say(250)
            elif word == "QUIT":
                self._say(221)
                return
            else:
                self._say(250)

    def _take(self) -> bool:
        """Read a mail to its last line; one that breaks off before was never sent."""
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line)
        mail = email.message_from_bytes(b"".join(lines))
        mails: MailServer = self.server.mails  # type: ignore[attr-defined]
        mails.taken[mail["Message-ID"].strip("<>").partition("@")[0]] += 1
        return True

    def _say(self, status: int, words: str = "ok") -> None:
        self.wfile.write(f"{status} {words}\r\n".encode())
