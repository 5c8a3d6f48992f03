"""The pool streams: bounded drawing, completion order, cancelling, closing, use from threads."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from q_runtime.limits import Limits
from q_runtime.sandbox import PoolClosed, PythonJob, PythonPool, QJob, QPool
from tests.q_runtime.sandbox.processes import (
    descendants_of,
    scratch_directories_of,
    wait_until_gone,
)
from tests.q_runtime.sandbox.python_calls import serves

ECHO = "def f(x): return x"
LOOP = "while True: pass"


def echo(number: int) -> PythonJob:
    return PythonJob(str(number), ECHO, "f", ((number,),))


def test_two_hundred_jobs_each_give_one_result(python_pool: PythonPool) -> None:
    results = {
        result.key: result.calls[0].value for result in python_pool.run(map(echo, range(200)))
    }

    assert results == {str(number): number for number in range(200)}


def test_jobs_are_drawn_only_a_little_ahead_of_the_results_taken(python_pool: PythonPool) -> None:
    n_drawn = 0

    def jobs() -> Iterator[PythonJob]:
        nonlocal n_drawn
        for number in itertools.count():
            n_drawn += 1
            yield echo(number)

    results = python_pool.run(jobs())
    for n_taken in range(1, 20):
        next(results)

        assert n_drawn <= n_taken + 4 * python_pool.n_workers
    results.close()


def test_thousands_of_jobs_come_out_once_each_and_progress_is_told() -> None:
    told: list[int] = []
    jobs = (QJob(str(number), "1+1") for number in range(3000))
    with QPool(2) as pool:
        keys = [result.key for result in pool.run(jobs, told.append)]

    assert sorted(map(int, keys)) == list(range(3000))
    assert told == list(range(1, 3001))


def test_a_stream_counts_what_was_drawn_and_taken(python_pool: PythonPool) -> None:
    stream = python_pool.run(map(echo, range(20)))
    assert (stream.n_submitted, stream.n_taken) == (0, 0)
    next(stream)
    assert (stream.n_submitted, stream.n_taken) == (4 * python_pool.n_workers, 1)
    assert len(list(stream)) == 19
    assert (stream.n_submitted, stream.n_taken) == (20, 20)


def test_cancelling_from_another_thread_ends_the_stream_and_frees_the_workers() -> None:
    with PythonPool(1, Limits(time_s=60.0)) as pool:
        stream = pool.run([echo(0), PythonJob("a", LOOP), echo(1)])
        assert next(stream).key == "0"
        canceller = threading.Thread(target=stream.cancel)
        canceller.start()

        assert list(stream) == []
        assert list(stream) == []
        assert serves(pool)
        canceller.join()


def test_cancelling_one_stream_leaves_the_others_alone() -> None:
    with PythonPool(2, Limits(time_s=60.0)) as pool:
        loops = pool.run([echo(0), PythonJob("a", LOOP)])
        assert next(loops).key == "0"
        others = pool.run(map(echo, range(10)))
        next(others)
        loops.cancel()

        assert len(list(others)) == 9


def test_a_stream_that_is_dropped_frees_the_workers() -> None:
    with PythonPool(1, Limits(time_s=60.0)) as pool:
        stream = pool.run([echo(0), PythonJob("a", LOOP), PythonJob("b", LOOP)])
        next(stream)
        del stream

        assert serves(pool)


def test_an_error_of_whoever_watches_the_progress_reaches_the_caller(
    python_pool: PythonPool,
) -> None:
    def watch(n_taken: int) -> None:
        if n_taken == 3:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        list(python_pool.run(map(echo, range(20)), watch))
    assert serves(python_pool)


def test_a_quick_job_overtakes_a_slow_one(python_pool: PythonPool) -> None:
    keys = [result.key for result in python_pool.run([PythonJob("slow", LOOP), echo(1), echo(2)])]

    assert keys == ["1", "2", "slow"]


def test_closing_the_iterator_frees_the_workers_at_once() -> None:
    with PythonPool(2, Limits(time_s=60.0)) as pool:
        results = pool.run([echo(0), PythonJob("a", LOOP), PythonJob("b", LOOP)])
        next(results)
        results.close()

        assert serves(pool)


def test_an_error_in_the_jobs_reaches_the_caller_and_the_pool_lives(
    python_pool: PythonPool,
) -> None:
    def jobs() -> Iterator[PythonJob]:
        yield echo(0)
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        list(python_pool.run(jobs()))
    assert serves(python_pool)


def test_an_interrupt_leaves_no_process() -> None:
    started: list[int] = []
    with pytest.raises(KeyboardInterrupt), PythonPool(2, Limits(time_s=60.0)) as pool:
        for _ in pool.run([echo(0), PythonJob("a", LOOP), PythonJob("b", LOOP)]):
            started = [pool._template.pid, *descendants_of(pool._template.pid)]
            raise KeyboardInterrupt

    assert len(started) >= 3
    assert wait_until_gone(started) == []


def test_closing_ends_every_process_and_removes_the_scratch_directory() -> None:
    pool = PythonPool(2)
    assert serves(pool)
    started = [pool._template.pid, *descendants_of(pool._template.pid)]
    scratch = scratch_directories_of(pool._template.pid)
    assert len(scratch) == 1
    pool.close()
    pool.close()

    assert wait_until_gone(started) == []
    assert not scratch[0].exists()


def test_closing_from_another_thread_wakes_who_waits() -> None:
    pool = PythonPool(1, Limits(time_s=60.0))
    results = pool.run([echo(0), PythonJob("a", LOOP)])
    next(results)
    threading.Thread(target=pool.close).start()

    with pytest.raises(PoolClosed):
        next(results)


def test_a_closed_pool_says_so() -> None:
    pool = PythonPool(1)
    pool.close()

    with pytest.raises(PoolClosed, match="closed"):
        next(pool.run([echo(0)]))


def test_threads_share_a_pool_made_in_a_thread_that_ended() -> None:
    pools: list[PythonPool] = []
    maker = threading.Thread(target=lambda: pools.append(PythonPool(2)))
    maker.start()
    maker.join()
    found: dict[int, list[str]] = {}

    def use(index: int) -> None:
        numbers = range(index * 100, index * 100 + 20)
        found[index] = sorted(result.key for result in pools[0].run(map(echo, numbers)))

    users = [threading.Thread(target=use, args=(index,)) for index in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    pools[0].close()

    assert found == {i: sorted(str(n) for n in range(i * 100, i * 100 + 20)) for i in range(4)}


def test_no_jobs_give_no_results(python_pool: PythonPool) -> None:
    assert list(python_pool.run([])) == []


def test_a_pool_needs_a_worker() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        PythonPool(0)
