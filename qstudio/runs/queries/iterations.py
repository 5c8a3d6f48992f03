"""The ledger of the loop: what each Iteration attempted, solved, trained on, and how its policy scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qstudio.runs import charts
from qstudio.runs.models import Evaluation, Iteration, Run
from qstudio.runs.queries.evaluations import sampled_verdicts


@dataclass(frozen=True)
class LedgerRow:
    """One Iteration of one Run."""

    iteration: Iteration
    test: dict[str, float] | None
    dev: dict[str, float] | None
    test_key: str
    seconds: float | None
    share_solved: float
    """Of the training Problems."""


@dataclass(frozen=True)
class IterationsPage:
    """Context of `/iterations/`."""

    run: Run | None
    runs: tuple[Run, ...]
    rows: tuple[LedgerRow, ...]
    growth: charts.Chart | None
    verdicts: charts.Chart | None


def ledger(
    run: Run, scores: list[tuple[int, str, str, dict[str, Any]]] | None = None
) -> tuple[LedgerRow, ...]:
    """The Iterations of a Run in order; `scores` are (iteration, split, key, pass_at) where already at hand."""
    if scores is None:
        scores = list(
            Evaluation.objects.filter(run=run)
            .order_by()
            .values_list("iteration", "split", "key", "record__pass_at")
        )
    by_policy = {
        (iteration, split): (key, pass_at or {}) for iteration, split, key, pass_at in scores
    }
    seconds: dict[int, float] = {}
    for stage in run.stages.all():
        if stage.finished_at is not None:
            took = (stage.finished_at - stage.started_at).total_seconds()
            seconds[stage.iteration] = seconds.get(stage.iteration, 0.0) + took
    rows = []
    for iteration in run.iterations.all():
        key, test = by_policy.get((iteration.index, "test"), ("", {}))
        _, dev = by_policy.get((iteration.index, "dev"), ("", {}))
        rows.append(
            LedgerRow(
                iteration=iteration,
                test=test.get("1"),
                dev=dev.get("1"),
                test_key=key,
                seconds=seconds.get(iteration.index),
                share_solved=iteration.solved_total / iteration.problems_total
                if iteration.problems_total
                else 0.0,
            )
        )
    return tuple(rows)


def growth_chart(run: Run, rows: tuple[LedgerRow, ...]) -> charts.Chart:
    """The dataset-growth chart of a Run."""
    points = [
        charts.Growth(i.index, i.newly_solved, i.solved_total, i.problems_total)
        for i in (row.iteration for row in rows)
    ]
    return charts.growth(run.n_seeds, points)


def iterations_page(run_key: str) -> IterationsPage:
    """The ledger of the named Run, or of the newest Run that has an Iteration."""
    runs = tuple(Run.objects.filter(iterations__isnull=False).distinct()[:30])
    run = next((r for r in runs if r.key == run_key), None) if run_key else next(iter(runs), None)
    if run is None:
        return IterationsPage(None, runs, (), None, None)
    rows = ledger(run)
    counts = sampled_verdicts(run)
    return IterationsPage(
        run, runs, rows, growth_chart(run, rows), charts.verdict_shares(counts) if counts else None
    )
