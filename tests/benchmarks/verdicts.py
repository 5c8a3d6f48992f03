"""Verdicts through the path that the pipeline uses, beside one q process for each test.

What this deliberately does not do: judge what the processes print by a grader of its own; it must only be the same.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psutil

from pipeline.config import ExecutionConfig
from pipeline.judging import Candidate, Judge
from pipeline.records import Verdict, VerdictKind
from q_runtime import Session, format_wire
from tests.benchmarks import program_mix
from tests.benchmarks.measure import Measured, benchmark
from tests.benchmarks.program_mix import Mix

Q = Path(__file__).parents[2] / "q_runtime" / "bin" / "q"
N_WORKERS = 2
ROUNDS = 3
N_COLD = 7
N_SAMPLED = 10
"""Programs that are also judged with a process for each test."""
TIME_S = 0.5
"""Longest time for one test."""
_PATIENCE_S = 60.0
"""How long a process that will end is waited for."""


@cache
def _mix(n_problems: int) -> Mix:
    return program_mix.build_mix(n_problems)


def mix() -> Mix:
    """The Programs that are measured."""
    return _mix(program_mix.N_PROBLEMS)


@benchmark("sandbox.verdicts", "verdicts/s")
def ending_programs() -> Measured:
    """Verdicts per second for Programs that end; the baseline runs a q process for each test of a sample."""
    programs = mix().ending
    step = max(1, len(programs) // N_SAMPLED)
    sample = programs[::step][:N_SAMPLED]
    rates: list[float] = []
    for _ in range(ROUNDS):
        verdicts, taken = _judge(programs)
        rates.append(len(programs) / taken)
    return Measured(max(rates), len(sample) / _with_processes(sample, verdicts[::step]))


@benchmark("sandbox.verdict", "ms of processor time")
def processor_time() -> Measured:
    """What a verdict on a Program that ends takes of all processes together, the least of some rounds.

    Other work on the machine lengthens it little; two cores with nothing else to do give 2,000 of it a second.
    """
    programs = mix().ending
    times: list[float] = []
    for _ in range(ROUNDS):
        with _warm_judge() as judge:
            before = _processor_s()
            _require_judged(programs, judge.judge(programs, mix().suites))
            times.append(_processor_s() - before)
    return Measured(1000 * min(times) / len(programs))


@benchmark("sandbox.verdicts_some_endless", "verdicts/s")
def all_programs() -> Measured:
    """The same with one Program in ten that never ends, in the sample too, at half a second for each test."""
    endless = mix().endless
    programs = [*endless, *mix().ending]
    verdicts, taken = _judge(programs)
    sample, found = programs[len(endless) - 1 :], verdicts[len(endless) - 1 :]
    n = program_mix.ONE_IN
    return Measured(len(programs) / taken, n / _with_processes(sample[:n], found))


@benchmark("sandbox.first_verdict", "s")
def first_verdict() -> Measured:
    """From nothing to the first Verdict: the pool is made, a worker starts, a Program is judged."""
    return Measured(min(_cold(mix().ending[0]) for _ in range(N_COLD)))


def _cold(program: Candidate) -> float:
    start = time.perf_counter()
    with Judge(ExecutionConfig(workers=N_WORKERS)) as judge:
        verdicts = judge.judge([program], mix().suites)
        taken = time.perf_counter() - start
    _require_judged([program], verdicts)
    return taken


def _judge(programs: Sequence[Candidate]) -> tuple[list[Verdict], float]:
    """All Verdicts, and the seconds that they took; the start of the workers is not counted."""
    with _warm_judge() as judge:
        start = time.perf_counter()
        verdicts = judge.judge(programs, mix().suites)
        taken = time.perf_counter() - start
    _require_judged(programs, verdicts)
    return verdicts, taken


@contextmanager
def _warm_judge() -> Iterator[Judge]:
    """A Judge whose workers have begun to work."""
    with Judge(ExecutionConfig(workers=N_WORKERS, time_s=TIME_S)) as judge:
        warm = [Candidate(each.problem, f"{each.program}\n") for each in mix().ending[:N_WORKERS]]
        judge.judge(warm, mix().suites)
        yield judge


def _processor_s() -> float:
    """Processor time of this process and of all below it, in seconds; the end of one in between would be missed."""
    this = psutil.Process()
    used = (each.cpu_times() for each in (this, *this.children(recursive=True)))
    return sum(times.user + times.system for times in used)


def _require_judged(programs: Sequence[Candidate], verdicts: Sequence[Verdict]) -> None:
    """Check that there was no fault of ours, and that the endless Programs alone exceeded the time, on any test.

    Raises: ValueError.
    """
    endless = set(mix().endless)
    for program, verdict in zip(programs, verdicts, strict=True):
        outcomes = {verdict.kind.value, *(each.outcome for each in verdict.executions)}
        is_late = VerdictKind.TIME_LIMIT.value in outcomes
        if not verdict.kind.is_scored or is_late != (program in endless):
            raise ValueError(f"{program.problem}: {verdict.kind.value}, {verdict.reason}")


def _with_processes(programs: Sequence[Candidate], verdicts: Sequence[Verdict]) -> float:
    """Seconds for the tests of some Programs, a process for each, as many at a time as the pool has workers.

    A Program that exceeds the time is not tried on its other tests, as in the pool.
    Raises: ValueError when a process prints another value than the pool found.
    """
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(N_WORKERS) as threads:
        paths = [Path(folder, f"{index}.q") for index in range(len(programs))]
        start = time.perf_counter()
        printed = list(threads.map(_all_tests, programs, paths))
        taken = time.perf_counter() - start
    for program, texts, verdict in zip(programs, printed, verdicts, strict=False):
        if verdict.kind is not VerdictKind.PASSED:
            continue
        wanted = [Session().eval(f".Q.s1 {each.actual}") for each in verdict.executions]
        if texts != wanted:
            raise ValueError(f"{program.problem}: a process printed {texts}, the pool {wanted}")
    return taken


def _all_tests(program: Candidate, script: Path) -> list[str]:
    """What q prints for each test of a Program, up to the first that exceeds the time."""
    job = mix().suites[program.problem].job("", program.program or "")
    is_named = f"{job.entry_point}:" in job.program
    text = job.program if is_named else f"{job.entry_point}:{job.program}"
    most_s = TIME_S if program in mix().endless else _PATIENCE_S
    printed: list[str] = []
    for arguments in job.calls:
        call = f"{job.entry_point}[{';'.join(map(format_wire, arguments))}]"
        script.write_text(f"{text}\n-1 .Q.s1 {call};\n", encoding="utf-8")
        try:
            printed.append(_run_q(script, most_s))
        except subprocess.TimeoutExpired:
            break
    return printed


def _run_q(script: Path, most_s: float) -> str:
    done = subprocess.run(
        [Q, script, "-q"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=most_s,
        check=False,
    )
    return done.stdout.decode(errors="replace").strip()
