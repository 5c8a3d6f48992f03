"""How a benchmark is written and timed.

A benchmark is a function decorated with `@benchmark(name, unit)` that returns a `Measured`. Timings are processor time,
the best of many short rounds, since all that a busy machine can do to a round is lengthen it; only what waits for other
processes is timed by the clock on the wall. The baseline is the same work done without q, in rounds that alternate with
q's, and `ratio` is value / baseline: for seconds, below 1 is faster than the baseline, for rates above 1 is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ROUNDS = 20
ROUND_S = 0.025
"""A round repeats the work until it has taken about so long."""


@dataclass(frozen=True)
class Measured:
    """A value and, where there is something to hold it against, the baseline in the same unit."""

    value: float
    baseline: float | None = None


@dataclass(frozen=True)
class Benchmark:
    """A named measurement."""

    name: str
    unit: str
    run: Callable[[], Measured]

    def row(self) -> dict[str, object]:
        """Measure, and return what is printed: name, value, unit, baseline, ratio."""
        measured = self.run()
        baseline = measured.baseline
        return {
            "name": self.name,
            "value": rounded(measured.value),
            "unit": self.unit,
            "baseline": None if baseline is None else rounded(baseline),
            "ratio": None if baseline is None else rounded(measured.value / baseline),
        }


BENCHMARKS: list[Benchmark] = []


def benchmark(name: str, unit: str) -> Callable[[Callable[[], Measured]], Callable[[], Measured]]:
    """Register a function under a name; `unit` is that of its value and baseline."""

    def register(run: Callable[[], Measured]) -> Callable[[], Measured]:
        BENCHMARKS.append(Benchmark(name, unit, run))
        return run

    return register


def rounded(number: float) -> float:
    """Four significant digits: more would be noise."""
    return float(f"{number:.4g}")


def seconds(work: Callable[[], object]) -> float:
    """Seconds that one call of `work` takes in this process."""
    repeats = _repeats(work)
    return min(_round(work, repeats) for _ in range(ROUNDS))


def elapsed(work: Callable[[], object], rounds: int) -> float:
    """Seconds that pass during one call of `work`, which may wait for another process: the best of `rounds`."""
    return min(_round(work, 1, time.perf_counter) for _ in range(rounds))


def _repeats(work: Callable[[], object]) -> int:
    """How often to call in one round; the calls that find it out are the warm-up."""
    for repeats in _powers():
        if _round(work, repeats) * repeats >= ROUND_S / 2:
            return repeats
    raise AssertionError("unreachable: the powers do not end")


def _powers() -> Iterator[int]:
    repeats = 1
    while True:
        yield repeats
        repeats *= 4


def _round(
    work: Callable[[], object], repeats: int, clock: Callable[[], float] = time.process_time
) -> float:
    """Seconds per call over `repeats` calls."""
    start = clock()
    for _ in range(repeats):
        work()
    return (clock() - start) / repeats


def side_by_side(
    q: Callable[[], object], baseline: Callable[[], object], *, is_checked: bool = True
) -> Measured:
    """Seconds of q and of the same work without it, in alternating rounds, so that a busy minute slows both.

    is_checked: whether the two return the same. Raises: ValueError when they should and do not.
    """
    ours, theirs = q(), baseline()
    if is_checked and ours != theirs:
        raise ValueError(f"q gives {ours!r}, the baseline {theirs!r}")
    works = (q, baseline)
    repeats = [_repeats(work) for work in works]
    rounds = [
        [_round(work, n) for work, n in zip(works, repeats, strict=True)] for _ in range(ROUNDS)
    ]
    return Measured(*(min(times) for times in zip(*rounds, strict=True)))


def geometric_mean(ratios: list[float]) -> float:
    """The mean for ratios: twice as fast and half as fast cancel out."""
    return math.exp(math.fsum(map(math.log, ratios)) / len(ratios))
