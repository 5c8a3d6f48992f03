"""Evaluations: the board of policies of a Run, the list over Runs, and the page of one Evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import Count
from django.http import QueryDict

from qstudio.core.facets import Facet, column_counts, make_facet, without
from qstudio.core.paging import page_of
from qstudio.core.words import EQUAL_STEPS_BASE, IMPORTED, NOT_COUNTED, VERDICTS
from qstudio.problems.models import Problem
from qstudio.runs import charts
from qstudio.runs.models import Attempt, Evaluation, Iteration, Run

LIST_COLUMNS = (
    "pk",
    "run_id",
    "run__key",
    "run__name",
    "key",
    "iteration",
    "policy",
    "split",
    "n_problems",
    "n_samples",
    "grader",
    "engine",
    "engine_version",
    "created_at",
    "record__pass_at",
    "record__verdicts",
)


@dataclass(frozen=True)
class EvaluationRow:
    """One policy on one split, without the per-problem counts."""

    run_key: str
    run_name: str
    key: str
    iteration: int
    label: str
    """Which policy this is, in words."""
    note: str
    policy: str
    split: str
    n_problems: int
    n_samples: int
    grader: str
    engine: str
    created_at: Any
    pass_at: dict[str, dict[str, float]]
    n_judged: int
    n_not_counted: int

    @property
    def is_base_line(self) -> bool:
        return self.iteration == EQUAL_STEPS_BASE

    @property
    def pass_at_1(self) -> dict[str, float] | None:
        return self.pass_at.get("1")

    @property
    def further(self) -> list[tuple[str, dict[str, float]]]:
        """pass@k for the k above 1, in order."""
        return [(k, self.pass_at[k]) for k in sorted(self.pass_at, key=int) if k != "1"]


@dataclass(frozen=True)
class EvaluationsPage:
    """Context of `/evaluations/`."""

    rows: tuple[EvaluationRow, ...]
    page: Page
    facets: tuple[Facet, ...]
    n_all: int
    has_several_graders: bool
    """Whether the list, on whichever page, holds scores under different rules."""


@dataclass(frozen=True)
class VerdictRow:
    """How often one verdict came up."""

    kind: str
    n: int
    share: float
    """Of all Attempts, in per mille of the meter's width."""
    is_counted: bool


@dataclass(frozen=True)
class ProblemScore:
    """What one Problem contributed."""

    slug: str
    title: str
    n_scored: int
    n_passed: int
    share: float | None


@dataclass(frozen=True)
class EvaluationPage:
    """Context of `/evaluations/<run>/<key>/`."""

    run: Run
    row: EvaluationRow
    sentence: str
    all_in: dict[str, float] | None
    chart: charts.Chart
    verdicts: tuple[VerdictRow, ...]
    problems: tuple[ProblemScore, ...]
    n_never: int
    n_always: int
    record: dict[str, Any]


def board(run: Run, adopted: dict[int, bool]) -> tuple[EvaluationRow, ...]:
    """All Evaluations of a Run: test before dev, the loop's policies in order, then the base line."""
    values = run.evaluations.order_by().values(*LIST_COLUMNS)
    rows = [_row(value, adopted) for value in values]
    return tuple(sorted(rows, key=lambda r: (r.split != "test", r.is_base_line, r.iteration)))


def evaluations_page(params: QueryDict) -> EvaluationsPage:
    """The Evaluations that the query string asks for, the newest first."""
    rows = _filtered(params).order_by("-created_at", "-pk")
    page = page_of(rows.values(*LIST_COLUMNS), params.get("page"), 50)
    names = (("split", "Split"), ("run", "Run"), ("grader", "Grader"), ("engine", "Engine"))
    facets = tuple(
        make_facet(
            params, name, title, column_counts(_filtered(without(params, name)), _column(name))
        )
        for name, title in names
    )
    return EvaluationsPage(
        rows=tuple(_row(value, {}) for value in page.object_list),
        page=page,
        facets=facets,
        n_all=page.paginator.count,
        has_several_graders=not params.get("grader") and len(facets[2].choices) > 1,
    )


def evaluation_page(evaluation: Evaluation) -> EvaluationPage:
    """Everything about one Evaluation."""
    record = evaluation.record
    adopted = dict(Iteration.objects.filter(run=evaluation.run).values_list("index", "is_adopted"))
    value = {name: getattr(evaluation, name, None) for name in LIST_COLUMNS}
    value |= {"run__key": evaluation.run.key, "run__name": evaluation.run.name}
    value |= {"record__pass_at": record.get("pass_at"), "record__verdicts": record.get("verdicts")}
    row = _row(value, adopted)
    problems = _problem_scores(record.get("per_problem", {}))
    points = [
        charts.PassAt(int(k), e["value"], e["low"], e["high"])
        for k, e in sorted(row.pass_at.items(), key=lambda pair: int(pair[0]))
    ]
    return EvaluationPage(
        run=evaluation.run,
        row=row,
        sentence=_score_sentence(row),
        all_in=(record.get("pass_at_all_in") or {}).get("1"),
        chart=charts.pass_at_k(points, row.n_problems, row.n_samples),
        verdicts=verdict_rows(record.get("verdicts") or {}),
        problems=problems,
        n_never=sum(1 for p in problems if p.n_passed == 0),
        n_always=sum(1 for p in problems if p.n_scored and p.n_passed == p.n_scored),
        record=record,
    )


def verdict_rows(counts: dict[str, int]) -> tuple[VerdictRow, ...]:
    """Counts by verdict in the order of the verdict table."""
    total = sum(counts.values()) or 1
    return tuple(
        VerdictRow(
            kind, counts[kind], round(1000 * counts[kind] / total, 1), kind not in NOT_COUNTED
        )
        for kind in VERDICTS
        if counts.get(kind)
    )


def scores_of(rows: Iterable[EvaluationRow]) -> list[charts.Score]:
    """pass@1 of each row for a chart: scores under other rules than the newest one's are left out."""
    rows = list(rows)
    grader = max(rows, key=lambda row: row.created_at).grader if rows else ""
    found = ((row, row.pass_at_1) for row in rows if row.grader == grader)
    return [
        charts.Score(row.iteration, row.split, e["value"], e["low"], e["high"])
        for row, e in found
        if e
    ]


def sampled_verdicts(run: Run) -> dict[int, dict[str, int]]:
    """Iteration to verdict to how often it came up while sampling."""
    counts: dict[int, dict[str, int]] = {}
    found = (
        Attempt.objects.filter(run=run, purpose="sampling")
        .order_by()
        .values_list("iteration", "verdict")
        .annotate(n=Count("pk"))
    )
    for iteration, verdict, n in found:
        counts.setdefault(iteration, {})[verdict] = n
    return counts


def _row(value: dict[str, Any], adopted: dict[int, bool]) -> EvaluationRow:
    iteration = value["iteration"]
    verdicts = value["record__verdicts"] or {}
    n_not_counted = sum(verdicts.get(kind, 0) for kind in NOT_COUNTED)
    label = {
        EQUAL_STEPS_BASE: "Equal-steps base line",
        IMPORTED: value["policy"],
        0: "Initial policy",
    }.get(iteration, f"Iteration {iteration}")
    notes = {
        EQUAL_STEPS_BASE: "the seeds alone, the same number of steps",
        IMPORTED: "read from a results file",
        0: "trained on the seeds",
    }
    is_adopted = adopted.get(iteration)
    note = notes.get(iteration, "")
    if not note and is_adopted is not None:
        note = "adopted by dev" if is_adopted else "not adopted"
    return EvaluationRow(
        run_key=value["run__key"],
        run_name=value["run__name"],
        key=value["key"],
        iteration=iteration,
        label=label,
        note=note,
        policy=value["policy"],
        split=value["split"],
        n_problems=value["n_problems"],
        n_samples=value["n_samples"],
        grader=value["grader"],
        engine=f"{value['engine']} {value['engine_version']}".strip(),
        created_at=value["created_at"],
        pass_at=value["record__pass_at"] or {},
        n_judged=sum(verdicts.values()) - n_not_counted,
        n_not_counted=n_not_counted,
    )


def _score_sentence(row: EvaluationRow) -> str:
    estimate = row.pass_at_1
    if not estimate:
        return f"No Attempt on {row.split} could be judged, so there is no score."
    low, high = 100 * estimate["low"], 100 * estimate["high"]
    return (
        f"One Program in a single try solves {100 * estimate['value']:.1f} % of the {row.n_problems:,} {row.split} "
        f"Problems; with 95 % confidence between {low:.1f} and {high:.1f} %."
    )


def _problem_scores(per_problem: dict[str, Any]) -> tuple[ProblemScore, ...]:
    titles = dict(Problem.objects.filter(slug__in=list(per_problem)).values_list("slug", "title"))
    rows = [
        ProblemScore(
            slug, titles.get(slug, slug), scored, passed, passed / scored if scored else None
        )
        for slug, (scored, passed) in per_problem.items()
    ]
    return tuple(sorted(rows, key=lambda r: (r.share if r.share is not None else -1, r.slug)))


def _filtered(params: QueryDict) -> Any:
    rows = Evaluation.objects.all()
    for name in ("split", "run", "grader", "engine"):
        if value := params.get(name):
            rows = rows.filter(**{_column(name): value})
    return rows


def _column(name: str) -> str:
    return "run__key" if name == "run" else name
