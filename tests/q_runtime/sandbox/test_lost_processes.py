"""Processes that die: a worker, the template, the pool's own process. Nothing hangs and nothing is left."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from q_runtime.limits import Limits
from q_runtime.sandbox import PythonJob, PythonPool
from tests.q_runtime.sandbox.processes import (
    children_of,
    descendants_of,
    is_busy,
    kill,
    wait_until_gone,
    workers_of,
)
from tests.q_runtime.sandbox.python_calls import serves

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

REPOSITORY = Path(__file__).resolve().parents[3]
OWNER = """
import sys
from q_runtime.limits import Limits
from q_runtime.sandbox import PythonJob, PythonPool
if __name__ == "__main__":
    pool = PythonPool(2, Limits(time_s=600.0))
    loops = [PythonJob(key, "while True: pass") for key in ("a", "b")]
    results = pool.run([PythonJob("quick", "x = 1"), *loops])
    next(results)
    print("running", flush=True)
    next(results)
"""


def test_a_worker_killed_while_idle_is_replaced() -> None:
    with PythonPool(1) as pool:
        assert serves(pool)
        for worker in workers_of(pool._template.pid):
            kill(worker)

        assert serves(pool)


def test_a_job_whose_worker_is_lost_twice_is_an_infrastructure_error() -> None:
    with PythonPool(1, Limits(time_s=60.0)) as pool:
        results = pool.run([PythonJob("victim", "while True: pass")])
        killer = _KillWorkers(pool, times=2)
        result = next(results)
        killer.finish()

        assert result.load.status == "infra_error"
        assert "SIGKILL" in result.load.error
        assert serves(pool)


def test_a_job_whose_worker_is_lost_once_is_run_again() -> None:
    source = "def f(): return sum(range(60_000_000))"
    with PythonPool(1, Limits(time_s=120.0)) as pool:
        results = pool.run([PythonJob("victim", source, "f", ((),))])
        killer = _KillWorkers(pool, times=1)
        result = next(results)
        killer.finish()

        assert result.calls[0].value == 1_799_999_970_000_000


def test_the_template_killed_is_started_anew() -> None:
    with PythonPool(2) as pool:
        assert serves(pool)
        old = descendants_of(pool._template.pid)
        kill(pool._template.pid)
        assert wait_until_gone(old) == []

        assert serves(pool)
        assert serves(pool)


def test_killing_the_pools_process_ends_every_worker() -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "running\n"
    started = descendants_of(owner.pid)
    assert len(started) >= 3
    owner.kill()
    owner.wait()
    owner.stdout.close()

    assert wait_until_gone(started) == []


def test_killing_the_pools_process_ends_workers_though_a_forked_copy_lives_on() -> None:
    source = OWNER.replace(
        'print("running", flush=True)',
        'import os, time; print("running", flush=True) if os.fork() else (os.close(1), time.sleep(600))',
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", source], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "running\n"
    children = children_of(owner.pid)
    (template,) = [child for child in children if children_of(child)]
    copies = [child for child in children if child != template]
    started = [template, *descendants_of(template)]
    owner.kill()
    owner.wait()
    owner.stdout.close()
    survivors = wait_until_gone(started)
    for copy in copies:
        kill(copy)

    assert survivors == []


class _KillWorkers:
    """Kills the pool's worker when it is busy, a number of times, each time a different process."""

    def __init__(self, pool: PythonPool, times: int) -> None:
        self._pool = pool
        self._times = times
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def finish(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        killed: set[int] = set()
        while len(killed) < self._times:
            for pid in set(workers_of(self._pool._template.pid)) - killed:
                if is_busy(pid):
                    kill(pid)
                    wait_until_gone([pid])
                    killed.add(pid)
