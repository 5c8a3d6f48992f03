"""Reads for the Problems pages: each function gives one page's context as a frozen dataclass."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import QueryDict

from qstudio.core.facets import Facet, column_counts, make_facet, without
from qstudio.core.paging import page_of
from qstudio.core.words import FAILED, NOT_COUNTED, iteration_words
from qstudio.problems.filters import ProblemFilter
from qstudio.problems.models import Problem, Quarantine, Solution
from qstudio.problems.shown import FailedInput, ShownTest, show_failed_input, show_tests

MAX_SOLUTIONS = 20
MAX_HEAT_ATTEMPTS = 600
MAX_ATTEMPTS = 25


@dataclass(frozen=True)
class ProblemRow:
    """One line of the list."""

    problem: Problem
    is_solved: bool
    origin: str
    """Origin of a usable Solution, the reference first; empty when unsolved."""


@dataclass(frozen=True)
class ProblemsPage:
    """Context of `/problems/`."""

    rows: tuple[ProblemRow, ...]
    page: Page
    facets: tuple[Facet, ...]
    search: str
    n_all: int
    n_solved: int
    is_filtered: bool


@dataclass(frozen=True)
class HeatCell:
    """One Attempt in the strip."""

    attempt_id: int
    verdict: str
    shade: str
    """`passed`, `failed`, `limit` or `quiet`."""


@dataclass(frozen=True)
class HeatRow:
    """The Attempts of one policy of one Run."""

    run_key: str
    run_name: str
    label: str
    cells: tuple[HeatCell, ...]
    n_passed: int
    n_judged: int
    n_not_counted: int


@dataclass(frozen=True)
class ShownQuarantine:
    """Why a Solution is, or was, not to be used, with its input made readable."""

    row: Quarantine
    failed: FailedInput | None


@dataclass(frozen=True)
class ProblemPage:
    """Context of `/problems/<slug>/`."""

    problem: Problem
    signature: str
    tests: tuple[ShownTest, ...]
    n_public: int
    n_hidden: int
    solutions: tuple[Solution, ...]
    n_solutions: int
    heat: tuple[HeatRow, ...]
    attempts: tuple[Any, ...]
    n_attempts: int
    is_solved: bool
    quarantines: dict[str, tuple[ShownQuarantine, ...]]
    """By the key of the Solution: the one that stands, if any, and those that were released."""


def problems_page(params: QueryDict) -> ProblemsPage:
    """The Problems that the query string asks for, with facets that count under the other filters."""
    rows = _filtered(params)
    page = page_of(
        rows.only("slug", "title", "problem_set", "split", "difficulty", "tags"), params.get("page")
    )
    shown = list(page.object_list)
    origins = _origins(shown)
    columns = (
        ("set", "problem_set", "Set"),
        ("split", "split", "Split"),
        ("difficulty", "difficulty", "Difficulty"),
    )
    facets = [_state_facet(params)]
    facets += [
        make_facet(params, name, title, column_counts(_filtered(without(params, name)), column))
        for name, column, title in columns
    ]
    facets.append(make_facet(params, "tag", "Tag", _tag_counts(_filtered(without(params, "tag")))))
    return ProblemsPage(
        rows=tuple(ProblemRow(p, p.pk in origins, origins.get(p.pk, "")) for p in shown),
        page=page,
        facets=tuple(facets),
        search=params.get("q", ""),
        n_all=Problem.objects.count(),
        n_solved=Problem.objects.solved().count(),
        is_filtered=bool(without(params, "page")),
    )


def problem_page(problem: Problem) -> ProblemPage:
    """Everything about one Problem."""
    tests = list(problem.tests.all())
    n_public = sum(test.visibility == "public" for test in tests)
    solutions = problem.solutions.order_by("is_quarantined", "created_at")
    attempts = problem.attempts.order_by("-pk")
    listed = list(solutions[:MAX_SOLUTIONS])
    params = ", ".join(f"{p.get('name')}: {p.get('type')}" for p in problem.params)
    return ProblemPage(
        problem=problem,
        signature=f"{problem.entry_point}({params}) -> {problem.returns}",
        tests=show_tests(problem, tests),
        n_public=n_public,
        n_hidden=len(tests) - n_public,
        solutions=tuple(listed),
        n_solutions=len(listed) if len(listed) < MAX_SOLUTIONS else solutions.count(),
        heat=_heat(attempts),
        attempts=tuple(attempts.select_related("run").defer("completion")[:MAX_ATTEMPTS]),
        n_attempts=attempts.count(),
        is_solved=any(not solution.is_quarantined for solution in listed),
        quarantines=_quarantines(problem),
    )


def _quarantines(problem: Problem) -> dict[str, tuple[ShownQuarantine, ...]]:
    found: dict[str, tuple[ShownQuarantine, ...]] = {}
    for row in problem.quarantines.all():
        test = row.evidence.get("test")
        shown = show_failed_input(problem, test) if test else None
        found[row.key] = (*found.get(row.key, ()), ShownQuarantine(row, shown))
    return found


def _filtered(params: QueryDict) -> QuerySet[Problem]:
    return ProblemFilter(params, queryset=Problem.objects.all()).qs


def _state_facet(params: QueryDict) -> Facet:
    rows = _filtered(without(params, "state"))
    usable = Solution.objects.usable().filter(problem=OuterRef("pk"))
    counted = (
        rows.order_by()
        .annotate(is_solved=Exists(usable))
        .values_list("is_solved")
        .annotate(n=Count("pk"))
    )
    by_state = {is_solved: n for is_solved, n in counted}
    counts = [("solved", by_state.get(True, 0)), ("unsolved", by_state.get(False, 0))]
    return make_facet(params, "state", "State", counts)


def _tag_counts(rows: QuerySet[Problem]) -> list[tuple[str, int]]:
    tags = Counter(tag for tags in rows.order_by().values_list("tags", flat=True) for tag in tags)
    return sorted(tags.items(), key=lambda pair: (-pair[1], pair[0]))


def _origins(problems: list[Problem]) -> dict[int, str]:
    rank = {"reference": 0, "human": 1, "bootstrap": 2}
    found = (
        Solution.objects.usable()
        .filter(problem__in=problems)
        .values_list("problem_id", "origin")
        .distinct()
    )
    best: dict[int, str] = {}
    for problem_id, origin in found:
        if problem_id not in best or rank[origin] < rank[best[problem_id]]:
            best[problem_id] = origin
    return best


def _heat(attempts: QuerySet[Any]) -> tuple[HeatRow, ...]:
    """The newest Attempts as strips, one for each Run and Iteration, the newest Run first."""
    found = attempts.values_list("pk", "run__key", "run__name", "iteration", "purpose", "verdict")
    strips: dict[tuple[str, str, int, str], list[HeatCell]] = {}
    for pk, run_key, run_name, iteration, purpose, verdict in found[:MAX_HEAT_ATTEMPTS]:
        cell = HeatCell(pk, verdict, _shade(verdict))
        strips.setdefault((run_key, run_name, iteration, purpose), []).append(cell)
    rows = []
    for (run_key, run_name, iteration, purpose), cells in strips.items():
        n_not_counted = sum(cell.verdict in NOT_COUNTED for cell in cells)
        rows.append(
            HeatRow(
                run_key=run_key,
                run_name=run_name,
                label=f"{iteration_words(iteration)}, {purpose}",
                cells=tuple(reversed(cells)),
                n_passed=sum(cell.verdict == "passed" for cell in cells),
                n_judged=len(cells) - n_not_counted,
                n_not_counted=n_not_counted,
            )
        )
    return tuple(rows)


def _shade(verdict: str) -> str:
    if verdict == "passed":
        return "passed"
    if verdict.endswith("_limit"):
        return "limit"
    return "failed" if verdict in FAILED else "quiet"
