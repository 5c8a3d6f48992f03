"""Kill rates of many Problems, some at a time: which share a process, and what they are measured on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipeline.mutation.kill_rate import kill_reports, mutant_pool
from pipeline.mutation.report import KillReport
from pipeline.records import Problem, TestCase

OWN_SETS = ("demo", "starter")
"""Sets whose Python we wrote: their references may share a process."""
TOGETHER = 16
CHUNK = 64
"""Problems whose reports come together."""


def measure_kill_rates(
    problems: Sequence[Problem],
    fresh: Mapping[str, Sequence[TestCase]],
    max_mutants: int,
    seed: int,
    n_workers: int,
) -> Iterator[list[KillReport]]:
    """Reports in lists of up to `CHUNK`, on each Problem's tests and its fresh inputs, which are by slug."""
    own = [problem for problem in problems if problem.problem_set in OWN_SETS]
    others = [problem for problem in problems if problem.problem_set not in OWN_SETS]
    with mutant_pool(n_workers) as pool:
        for group, together in ((own, TOGETHER), (others, 1)):
            for at in range(0, len(group), CHUNK):
                suites = [
                    (problem, [*problem.tests, *fresh.get(problem.slug, ())])
                    for problem in group[at : at + CHUNK]
                ]
                yield kill_reports(suites, pool, max_mutants, seed, together)
