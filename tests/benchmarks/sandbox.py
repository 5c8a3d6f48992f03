"""The sandbox: what it costs to run Programs that nobody has to trust."""

from __future__ import annotations

import subprocess
import sys
import time

from q_runtime import PythonJob, PythonPool, QJob, QPool, Session
from tests.benchmarks.measure import Measured, benchmark

N_PROGRAMS = 400
N_CALLS = 10
"""Tests per Program, as many as a built-in Problem has."""
N_WORKERS = 2
N_REFERENCES, N_BARE = 200, 40


@benchmark("sandbox.programs", "programs/s")
def sandboxed_programs() -> Measured:
    """Programs per second through the pool, each called ten times; the baseline runs them in this process."""
    programs = [f"{{sum x where x>{bound}}}" for bound in range(N_PROGRAMS)]
    return Measured(N_PROGRAMS / _in_pool(programs), N_PROGRAMS / _in_process(programs))


@benchmark("sandbox.references", "references/s")
def sandboxed_references() -> Measured:
    """Python references per second, each in a confined process; the baseline starts a bare interpreter for each."""
    sources = [f"def f(x):\n    return x + {number}\n" for number in range(N_REFERENCES)]
    with PythonPool(n_workers=N_WORKERS) as pool:
        list(pool.run(PythonJob("warm", source) for source in sources[:N_WORKERS]))
        start = time.perf_counter()
        results = list(pool.run(PythonJob(s, s, "f", ((1,),)) for s in sources))
        elapsed = time.perf_counter() - start
    if {result.key: result.calls[0].value for result in results} != {
        source: number + 1 for number, source in enumerate(sources)
    }:
        raise ValueError("a reference gave a wrong answer")
    return Measured(N_REFERENCES / elapsed, N_BARE / _in_interpreters(sources[:N_BARE]))


def _in_interpreters(sources: list[str]) -> float:
    start = time.perf_counter()
    for first, second in zip(sources[::2], sources[1::2], strict=True):
        pair = [
            subprocess.Popen([sys.executable, "-I", "-c", source]) for source in (first, second)
        ]
        for process in pair:
            process.wait()
    return time.perf_counter() - start


def _in_pool(programs: list[str]) -> float:
    """Seconds for all Programs, the start of the workers not counted. Raises: ValueError for a wrong run."""
    vector = {"t": 7, "v": list(range(100))}
    jobs = [
        QJob(str(index), text, None, ((vector,),) * N_CALLS) for index, text in enumerate(programs)
    ]
    with QPool(n_workers=N_WORKERS) as pool:
        list(pool.run(jobs[:N_WORKERS]))
        start = time.perf_counter()
        results = list(pool.run(jobs))
        elapsed = time.perf_counter() - start
    executions = [each for result in results for each in (result.load, *result.calls)]
    bad = next((each for each in executions if each.status != "ok"), None)
    if bad:
        raise ValueError(f"a Program ended with {bad.status}: {bad.detail}")
    if len(executions) != len(programs) * (1 + N_CALLS):
        raise ValueError(f"{len(executions)} executions for {len(programs)} Programs")
    return elapsed


def _in_process(programs: list[str]) -> float:
    numbers = list(range(100))
    start = time.perf_counter()
    for text in programs:
        session = Session()
        session.define("f", text)
        for _ in range(N_CALLS):
            session.call("f", numbers)
    return time.perf_counter() - start
