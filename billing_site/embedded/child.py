"""How a server or process is started so that it cannot outlive its parent.

On Linux the kernel signals a child when its parent dies, even by `kill -9`. PostgreSQL refuses to run as root, so root
starts it as an ordinary user that every system has; if that user may not pass the folders on the way (a project under
/root), the process keeps the one capability that lets it, and no folder's permissions are changed.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import psutil

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_SECUREBITS: Final = 28
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_RAISE: Final = 2
_CAP_DAC_OVERRIDE: Final = 1
# A change of user leaves the capabilities alone, also where access() asks on behalf of the real user, as initdb does.
_SECBIT_NO_SETUID_FIXUP: Final = 4
_CAPABILITY_VERSION_3: Final = 0x20080522
# Every Linux has nobody; where a distribution's PostgreSQL made its own user, that one is the better owner.
_ORDINARY_USERS: Final = ("postgres", "nobody")
_OTHERS_MAY_PASS: Final = 0o001
_POLL_SECONDS: Final = 0.02

_libc: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def program(package: str, pattern: str) -> Path:
    """A program inside an installed wheel, found without importing the package (one of them writes files on import)."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec is not None else None
    for place in places or ():
        for found in sorted(Path(place).glob(pattern)):
            return found
    raise RuntimeError(f"the package {package} holds no {pattern}: there is no wheel for this kind of machine")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The user a server runs as."""

    uid: int
    gid: int


def ordinary_user(owner_of: Path | None = None) -> Identity | None:
    """Whom root starts PostgreSQL as: the owner of an existing data folder, else an ordinary user; None if not root."""
    if os.geteuid() != 0:
        return None
    if owner_of is not None and owner_of.exists() and owner_of.stat().st_uid != 0:
        found = owner_of.stat()
        return Identity(uid=found.st_uid, gid=found.st_gid)
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in _ORDINARY_USERS:
        if name in known:
            return Identity(uid=known[name].pw_uid, gid=known[name].pw_gid)
    raise RuntimeError(f"PostgreSQL does not run as root, and this machine has none of the users {_ORDINARY_USERS}")


def start_child(
    command: Sequence[str | Path],
    *,
    dies_with_parent_by: signal.Signals,
    identity: Identity | None = None,
    reaches: Sequence[Path] = (),
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    output: IO[bytes] | int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own (Ctrl-C of the terminal does not reach it) that the kernel signals when
    the calling *thread's* process dies. `identity` is whom root becomes for it, `reaches` the paths it must get at."""
    with _explained(identity, reaches):
        return subprocess.Popen(  # noqa: S603 - our own commands
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            cwd=cwd,
            env=dict(env) if env is not None else None,
            start_new_session=True,
            preexec_fn=_before_exec(dies_with_parent_by, identity, reaches),  # noqa: PLW1509 - starters have one thread
        )


def end_with_parent_process() -> None:
    """Have the kernel send SIGTERM to this process when its parent dies, even by `kill -9`."""
    if _libc is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def run_as(command: Sequence[str | Path], *, identity: Identity | None, reaches: Sequence[Path] = ()) -> None:
    """Run a command to its end. Raises RuntimeError with its output if it fails."""
    with _explained(identity, reaches):
        done = subprocess.run(  # noqa: S603 - our own commands
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            preexec_fn=_before_exec(signal.SIGKILL, identity, reaches),
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed ({done.returncode}):\n{done.stdout.decode(errors='replace')}")


def servers_working_in(folder: Path, *, name: str) -> list[psutil.Process]:
    """The processes of this name whose working folder it is."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() == name and Path(process.cwd()) == folder:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def end_processes(
    processes: Sequence[psutil.Process], *, first: Sequence[psutil.Process], by: signal.Signals, within_seconds: float
) -> None:
    """Signal `first`, wait for all of them, kill what is left. psutil signals no process that merely got the number."""
    for process in first:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(by)
    if first:
        _wait_until_ended(processes, within_seconds)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait_until_ended(processes, within_seconds)


def _wait_until_ended(processes: Sequence[psutil.Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while any(_is_alive(process) for process in processes) and time.monotonic() < deadline:
        pause.wait(_POLL_SECONDS)


def _is_alive(process: psutil.Process) -> bool:
    """A zombie is not: it waits for a parent to take notice, which in a container may never happen."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _before_exec(signal_on_death: signal.Signals, identity: Identity | None, reaches: Sequence[Path]) -> Callable[[], None]:
    parent = os.getpid()
    must_override = identity is not None and not all(_others_may_pass(path) for path in reaches)

    def prepare() -> None:
        if identity is not None:
            if must_override:
                _prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
            os.setgroups([])
            os.setresgid(identity.gid, identity.gid, identity.gid)
            os.setresuid(identity.uid, identity.uid, identity.uid)
            if must_override:
                _keep_capability(_CAP_DAC_OVERRIDE)
        if _libc is not None:
            _prctl(_PR_SET_PDEATHSIG, signal_on_death)  # after the change of user, which would clear it
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return prepare


def _others_may_pass(path: Path) -> bool:
    return not list(_closed_folders(path))


def _closed_folders(path: Path) -> Iterator[Path]:
    return (folder for folder in path.resolve().parents if not folder.stat().st_mode & _OTHERS_MAY_PASS)


@contextmanager
def _explained(identity: Identity | None, reaches: Sequence[Path]) -> Iterator[None]:
    """What a preparation that failed in the child means."""
    try:
        yield
    except subprocess.SubprocessError as error:
        closed = {str(folder) for path in reaches for folder in _closed_folders(path)}
        if identity is None or not closed:
            raise
        raise RuntimeError(
            f"PostgreSQL does not run as root, and user {identity.uid} may not pass {', '.join(sorted(closed))}: have the "
            "project and DATA_DIR elsewhere, or let others pass (chmod o+x)"
        ) from error


def _prctl(option: int, value: int, value2: int = 0) -> None:
    if _libc is not None and _libc.prctl(option, value, value2, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def _keep_capability(capability: int) -> None:
    """Keep this one capability of root, and no other, for this process and what it executes."""
    if _libc is None:
        return
    mask = 1 << capability
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)  # effective, permitted, inheritable
    if _libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "this machine does not let PostgreSQL's user pass the folders to its data")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)
