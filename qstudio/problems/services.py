"""Storing Problems and Solutions: records in, rows out, and back.

Everything is idempotent by content: storing what is there already changes nothing and says so. Reading files and
inventing TestCases is work of `pipeline`, not done here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal, TypeVar

from django.db import transaction

from pipeline import records
from pipeline.errors import RecordError
from qstudio.problems.models import Problem, Solution, TestCase
from qstudio.problems.quarantine import quarantined_keys

Outcome = Literal["created", "updated", "unchanged"]
T = TypeVar("T")

BATCH = 200
"""Problems per transaction: the database is never held for long."""

_COLUMNS = (
    "title",
    "statement",
    "entry_point",
    "returns",
    "reference",
    "generator",
    "problem_set",
    "split",
    "group",
    "difficulty",
    "source",
    "licence",
    "is_evaluation_only",
)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` items, in order."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def store_problem(record: records.Problem) -> Outcome:
    """Store one Problem with its TestCases. Raises: RecordError."""
    return store_problems([record])[record.slug]


def store_problems(problems: Iterable[records.Problem]) -> dict[str, Outcome]:
    """Store Problems, in transactions of `BATCH`; what happened to each, by slug. Raises: RecordError."""
    outcomes: dict[str, Outcome] = {}
    for chunk in chunks(problems, BATCH):
        with transaction.atomic():
            outcomes.update(_store_chunk(chunk))
    return outcomes


def _store_chunk(chunk: list[records.Problem]) -> dict[str, Outcome]:
    existing = {row.slug: row for row in Problem.objects.filter(slug__in=[p.slug for p in chunk])}
    outcomes: dict[str, Outcome] = {}
    changed: list[tuple[Problem, records.Problem]] = []
    for record in chunk:
        row = existing.get(record.slug)
        if row is not None and row.digest == record.digest:
            outcomes[record.slug] = "unchanged"
            continue
        outcomes[record.slug] = "created" if row is None else "updated"
        row = _fill(row or Problem(slug=record.slug), record)
        row.save()
        existing[record.slug] = row
        changed.append((row, record))
    TestCase.objects.filter(problem__in=[row for row, _ in changed]).delete()
    TestCase.objects.bulk_create(
        [_test_row(row, test) for row, record in changed for test in record.tests], batch_size=500
    )
    return outcomes


def _fill(row: Problem, record: records.Problem) -> Problem:
    if len(record.slug) > 120 or len(record.title) > 200:
        raise RecordError(
            f"{record.slug[:60]!r}: the slug may have 120 characters and the title 200; shorten them"
        )
    for name in _COLUMNS:
        setattr(row, name, getattr(record, name))
    row.params = [param.model_dump() for param in record.params]
    row.tags = list(record.tags)
    row.digest = record.digest
    return row


def _test_row(problem: Problem, test: records.TestCase) -> TestCase:
    return TestCase(
        problem=problem,
        index=test.index,
        visibility=test.visibility,
        arguments=list(test.arguments),
        expected=test.expected,
        comparator=test.comparator,
        origin=test.origin,
    )


def problem_record(row: Problem, tests: Sequence[TestCase] | None = None) -> records.Problem:
    """The record of a row; `tests` saves a query where they are at hand."""
    return records.Problem(
        slug=row.slug,
        params=tuple(records.Param(**param) for param in row.params),
        tags=tuple(row.tags),
        tests=tuple(_test_record(test) for test in (row.tests.all() if tests is None else tests)),
        **{name: getattr(row, name) for name in _COLUMNS},
    )


def _test_record(row: TestCase) -> records.TestCase:
    return records.TestCase(
        index=row.index,
        visibility=row.visibility,
        arguments=tuple(row.arguments),
        expected=row.expected,
        comparator=row.comparator,
        origin=row.origin,
    )


def store_solutions(solutions: Iterable[records.Solution], run_key: str = "") -> Counter[str]:
    """Store Solutions of Problems that are rows; the rest is counted as `no_problem`.

    `run_key` is empty for reference and human Solutions, the Run's key for what a Run found or brought along.
    """
    counts: Counter[str] = Counter()
    for chunk in chunks(solutions, 500):
        ids = dict(
            Problem.objects.filter(slug__in={s.problem for s in chunk}).values_list("slug", "pk")
        )
        known = [solution for solution in chunk if solution.problem in ids]
        counts["no_problem"] += len(chunk) - len(known)
        keys = {solution.key for solution in known}
        present = set(
            Solution.objects.filter(run_key=run_key, key__in=keys).values_list("key", flat=True)
        )
        Solution.objects.bulk_create(
            [
                Solution(
                    problem_id=ids[solution.problem],
                    key=solution.key,
                    program=solution.program,
                    origin=solution.origin,
                    provenance=solution.provenance,
                    run_key=run_key,
                )
                for solution in known
                if solution.key not in present
            ],
            ignore_conflicts=True,
        )
        # Asked afterwards: an audit that places one meanwhile finds the row itself.
        if quarantined := quarantined_keys(keys):
            Solution.objects.filter(key__in=quarantined).update(is_quarantined=True)
        counts["created"] += len(keys - present)
        counts["unchanged"] += len(keys & present)
    return counts


def solution_record(row: Solution) -> records.Solution:
    """The record of a row; reads `row.problem`."""
    return records.Solution(
        problem=row.problem.slug,
        program=row.program,
        origin=row.origin,
        provenance=row.provenance,
    )
