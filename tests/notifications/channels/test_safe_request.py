import ipaddress
from collections.abc import Iterator

import pytest

from notifications.channels import safe_request
from notifications.channels.contract import Outcome
from notifications.channels.safe_request import AddressRefused, is_public, post, read_url
from tests.fakes.receiver import CERTIFICATE, Receiver, receiving


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as server:
        yield server


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit as it is, but shorter."""
    monkeypatch.setattr(safe_request, "SECONDS", 0.4)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "100.100.100.200", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16",
        "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_inside_are_not_public(address: str):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_addresses_of_the_internet_are(address: str):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "example.com", "https:///x", "https://", "https://user:pw@example.com/",
        "https://example.com/#part", "https://example.com:99999/", "https://example.com:0/", "https://127.0.0.1/",
        "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://0x7f.1/", "https://2130706433/", "https://017700000001/",
        "https://169.254.169.254/latest/meta-data/", "https://exa mple.com/", "https://example.com/\r\nX: y", "https://exämple.com/",
        "https://example.com/" + "x" * 500, "javascript:alert(1)", "",
    ],
)  # fmt: skip
def test_a_url_we_would_not_send_to_is_refused_by_its_text(url: str):
    with pytest.raises(AddressRefused):
        read_url(url)


def test_a_url_is_taken_apart():
    target = read_url("https://hooks.example.com:8443/a/b?c=d")
    assert (target.host, target.port, target.secure, target.path) == ("hooks.example.com", 8443, True, "/a/b?c=d")
    assert target.host_header == "hooks.example.com:8443"
    assert read_url("https://hooks.example.com").path == "/"


def test_a_taken_request(receiver: Receiver):
    sent = post(
        receiver.url("/hook?x=1"), body=b'{"a": 1}', headers={"webhook-id": "dlv_1", "Content-Type": "application/json"}
    )
    assert (sent.outcome, sent.status, sent.answer) == (Outcome.TAKEN, 200, "thank you")
    (request,) = receiver.received
    assert (request.path, request.body, request.id) == ("/hook?x=1", b'{"a": 1}', "dlv_1")
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_500_is_tried_again_and_its_words_are_kept_printable(receiver: Receiver):
    sent = post(receiver.url("/fail"), body=b"{}", headers={})
    assert (sent.outcome, sent.status, sent.answer) == (Outcome.AGAIN, 500, "our database is away  [31m")


def test_410_is_not_tried_again(receiver: Receiver):
    assert post(receiver.url("/gone"), body=b"{}", headers={}).outcome is Outcome.NEVER


def test_a_redirect_to_the_metadata_service_is_not_followed(receiver: Receiver):
    sent = post(receiver.url("/redirect"), body=b"{}", headers={})
    assert (sent.outcome, sent.status) == (Outcome.AGAIN, 302)
    assert sent.answer == "redirected to http://169.254.169.254/latest/meta-data/, not followed."


@pytest.mark.parametrize("path", ["/hang", "/drip"])
def test_who_does_not_answer_is_left_in_time(receiver: Receiver, impatient: None, path: str):
    sent = post(receiver.url(path), body=b"{}", headers={})
    assert (sent.outcome, sent.status) == (Outcome.AGAIN, None)
    assert sent.answer.startswith("no answer within")


def test_2_gigabytes_are_not_read(receiver: Receiver):
    sent = post(receiver.url("/huge"), body=b"{}", headers={})
    assert (sent.outcome, sent.status, len(sent.answer)) == (Outcome.TAKEN, 200, safe_request.KEPT_CHARACTERS)
    assert receiver.sent_bytes < 64 * 1024 * 1024  # what fits between two sockets, and no more


def test_a_head_without_end_is_not_read_to_it(receiver: Receiver):
    sent = post(receiver.url("/hugehead"), body=b"{}", headers={})
    assert (sent.outcome, sent.answer) == (Outcome.AGAIN, "the answer has more than 65536 bytes")


def test_a_name_that_resolves_inside_is_refused_and_nothing_is_sent(receiver: Receiver):
    sent = post(f"https://localhost:{receiver.port}/hook", body=b"{}", headers={})
    assert sent.outcome is Outcome.NEVER
    assert "127.0.0.1" in sent.answer
    assert not receiver.received


def test_nobody_listens(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    assert post("http://127.0.0.1:1/", body=b"{}", headers={}).answer == "the connection was refused"


def test_a_name_nobody_knows():
    sent = post("https://hooks.invalid/", body=b"{}", headers={})
    assert (sent.outcome, sent.answer) == (Outcome.AGAIN, "its name is not known")


def test_a_certificate_nobody_vouches_for_is_refused(settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["localhost"]
    with receiving(tls=True) as server:
        sent = post(server.url(host="localhost"), body=b"{}", headers={})
    assert (sent.outcome, sent.status) == (Outcome.AGAIN, None)
    assert sent.answer.startswith("its certificate is not valid")
    assert not server.received


def test_a_certificate_is_for_its_name_and_no_other(settings, monkeypatch: pytest.MonkeyPatch):
    settings.OUTGOING_ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with receiving(tls=True) as server:
        assert post(server.url(host="localhost"), body=b"{}", headers={}).outcome is Outcome.TAKEN
        sent = post(server.url(host="127.0.0.1"), body=b"{}", headers={})
    assert sent.answer.startswith("its certificate is not valid")
