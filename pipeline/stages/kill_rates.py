"""Kill rates of the Problems for which a Program passed: measured once per run, when the first one comes.

`kill_rates.jsonl` in the run directory holds one report per Problem, with the fate of every mutant. What this
deliberately does not do: decide what rate is enough (`acceptance`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.mutation.measure import measure_kill_rates
from pipeline.mutation.report import KillReport
from pipeline.records import TestCase
from pipeline.rundir import append_records, read_records
from pipeline.stages.context import RunContext

KILL_RATES = "kill_rates.jsonl"


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
    for reports in measure_kill_rates(
        missing, fresh, acceptance.max_mutants, seed, context.config.execution.workers
    ):
        append_records(path, [report for report in reports if not report.is_fault_of_ours])
        known |= {report.problem: report for report in reports}
        done += len(reports)
        context.reporter.progress(done)
        context.reporter.check_stop()
    return {slug: known[slug] for slug in wanted}
