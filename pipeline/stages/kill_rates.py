"""Kill rates of the Problems for which a Program passed: measured once per run, when the first one comes.

`kill_rates.jsonl` in the run directory holds one report per Problem, with the fate of every mutant. What this
deliberately does not do: decide what rate is enough (`acceptance`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.mutation.kill_rate import kill_reports, mutant_pool
from pipeline.mutation.report import KillReport
from pipeline.records import Problem, TestCase
from pipeline.rundir import append_records, read_records
from pipeline.stages.context import RunContext

KILL_RATES = "kill_rates.jsonl"
OWN_SETS = ("demo", "starter")
"""Sets whose Python we wrote: their references may share a process."""
TOGETHER = 16
CHUNK = 64
"""Problems that are measured before their reports are written."""


def measured_kill_rates(
    context: RunContext,
    slugs: Iterable[str],
    fresh: Mapping[str, tuple[TestCase, ...]],
    iteration: int,
) -> dict[str, KillReport]:
    """The reports of these Problems, from the run directory or measured now, on their tests and fresh inputs.

    A report that a fault of ours kept from being made is not written: the next Iteration measures again.
    """
    path = context.path / KILL_RATES
    known = {report.problem: report for report in read_records(path, KillReport)}
    wanted = sorted(set(slugs))
    missing = [context.problems[slug] for slug in wanted if slug not in known]
    if not missing:
        return {slug: known[slug] for slug in wanted}
    acceptance, seed = context.config.acceptance, context.config.seed
    message = f"Running mutants of {len(missing)} references"
    context.reporter.begin("sampling", iteration, message, total=len(missing))
    done = 0
    with mutant_pool(context.config.execution.workers) as pool:
        for problems, together in _chunks(missing):
            suites = [
                (problem, [*problem.tests, *fresh.get(problem.slug, ())]) for problem in problems
            ]
            reports = kill_reports(suites, pool, acceptance.max_mutants, seed, together)
            append_records(path, [report for report in reports if not report.is_fault_of_ours])
            known |= {report.problem: report for report in reports}
            done += len(problems)
            context.reporter.progress(done)
            context.reporter.check_stop()
    return {slug: known[slug] for slug in wanted}


def _chunks(problems: Sequence[Problem]) -> Iterator[tuple[Sequence[Problem], int]]:
    """Problems to be measured at a time, and how many of them share a process."""
    own = [problem for problem in problems if problem.problem_set in OWN_SETS]
    others = [problem for problem in problems if problem.problem_set not in OWN_SETS]
    for group, together in ((own, TOGETHER), (others, 1)):
        for at in range(0, len(group), CHUNK):
            yield group[at : at + CHUNK], together
