"""Pays top-ups in processes that are killed in the middle; run in `tests.child`, which itself never touches the database, so
that each process forked from it begins like a new one."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import connection


def pay(*, wallet: str, key: str, origin: str, sandbox: str, die_at: int | None, charged: bool = False) -> int | None:
    """Top up a wallet (`wal_…`) by 50, in a process of its own that is killed (-9) when it comes to its `die_at`-th function
    call (`charged`: since the provider took the money). How many calls it took; None when it was killed before."""
    connection.close()
    settings.STRIPE_API_URL, settings.STRIPE_SECRET_KEY = sandbox, "sk_test_sandbox"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.write(writing, str(_pay_counting(wallet, key, origin, die_at=die_at, charged=charged)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        calls = answer.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed == (not calls), f"neither killed nor done: {status}, {calls!r}"
    return int(calls) if calls else None


def _pay_counting(wallet: str, key: str, origin: str, *, die_at: int | None, charged: bool) -> int:
    from decimal import Decimal  # noqa: PLC0415 - the test imports this module before Django is set up

    from tests.factories.payments import AT  # noqa: PLC0415 - as above
    from wallets.balances.models import Wallet  # noqa: PLC0415 - as above
    from wallets.payments.start import start_payment  # noqa: PLC0415 - as above
    from wallets.payments.top_up import create_top_up  # noqa: PLC0415 - as above

    calls = 0
    counting = not charged

    def count(frame: FrameType, kind: str, _what: Any) -> None:
        nonlocal calls, counting
        if kind == "return" and frame.f_code.co_name == "confirm_payment":
            counting = True
        if counting and kind in {"call", "c_call"}:
            calls += 1
            if calls == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    held = Wallet.objects.select_related("account").get(public_id=wallet)
    sys.setprofile(count)
    made = create_top_up(wallet=held, amount=Decimal(50), at=AT, origin=origin, request_key=key)
    start_payment(top_up=made, at=AT, off_session=origin != "customer")
    sys.setprofile(None)
    return calls
