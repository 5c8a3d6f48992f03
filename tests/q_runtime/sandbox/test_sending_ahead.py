"""A worker has its next job before it has ended the present one: each job is still run once, and judged by itself."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from q_runtime.limits import Limits
from q_runtime.sandbox import ProgramResult, QJob, QPool
from q_runtime.sandbox.pool import AHEAD_BYTES
from tests.q_runtime.sandbox.processes import is_busy, kill, workers_of
from tests.q_runtime.sandbox.q_calls import long, serves

PATIENCE_S = 20.0
CALLS = tuple((long(number),) for number in range(4))
QUICK = "f:{x+1}"
ENDLESS = "f:{$[x=2;while[1b;];x+1]}"
"""Its third call never ends; a job is sent ahead after the answer to the first."""
SLOW = "f:{$[x=2;[i:0;while[i<20000000;i+:1];i];x+1]}"
HUNGRY = "f:{$[x=2;count til 100000000;x+1]}"


def job(key: object, program: str = QUICK, calls: tuple[tuple[object, ...], ...] = CALLS) -> QJob:
    return QJob(str(key), program, "f", calls)  # type: ignore[arg-type]


def outcomes(result: ProgramResult) -> list[str]:
    return [call.status for call in result.calls]


def answers(result: ProgramResult) -> list[object]:
    return [call.value["v"] if call.value else None for call in result.calls]


def wait_for(condition: object) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_whatever_ends_the_job_before_the_next_is_run_once_and_by_itself() -> None:
    long_list = ({"t": 7, "v": list(range(AHEAD_BYTES))},)
    jobs = [
        job(0),
        job(1, ENDLESS),
        job(2),
        job(3, HUNGRY),
        job(4),
        job(5, "f:{count x}", (long_list,) * 3),
        job(6, "f:{signal}"),
        job(7, "f:{"),
        *(job(number, QUICK) for number in range(8, 40)),
    ]
    with QPool(1, Limits(time_s=0.5, memory_mb=128), recycle_after=7) as pool:
        found = {int(result.key): result for result in pool.run(jobs)}

    assert sorted(found) == list(range(40))
    assert outcomes(found[1]) == ["ok", "ok", "time_limit", "time_limit"]
    assert outcomes(found[3]) == ["ok", "ok", "memory_limit", "ok"]
    assert answers(found[5]) == [AHEAD_BYTES] * 3
    assert outcomes(found[6]) == ["q_error"] * 4
    assert found[7].load.status == "syntax_error"
    for number in {0, 2, 4, *range(8, 40)}:
        assert answers(found[number]) == [1, 2, 3, 4], number


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_job_sent_ahead_to_a_worker_that_is_lost_costs_it_nothing() -> None:
    with QPool(1, Limits(time_s=120.0)) as pool:
        (slot,) = pool._slots
        found: dict[str, ProgramResult] = {}
        stream = pool.run([job("slow", SLOW), *map(job, range(6))])
        taking = threading.Thread(target=lambda: found.update((r.key, r) for r in stream))
        taking.start()
        for _ in range(2):
            wait_for(
                lambda: slot._is_ahead_sent and any(map(is_busy, workers_of(pool._template.pid)))
            )
            for worker in workers_of(pool._template.pid):
                kill(worker)
        taking.join()

    assert outcomes(found.pop("slow"))[:2] == ["ok", "ok"]
    assert [answers(result) for result in found.values()] == [[1, 2, 3, 4]] * 6


def test_cancelling_what_was_sent_ahead_leaves_the_present_job_alone() -> None:
    with QPool(1, Limits(time_s=120.0)) as pool:
        (slot,) = pool._slots
        found: list[ProgramResult] = []
        present, cancelled = pool.run([job("slow", SLOW)]), pool.run(map(job, range(9)))
        takers = [
            threading.Thread(target=lambda: found.extend(present)),
            threading.Thread(target=lambda: list(cancelled)),
        ]
        takers[0].start()
        wait_for(lambda: slot._inbox is present.inbox)
        takers[1].start()
        wait_for(lambda: slot._is_ahead_sent)
        cancelled.cancel()
        for taker in takers:
            taker.join()

        assert answers(found[0]) == [1, 2, 20_000_000, 4]
        assert serves(pool)
