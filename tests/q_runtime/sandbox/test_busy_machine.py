"""Programs that other work keeps from the processor: a worker that is held stands for a machine that is busy."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from q_runtime.errors import LimitExceeded, Starved
from q_runtime.limits import Budget, Limits
from q_runtime.sandbox import ProgramResult, QJob, QPool
from q_runtime.sandbox.pool import Transcript
from tests.q_runtime.sandbox.processes import is_busy, workers_of
from tests.q_runtime.sandbox.q_calls import long, serves

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

TIME_S = 1.5
LIMITS = Limits(time_s=TIME_S)
LONG = "f:{i:0; while[i<x; i+:1; j:sum til 50]; i}"
"""Takes about half a second for 100,000 passes."""
N_PASSES = 100_000


class ImpatientPool(QPool):
    """Does not wait quite so long for what is held."""

    patience = 3.0


@contextmanager
def while_running(
    pool: QPool, program: str, act: Callable[[int], None], times: int
) -> Iterator[list[ProgramResult]]:
    """Run a Program and do something to its worker as soon as that is busy, to so many workers one after another."""
    found: list[ProgramResult] = []
    job = QJob("job", program, "f", ((long(0),), (long(N_PASSES),), (long(1),)))
    taking = threading.Thread(target=lambda: found.extend(pool.run([job])))
    taking.start()
    seen: set[int] = set()
    while len(seen) < times and taking.is_alive():
        for pid in set(workers_of(pool._template.pid)) - seen:
            if is_busy(pid):
                seen.add(pid)
                act(pid)
    taking.join()
    assert len(seen) == times, "the Program ended before anything could be done to its worker"
    yield found


def hold(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def hold_for_longer_than_its_time(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    time.sleep(1.2 * TIME_S)
    os.kill(pid, signal.SIGCONT)


def test_a_program_is_not_charged_for_time_in_which_it_did_not_have_the_processor() -> None:
    with (
        QPool(1, LIMITS) as pool,
        while_running(pool, LONG, hold_for_longer_than_its_time, times=1) as (result,),
    ):
        assert [call.value for call in result.calls] == [long(0), long(N_PASSES), long(1)]
        assert result.calls[1].duration_s > TIME_S


def test_a_program_that_was_starved_once_is_run_again() -> None:
    with ImpatientPool(1, LIMITS) as pool, while_running(pool, LONG, hold, times=1) as (result,):
        assert [call.value for call in result.calls] == [long(0), long(N_PASSES), long(1)]
        assert serves(pool)


def test_a_program_that_was_starved_twice_is_a_fault_of_ours() -> None:
    with ImpatientPool(1, LIMITS) as pool, while_running(pool, LONG, hold, times=2) as (result,):
        assert [call.status for call in result.calls] == ["ok", "infra_error", "infra_error"]
        assert result.calls[1].error == "starved"
        assert result.calls[1].duration_s >= ImpatientPool.patience * TIME_S
        assert "the machine is too busy" in result.calls[1].detail
        assert serves(pool)


def test_a_program_that_never_ends_is_judged_by_the_time_of_the_processor() -> None:
    program = "f:{while[x>1;j:sum til 50]; x}"
    with (
        QPool(1, LIMITS) as pool,
        while_running(pool, program, hold_for_longer_than_its_time, times=1) as (result,),
    ):
        assert [call.status for call in result.calls] == ["ok", "time_limit", "time_limit"]
        assert serves(pool)


def test_a_deadline_is_put_off_by_the_time_that_others_had_and_no_further_than_patience_goes() -> (
    None
):
    budget = Budget(Limits(time_s=100.0, patience=3.0))
    begun = budget.deadline - 100.0
    budget.expire(begun + 101.0)
    put_off = budget.deadline

    assert begun + 195.0 < put_off <= begun + 201.0
    budget.expire(begun + 250.0)
    assert budget.deadline == begun + 300.0
    with pytest.raises(
        Starved, match=r"the machine is too busy: 0\.\d s of processor time in 300\.0 s"
    ):
        budget.expire(begun + 300.0)


def test_without_patience_time_is_that_of_the_clock() -> None:
    budget = Budget(Limits(time_s=100.0))
    with pytest.raises(LimitExceeded, match="more than 100 s"):
        budget.expire(budget.deadline)


def test_what_a_worker_says_of_its_starving_counts_as_a_lost_worker() -> None:
    told = {"status": "ok", "value": long(1), "error": None, "detail": "", "stdout": ""}
    told |= {"duration_s": 0.1, "at": None}
    starved = told | {"status": "infra_error", "value": None, "error": "starved"}
    job = QJob("job", LONG, "f", ((long(0),), (long(1),), (long(2),)))
    transcript = Transcript(({"load": told}, {"call": told}, {"call": starved}), "end")
    with QPool(1, LIMITS) as pool:
        assert pool._is_lost(transcript)
        result = pool._result(job, transcript)

    assert [call.status for call in result.calls] == ["ok", "infra_error", "infra_error"]
    assert [call.error for call in result.calls[1:]] == ["starved"] * 2
    assert result.calls[2].detail == "not run"
