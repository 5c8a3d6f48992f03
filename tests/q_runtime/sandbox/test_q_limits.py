"""q that takes too much or wants out. Each is stopped, named, and followed by service."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from q_runtime.limits import Limits
from q_runtime.sandbox import QJob, QPool
from tests.q_runtime.sandbox.processes import is_busy, kill, wait_until_gone, workers_of
from tests.q_runtime.sandbox.q_calls import long, run_program, serves

ESCAPES = {
    "read": "read0 `:/etc/passwd",
    "read bytes": "read1 `:/etc/passwd",
    "write": '`:/tmp/q_sandbox_escape 0: enlist "x"',
    "set": "`:/tmp/q_sandbox_escape set 1",
    "delete": "hdel `:/etc/passwd",
    "connect": "hopen 5000",
    "shell": 'system "id"',
    "environment": "$[count getenv `PATH;getenv `PATH;'`empty]",
    "set environment": '`QSTUDIO setenv "x"; getenv `QSTUDIO; \'`done',
    "load": "\\l /etc/passwd",
    "exit": "exit 0",
    "attribute": "x.__class__.__bases__",
    "Python": '__import__("os").system("id")',
}


@pytest.fixture(autouse=True)
def _serves_afterwards(q_pool: QPool) -> Iterator[None]:
    yield
    assert serves(q_pool)


def test_a_loop_is_stopped_and_later_calls_are_not_run(q_pool: QPool) -> None:
    result = run_program(
        q_pool, "f:{while[x=2; x:2]; x}", (long(1),), (long(2),), (long(3),), (long(4),)
    )

    assert [call.status for call in result.calls] == ["ok"] + ["time_limit"] * 3
    assert [call.detail for call in result.calls[2:]] == ["not run"] * 2


def test_a_program_that_does_not_finish_loading(q_pool: QPool) -> None:
    result = run_program(q_pool, "while[1b; 1]", (long(1),))

    assert result.load.status == "time_limit"
    assert result.calls == ()


@pytest.mark.parametrize("program", ["f:{til 4000000000}", "f:{x:til 1000000; while[1b; x:x,x]}"])
def test_too_much_memory(program: str) -> None:
    with QPool(1, Limits(time_s=30.0, memory_mb=256)) as pool:
        assert run_program(pool, program, (long(1),)).calls[0].status == "memory_limit"
        assert serves(pool)


def test_memory_of_a_program_is_there_for_the_next() -> None:
    program = "held:til 15000000; f:{g:{.z.s}; held x}"  # 120 MB of 256
    jobs = [QJob(str(n), program, "f", ((long(n),),)) for n in range(6)]
    with QPool(1, Limits(time_s=60.0, memory_mb=256)) as pool:
        assert [result.calls[0].value for result in pool.run(jobs)] == [long(n) for n in range(6)]


def test_too_long_a_result(q_pool: QPool) -> None:
    assert run_program(q_pool, "f:{til 100000}", (long(1),)).calls[0].status == "output_limit"


def test_endless_recursion_is_a_q_error(q_pool: QPool) -> None:
    call = run_program(q_pool, "f:{f x+1}", (long(1),)).calls[0]

    assert (call.status, call.error) == ("q_error", "stack")


@pytest.mark.parametrize("body", ESCAPES.values(), ids=ESCAPES.keys())
def test_the_attempt_fails(q_pool: QPool, body: str) -> None:
    result = run_program(q_pool, f"f:{{{body}}}", (long(1),))
    execution = result.calls[0] if result.calls else result.load

    assert execution.status in ("q_error", "syntax_error", "unsupported"), execution


def test_a_program_whose_worker_is_lost_twice_is_an_infrastructure_error() -> None:
    with QPool(1, Limits(time_s=60.0)) as pool:
        results = pool.run([QJob("victim", "f:{while[1b; 1]}", "f", ((long(1),),))])

        def work() -> None:
            killed: set[int] = set()
            while len(killed) < 2:
                for pid in set(workers_of(pool._template.pid)) - killed:
                    if is_busy(pid):
                        kill(pid)
                        wait_until_gone([pid])
                        killed.add(pid)

        killer = threading.Thread(target=work)
        killer.start()
        result = next(results)
        killer.join()

        assert result.load.status == "ok"
        assert [call.status for call in result.calls] == ["infra_error"]
        assert serves(pool)


def test_workers_are_replaced_after_their_share_of_programs() -> None:
    with QPool(1, recycle_after=3) as pool:
        jobs = [QJob(str(n), "f:{x}", "f", ((long(n),),)) for n in range(20)]

        assert {r.key: r.calls[0].value for r in pool.run(jobs)} == {
            str(n): long(n) for n in range(20)
        }
