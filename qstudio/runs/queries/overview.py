"""The first page: four figures, what runs, what ran last, and what to do when nothing has run yet."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from qstudio.core.words import NOT_COUNTED
from qstudio.problems.models import Problem
from qstudio.runs import charts
from qstudio.runs.models import Attempt, Evaluation, Run
from qstudio.runs.queries.evaluations import EvaluationRow, board
from qstudio.runs.queries.iterations import growth_chart, ledger
from qstudio.runs.queries.runs import RunRow, run_rows

N_RECENT = 5


@dataclass(frozen=True)
class Step:
    """One step of the first use; it ticks itself."""

    is_done: bool
    title: str
    how: str
    command: str


@dataclass(frozen=True)
class OverviewPage:
    """Context of `/`."""

    n_problems: int
    n_solved: int
    n_judged: int
    n_not_counted: int
    n_passed: int
    running: tuple[RunRow, ...]
    recent: tuple[RunRow, ...]
    needs_you: tuple[Run, ...]
    """Ended badly, and nothing newer of that name has succeeded."""
    latest: EvaluationRow | None
    chart_run: Run | None
    growth: charts.Chart | None
    steps: tuple[Step, ...]
    is_first_use: bool


def overview_page() -> OverviewPage:
    """What the first page shows now."""
    counts = dict(Attempt.objects.order_by().values_list("verdict").annotate(n=Count("pk")))
    n_not_counted = sum(counts.get(kind, 0) for kind in NOT_COUNTED)
    runs = list(Run.objects.select_related("owner")[:30])
    active = [run for run in runs if run.is_active]
    ended = [run for run in runs if not run.is_active][:N_RECENT]
    rows = run_rows(active + ended)
    chart_run = Run.objects.filter(iterations__isnull=False).order_by("-created_at").first()
    entries = ledger(chart_run) if chart_run else ()
    n_problems, n_solved = Problem.objects.count(), Problem.objects.solved().count()
    has_succeeded = any(run.state == Run.State.SUCCEEDED for run in runs)
    return OverviewPage(
        n_problems=n_problems,
        n_solved=n_solved,
        n_judged=sum(counts.values()) - n_not_counted,
        n_not_counted=n_not_counted,
        n_passed=counts.get("passed", 0),
        running=rows[: len(active)],
        recent=rows[len(active) :],
        needs_you=tuple(
            run for run in ended if run.is_resumable and run.state != Run.State.STOPPED
        ),
        latest=_latest_test(),
        chart_run=chart_run,
        growth=growth_chart(chart_run, entries) if chart_run and entries else None,
        steps=_steps(n_problems, runs, bool(counts), has_succeeded),
        is_first_use=not has_succeeded,
    )


def _latest_test() -> EvaluationRow | None:
    """The newest test Evaluation of a policy of a loop."""
    newest = (
        Evaluation.objects.filter(split="test", iteration__gte=0)
        .select_related("run")
        .defer("record", "run__report", "run__config")
        .order_by("-created_at", "-pk")
        .first()
    )
    if newest is None:
        return None
    return next((row for row in board(newest.run, {}) if row.key == newest.key), None)


def _steps(
    n_problems: int, runs: list[Run], has_attempts: bool, has_succeeded: bool
) -> tuple[Step, ...]:
    return (
        Step(
            n_problems > 0,
            "Load the built-in Problems",
            "Two sets come with QStudio: starter and demo.",
            "manage.py load_problems",
        ),
        Step(
            bool(runs),
            "Start a Run",
            "The demo trains a small model on two CPU cores in minutes.",
            "manage.py bootstrap --preset demo",
        ),
        Step(
            any(run.started_at for run in runs),
            "A worker takes it up",
            "Runs that the browser started wait for a worker.",
            "manage.py qcluster",
        ),
        Step(
            has_attempts,
            "First Programs are judged",
            "Every sampled Program is executed against tests.",
            "",
        ),
        Step(has_succeeded, "The Run finishes", "Its report says what the loop was worth.", ""),
    )
