"""Simulations that take a while, run by a worker: ask for one, run it, read what it came to."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

import msgspec
from django.db import transaction
from django.db.models import Q

from metering.simulation.models import STALE, SimulationRun
from metering.simulation.result import Simulation
from metering.simulation.simulate import check_window, simulate
from pricing.books.queries import version_by_id
from wallets.accounts.models import Account
from wallets.errors import Refusal

State = SimulationRun.State


def ask_for_simulation(
    *,
    version_id: str,
    from_: datetime,
    to: datetime,
    at: datetime,
    account: Account | None = None,
    only_payers: bool = False,
    actor: str = "",
) -> SimulationRun:
    """Have a worker simulate (`simulate` says what the arguments mean), however many events it takes. Raises NotFound,
    InvalidInput."""
    version = version_by_id(public_id=version_id)
    check_window(from_, to)
    return SimulationRun.objects.create(
        version=version, start=from_, end=to, account=account, only_payers=only_payers, asked_by=actor[:200], asked_at=at,
        heard_at=at,
    )  # fmt: skip


def run_simulations(*, now: Callable[[], datetime]) -> int:
    """Run what waits, and what has lost its worker; how many. now: the clock, which goes on while one runs."""
    count = 0
    while (run := _claim(at=now())) is not None:
        _run(run, now)
        count += 1
    return count


def read_result(run: SimulationRun) -> Simulation:
    """What a run that is DONE came to."""
    return msgspec.json.decode(json.dumps(run.result).encode(), type=Simulation)


def _claim(*, at: datetime) -> SimulationRun | None:
    """The oldest that waits or was left; ours from now on."""
    left = Q(state=State.RUNNING, heard_at__lt=at - STALE)
    with transaction.atomic():
        found = SimulationRun.objects.select_for_update(skip_locked=True).filter(Q(state=State.WAITING) | left)
        run = found.order_by("id").first()
        if run is not None:
            run.state, run.done, run.total, run.heard_at = State.RUNNING, 0, 0, at
            run.save(update_fields=["state", "done", "total", "heard_at"])
    return run


def _run(run: SimulationRun, now: Callable[[], datetime]) -> None:
    def tell(done: int, total: int) -> None:
        SimulationRun.objects.filter(pk=run.pk).update(done=done, total=total, heard_at=now())

    try:
        found = simulate(
            version_id=run.version.public_id,
            from_=run.start,
            to=run.end,
            account=run.account,
            only_payers=run.only_payers,
            most_events=None,
            progress=tell,
        )
    except Refusal as refusal:
        _fail(run, refusal.message, at=now())
        return
    except Exception:
        _fail(run, "Something went wrong; the worker's log says what.", at=now())
        raise
    result = json.loads(msgspec.json.encode(found))
    SimulationRun.objects.filter(pk=run.pk).update(state=State.DONE, result=result, finished_at=now())


def _fail(run: SimulationRun, why: str, *, at: datetime) -> None:
    """It is not tried again: whoever asked is told, and may ask again."""
    SimulationRun.objects.filter(pk=run.pk).update(state=State.FAILED, failure=why[:500], finished_at=at)
