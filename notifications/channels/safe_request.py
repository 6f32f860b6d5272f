"""Requests to addresses that customers choose. The name is resolved once, every address it has is looked at, and one of them
is connected to: nobody can answer the check with one address and the request with another. Private, loopback, link-local,
shared and metadata addresses are refused; redirects are not followed; time and size are limited; TLS is verified for the
name. OUTGOING_ALLOWED_HOSTS names hosts that are exempt, also from https: for development.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from notifications.channels.contract import Outcome, Sent

LONGEST_URL: Final = 500
CONNECT_SECONDS: Final = 5.0
SECONDS: Final = 10.0  # for all of it, the name's resolution included: a receiver stores and answers, it does not work
KEPT_CHARACTERS: Final = 500  # of an answer, for the log of deliveries
READ_BYTES: Final = 4_096  # of an answer's body
HEAD_BYTES: Final = 65_536  # of an answer altogether
GONE: Final = 410
TRIED_ADDRESSES: Final = 2
# Not of the internet, whatever this version of Python thinks of them: Azure's metadata; protocol assignments, with Oracle's
# metadata; NAT64 of one's own; documentation; segment routing.
NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(one) for one in ("168.63.129.16/32", "192.0.0.0/24", "64:ff9b:1::/48", "3fff::/20", "5f00::/16")
)
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(Exception):
    """We do not send there; the message says why."""


class TooLong(Exception):
    """The other side used up its time or its size."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart and found acceptable as far as its text says."""

    host: str
    port: int
    secure: bool
    path: str
    exempt: bool

    @property
    def host_header(self) -> str:
        """As HTTP names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def read_url(url: str) -> Target:
    """The parts of a URL. Raises AddressRefused when its text alone says that we do not send there."""
    if len(url) > LONGEST_URL:
        raise AddressRefused(f"an address of at most {LONGEST_URL} characters")
    if not url.isascii() or any(letter <= " " or letter == "\x7f" for letter in url):
        raise AddressRefused("an address without spaces, of ASCII letters (names of other letters in Punycode)")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise AddressRefused("an address such as https://example.com/hook") from None
    if not host or parts.scheme not in {"http", "https"}:
        raise AddressRefused("an address such as https://example.com/hook")
    return _target(parts, host.rstrip("."), port)


def _target(parts: SplitResult, host: str, port: int | None) -> Target:
    exempt = host in settings.OUTGOING_ALLOWED_HOSTS
    if parts.scheme != "https" and not exempt:
        raise AddressRefused("an https address")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressRefused("an address without user name, password or fragment")
    if port == 0:
        raise AddressRefused("a port from 1 to 65535")
    literal = _literal(host)
    if literal is not None and not exempt and not is_public(literal):
        raise AddressRefused("an address on the public internet")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host, port or (443 if secure else 80), secure, path, exempt)


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, also looking inside IPv6 addresses that carry an IPv4 one."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if not inside and address in _NAT64:
            inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inside:
            return is_public(inside)
        if address.is_site_local:
            return False
    if any(address in network for network in NOT_PUBLIC):
        return False
    reserved = isinstance(address, ipaddress.IPv4Address) and address.is_reserved
    return address.is_global and not (address.is_multicast or reserved)


def post(url: str, *, body: bytes, headers: Mapping[str, str]) -> Sent:
    """POST once, within SECONDS altogether. 2xx is taken; 410 never again; everything else, redirects included, again later."""
    began = time.monotonic()
    try:
        status, text = _post(read_url(url), body, headers, began + SECONDS)
    except AddressRefused as error:
        return Sent(Outcome.NEVER, answer=f"not sent: we send only to {error}", milliseconds=_since(began))
    except (OSError, http.client.HTTPException, TooLong) as error:
        return Sent(Outcome.AGAIN, answer=_words(error)[:KEPT_CHARACTERS], milliseconds=_since(began))
    outcome = Outcome.TAKEN if 200 <= status < 300 else Outcome.NEVER if status == GONE else Outcome.AGAIN  # noqa: PLR2004 - HTTP's
    return Sent(outcome, status=status, answer=text[:KEPT_CHARACTERS], milliseconds=_since(began))


def _post(target: Target, body: bytes, headers: Mapping[str, str], deadline: float) -> tuple[int, str]:
    lines = {
        "Host": target.host_header,
        "User-Agent": "prepaid-billing-webhooks",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "Content-Length": str(len(body)),
        **headers,
    }
    assert not any("\r" in part or "\n" in part for pair in lines.items() for part in pair), "a header of two lines"
    head = "".join([f"POST {target.path} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in lines.items()), "\r\n"])
    link = _connect(target, deadline)
    try:
        link.settimeout(_left(deadline))
        link.sendall(head.encode("latin-1", "replace") + body)
        response = http.client.HTTPResponse(_Link(link, deadline), method="POST")  # type: ignore[arg-type]
        response.begin()
        return response.status, _text(response)
    finally:
        link.close()


def _text(response: http.client.HTTPResponse) -> str:
    """The first words of an answer; that it is cut off or breaks off does not change what its status said."""
    try:
        raw = response.read(READ_BYTES)
    except (OSError, http.client.HTTPException, TooLong) as error:
        raw = f"({_words(error)})".encode()
    if response.getheader("Location"):
        raw = f"redirected to {response.getheader('Location')}, not followed. ".encode() + raw
    return "".join(letter if letter.isprintable() else " " for letter in raw.decode("utf-8", "replace")).strip()


class _Link(io.RawIOBase):
    """A connection as HTTPResponse reads one: bounded in time however slowly bytes drip, and in size."""

    def __init__(self, link: socket.socket, deadline: float) -> None:
        super().__init__()
        self._link, self._deadline, self._read = link, deadline, 0

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002 - a socket's signature
        """What HTTPResponse asks a socket for."""
        return io.BufferedReader(self, READ_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        """As many bytes as there are. Raises TooLong, OSError."""
        if self._read > HEAD_BYTES:
            raise TooLong(f"the answer has more than {HEAD_BYTES} bytes")
        self._link.settimeout(_left(self._deadline))
        count = self._link.recv_into(into)
        self._read += count
        return count


def _connect(target: Target, deadline: float) -> socket.socket:
    """A connection to one of the name's addresses, all of which were looked at. Raises AddressRefused, OSError, TooLong."""
    addresses = _resolve(target, deadline)
    if not target.exempt and not all(is_public(address) for address in addresses):
        raise AddressRefused(f"the public internet, and {target.host} is at {', '.join(map(str, addresses))[:200]}")
    problem: OSError = OSError(f"{target.host} has no address")
    for address in addresses[:TRIED_ADDRESSES]:
        try:
            link = socket.create_connection((str(address), target.port), timeout=min(_left(deadline), CONNECT_SECONDS))
        except OSError as error:
            problem = error
            continue
        try:
            link.settimeout(_left(deadline))
            return _tls().wrap_socket(link, server_hostname=target.host) if target.secure else link
        except BaseException:
            link.close()
            raise
    raise problem


def _resolve(target: Target, deadline: float) -> list[Address]:
    """Every address of the name, once each, in the resolver's order; the resolver gets no more than the time there is."""
    literal = _literal(target.host)
    if literal is not None:
        return [literal]
    answers: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(target.host, target.port))
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = answers.get(timeout=min(_left(deadline), CONNECT_SECONDS))
    except queue.Empty:
        raise TooLong(f"{target.host} was not resolved within {CONNECT_SECONDS:.0f} s") from None
    if isinstance(found, OSError):
        raise found
    return list(dict.fromkeys(ipaddress.ip_address(one[4][0].partition("%")[0]) for one in found))


def resolve(host: str, port: int) -> list[Any]:
    """The system's resolver."""
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _literal(host: str) -> Address | None:
    """The address a host is written as, also as the old forms of IPv4 (`0x7f.1`, `2130706433`) that resolvers take."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.ip_address(socket.inet_aton(host))
    except OSError:
        return None


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TooLong(f"no answer within {SECONDS:.0f} s")
    return left


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def _words(error: Exception) -> str:
    """Why there is no answer, in words for the log."""
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS:.0f} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    return str(error) or type(error).__name__
