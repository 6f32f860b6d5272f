"""nginx for a benchmark, on docs/gateways/nginx.conf: once asking the gate, once not, before a service that costs nothing."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from django.conf import settings

from billing_site.benchmarks.web import free_port

CUSTOMER: Final = "Bearer sk-benchmark"
START_SECONDS: Final = 10

# For whoever is not root.
OWN_PATHS: Final = """http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
"""
_MORE: Final = """
    server {{
        listen {service};
        keepalive_requests 1000000;
        location / {{ return 200 "42"; }}
    }}
    server {{
        listen {unasked};
        location / {{
            proxy_pass http://service;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
    keepalive_requests 1000000;
}}
"""


class Addresses(NamedTuple):
    """Where it asks the gate first, and where it does not."""

    asked: str
    unasked: str


def nginx_binary() -> str | None:
    """Where nginx is, if it is installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def nginx(binary: str, *, billing: str, gate_key: str, account: str) -> Iterator[Addresses]:
    """Run it before the web processes at `billing`; stops after the block."""
    asked, unasked, service = (f"127.0.0.1:{free_port()}" for _ in range(3))
    text = (Path(settings.BASE_DIR) / "docs" / "gateways" / "nginx.conf").read_text()
    for written, here in (("127.0.0.1:8000", billing), ("127.0.0.1:9000", service), ("127.0.0.1:8080", asked)):
        text = text.replace(written, here)
    text = text.rstrip().removesuffix("}") + _MORE.format(service=service, unasked=unasked)
    with tempfile.TemporaryDirectory(prefix="bench-nginx-") as name:
        folder = Path(name)
        (folder / "nginx.conf").write_text(text.replace("http {\n", OWN_PATHS.format(folder=folder), 1))
        (folder / "gate_key.conf").write_text(f'map "" $gate_key {{ default "{gate_key}"; }}\n')
        (folder / "customers.map").write_text(f'"{CUSTOMER}" {account};\n')
        own = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;"
        process = subprocess.Popen([binary, "-p", name, "-c", f"{name}/nginx.conf", "-g", own], stderr=subprocess.DEVNULL)  # noqa: S603
        try:
            _wait_until_served(asked, process)
            yield Addresses(asked, unasked)
        finally:
            process.terminate()
            process.wait()


def _wait_until_served(address: str, process: subprocess.Popen[bytes]) -> None:
    host, _, port = address.partition(":")
    pause = threading.Event()
    for _ in range(START_SECONDS * 20):
        if process.poll() is not None:
            raise RuntimeError(f"nginx ended with {process.returncode}")
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            pause.wait(0.05)
        else:
            return
    raise RuntimeError("nginx did not come up")
