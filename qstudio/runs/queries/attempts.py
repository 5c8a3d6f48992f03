"""Attempts: the filtered list with facets and signature groups, and the page of one Attempt with its evidence."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import Count, Min, QuerySet
from django.http import QueryDict

from qstudio.core.facets import Facet, column_counts, make_facet, query_with, without
from qstudio.core.paging import page_of
from qstudio.core.words import DIFFERENCES, FAILED, NOT_COUNTED, VERDICTS, iteration_words
from qstudio.problems.shown import ShownTest, show_tests
from qstudio.runs.filters import OUTCOMES, AttemptFilter
from qstudio.runs.models import Attempt, Verdict

MAX_REASONS = 3000
"""Distinct reasons that are read to be grouped; the most frequent come first."""
MAX_GROUPS = 12
MAX_SQL_VALUES = 500
OUTCOME_WORDS = {"failed": "failed", "passed": "passed", "not_counted": "not counted"}

_QUOTED = re.compile(r"(?:`[\w.:]*)+|\"[^\"]*\"")
_NAME = re.compile(r"^'\S{1,80}?'?:(?=\s)")
"""How a reason begins that is about one name or character: it is left out, what was wrong with it stays."""
Q_ERRORS = frozenset(
    "assign cast domain length limit mismatch noamend no_function nyi part rank splice stack type value wsfull".split()
)
"""Errors that say what was wrong; any other name is a name in the Program, which says nothing about its kind."""
_NUMBER = re.compile(r"-?\b\d+(?:\.\d+)?(?:e-?\d+)?[a-z]?\b")


@dataclass(frozen=True)
class SignatureGroup:
    """Attempts that failed alike."""

    key: str
    verdict: str
    error: str
    pattern: str
    """The reason with values taken out."""
    n: int
    n_problems: int
    """At least so many Problems; exact where the group has one reason."""
    example_id: int
    is_chosen: bool
    query: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class AttemptsPage:
    """Context of `/attempts/`."""

    page: Page
    facets: tuple[Facet, ...]
    groups: tuple[SignatureGroup, ...]
    n_more_groups: int
    n_judged: int
    n_not_counted: int
    n_filters: int
    query: str
    """The filters, to be carried to the page of an Attempt."""
    is_empty_database: bool


@dataclass(frozen=True)
class TestRow:
    """One TestCase of an Attempt: what went in, what should and what did come out."""

    index: int
    test: ShownTest | None
    """None for fresh inputs, which belong to the Run and not to the Problem."""
    outcome: str
    actual: str
    difference_kind: str
    """In a word or two."""
    difference: str
    error: str
    place: ErrorPlace | None
    """Where in the Program the error was signalled, if that is known."""
    stdout: str
    duration_s: float


_EXCERPT = 60
"""Most characters of a line that are shown around the place of an error."""


@dataclass(frozen=True)
class ErrorPlace:
    """A place in a Program: its line, counted from 1, that line's text, and how far in it the place is."""

    line: int
    text: str
    caret: str
    """As many blanks as characters stand before the place."""


@dataclass(frozen=True)
class AttemptPage:
    """Context of `/attempts/<id>/`."""

    attempt: Attempt
    verdict: Verdict | None
    n_verdicts: int
    is_counted: bool
    where: str
    rows: tuple[TestRow, ...]
    n_hidden: int
    previous_id: int | None
    next_id: int | None
    query: str


def attempts_page(params: QueryDict) -> AttemptsPage:
    """The Attempts that the query string asks for."""
    rows = _filtered(params)
    groups = _groups(params)
    if chosen := next((group for group in groups if group.is_chosen), None):
        rows = _of_group(rows, chosen)
    elif params.get("sig"):
        rows = rows.none()
    page = page_of(
        rows.select_related("problem", "run")
        .defer("completion", "problem__statement")
        .order_by("pk"),
        params.get("page"),
    )
    judged = _filtered(without(params, "outcome", "verdict", "error", "sig"))
    counts = dict(judged.order_by().values_list("verdict").annotate(n=Count("pk")))
    n_not_counted = sum(counts.get(kind, 0) for kind in NOT_COUNTED)
    shown = [group for n, group in enumerate(groups) if n < MAX_GROUPS or group.is_chosen]
    return AttemptsPage(
        page=page,
        facets=_facets(params, counts),
        groups=tuple(shown),
        n_more_groups=len(groups) - len(shown),
        n_judged=sum(counts.values()) - n_not_counted,
        n_not_counted=n_not_counted,
        n_filters=len(without(params, "page")),
        query=query_with(params),
        is_empty_database=not counts and not Attempt.objects.exists(),
    )


def attempt_page(attempt: Attempt, params: QueryDict) -> AttemptPage:
    """One Attempt with its evidence; neighbours are those in the list that the query string describes."""
    verdicts = list(attempt.verdicts.order_by("-pk"))
    verdict = verdicts[0] if verdicts else None
    tests = {
        test.index: test for test in show_tests(attempt.problem, list(attempt.problem.tests.all()))
    }
    executions = verdict.executions if verdict else []
    rows = tuple(_test_row(each, tests, attempt.program or "") for each in executions)
    listed = _filtered(params)
    if not params:
        listed = listed.filter(run=attempt.run, problem=attempt.problem)
    elif params.get("sig"):
        group = next((g for g in _groups(params) if g.is_chosen), None)
        listed = _of_group(listed, group) if group else listed
    before = listed.filter(pk__lt=attempt.pk).order_by("-pk").values_list("pk", flat=True).first()
    after = listed.filter(pk__gt=attempt.pk).order_by("pk").values_list("pk", flat=True).first()
    return AttemptPage(
        attempt=attempt,
        verdict=verdict,
        n_verdicts=len(verdicts),
        is_counted=attempt.verdict not in NOT_COUNTED,
        where=f"{iteration_words(attempt.iteration)}, {attempt.purpose} on {attempt.split}",
        rows=rows,
        n_hidden=sum(row.test is not None and row.test.visibility == "hidden" for row in rows),
        previous_id=before,
        next_id=after,
        query=f"?{params.urlencode()}" if params else "",
    )


def normalise(reason: str) -> str:
    """A reason with its values taken out, so that the same mistake on other data reads the same."""
    text = _QUOTED.sub("…", _NAME.sub("…:", reason))
    return re.sub(r"(…|N)(?:[\s,;]+(?:…|N))+", r"\1", _NUMBER.sub("N", text)).strip()[:160]


def signature(verdict: str, error: str, reason: str) -> str:
    """Short name of a kind of failure, for addresses."""
    text = "\x1f".join((verdict, _known(error), normalise(reason)))
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _groups(params: QueryDict) -> list[SignatureGroup]:
    """Failed and uncounted Attempts by signature, the most frequent first."""
    rows = _filtered(without(params, "sig")).filter(verdict__in=[*FAILED, *NOT_COUNTED])
    found = (
        rows.order_by()
        .values_list("verdict", "error", "reason")
        .annotate(n=Count("pk"), n_problems=Count("problem", distinct=True), example=Min("pk"))
        .order_by("-n", "verdict", "error", "reason")
    )
    merged: dict[str, dict[str, Any]] = {}
    for verdict, error, reason, n, n_problems, example in found[:MAX_REASONS]:
        key = signature(verdict, error, reason)
        group = merged.setdefault(
            key,
            {
                "verdict": verdict,
                "error": _known(error),
                "pattern": normalise(reason),
                "n": 0,
                "n_problems": 0,
                "example_id": example,
                "reasons": [],
            },
        )
        group["n"] += n
        group["n_problems"] = max(group["n_problems"], n_problems)
        group["reasons"].append(reason)
    chosen = params.get("sig")
    groups = [
        SignatureGroup(
            **{**group, "reasons": tuple(group["reasons"])},
            key=key,
            is_chosen=key == chosen,
            query=query_with(params, sig=None if key == chosen else key),
        )
        for key, group in merged.items()
    ]
    return sorted(groups, key=lambda group: -group.n)


def _of_group(rows: QuerySet[Attempt], group: SignatureGroup) -> QuerySet[Attempt]:
    """The Attempts of a group; of one with very many different reasons, the most frequent ones."""
    reasons = group.reasons[:MAX_SQL_VALUES]
    named = {"error": group.error} if group.error else {}
    return rows.filter(verdict=group.verdict, reason__in=reasons, **named)


def _known(error: str) -> str:
    return error if error in Q_ERRORS else ""


def _facets(params: QueryDict, counts: dict[str, int]) -> tuple[Facet, ...]:
    by_outcome = [
        (name, sum(counts.get(kind, 0) for kind in kinds)) for name, kinds in OUTCOMES.items()
    ]

    def of(name: str, title: str, column: str, label: Any = str) -> Facet:
        others = _filtered(without(params, name, "sig"))
        return make_facet(params, name, title, column_counts(others, column), label)

    return (
        make_facet(params, "outcome", "Outcome", by_outcome, lambda v: OUTCOME_WORDS.get(v, v)),
        of("verdict", "Verdict", "verdict", lambda v: VERDICTS[v].text if v in VERDICTS else v),
        of("error", "q error", "error"),
        of(
            "iteration",
            "Iteration",
            "iteration",
            lambda v: iteration_words(int(v)) if v.lstrip("-").isdigit() else v,
        ),
        of("purpose", "Purpose", "purpose"),
        of("split", "Split", "split"),
        of("run", "Run", "run__key"),
        *((of("problem", "Problem", "problem__slug"),) if params.get("problem") else ()),
    )


def _filtered(params: QueryDict) -> QuerySet[Attempt]:
    return AttemptFilter(params, queryset=Attempt.objects.all()).qs


def _test_row(execution: dict[str, Any], tests: dict[int, ShownTest], program: str) -> TestRow:
    index = execution.get("test_index", 0)
    kind = execution.get("difference_kind", "")
    return TestRow(
        index=index,
        test=tests.get(index),
        outcome=execution.get("outcome", ""),
        actual=execution.get("actual", ""),
        difference_kind=DIFFERENCES.get(kind, kind),
        difference=execution.get("difference", ""),
        error=execution.get("error", ""),
        place=_error_place(program, execution.get("error_at")),
        stdout=execution.get("stdout", "")[:4000],
        duration_s=execution.get("duration_s", 0.0),
    )


def _error_place(program: str, at: int | None) -> ErrorPlace | None:
    """Find the line of an offset in a Program, a long one cut around it; None when there is no such place."""
    if at is None or at >= len(program):
        return None
    first = program.rfind("\n", 0, at) + 1
    text = program[first:].partition("\n")[0]
    begin = max(0, min(at - first - _EXCERPT // 2, len(text) - _EXCERPT))
    before, after = "…" if begin else "", "…" if len(text) > begin + _EXCERPT else ""
    excerpt = before + text[begin : begin + _EXCERPT] + after
    blanks = " " * (len(before) + at - first - begin)
    return ErrorPlace(program.count("\n", 0, at) + 1, excerpt, blanks)
