"""From observations to a Problem: types of the signature, tests that q can hold, answers that repeat.

Everything here is pure: the sandbox has already run, and its answers come in as data. Ints next to floats become floats
before the reference is asked again, because a q function sees one type per parameter. What this deliberately does not
do: choose which rows to import.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.comparators import ANY_OF
from pipeline.importers.rows import RowRefused, SourceRow
from pipeline.importers.signature import check_rank
from pipeline.records import Param, Problem, TestCase, Visibility, content_hash
from pipeline.type_expressions import ANY, TypeExpr, infer_type, widen
from pipeline.typed_values import (
    TypedJsonError,
    UnrepresentableValue,
    decode_typed,
    encode_typed,
    to_wire,
)
from q_runtime import PythonExecution

MIN_TESTS = 2
"""Different tests that an accepted row has at least: one that may be shown and one that is hidden."""


@dataclass(frozen=True)
class TestDraft:
    """Arguments, answer and comparator of a test to be, as Python values."""

    __test__ = False  # not a pytest class

    arguments: tuple[Any, ...]
    expected: Any
    """With the comparator `any_of` a list of acceptable values."""
    comparator: str

    @property
    def values(self) -> list[Any]:
        """The values that are acceptable."""
        return list(self.expected) if self.comparator == ANY_OF else [self.expected]

    def accepts(self, answer: Any) -> bool:
        """Whether an answer of the reference is one of them."""
        return any(same_value(answer, value) for value in self.values)


@dataclass(frozen=True)
class Draft:
    """A row's tests with the types of its signature."""

    param_types: tuple[TypeExpr, ...]
    returns: TypeExpr
    returns_hint: TypeExpr | None
    tests: tuple[TestDraft, ...]


def draft_tests(row: SourceRow, observations: Any, keeps_kinds: bool = False) -> Draft:
    """Turn encoded observations into a draft.

    With `keeps_kinds`, ints next to floats stay as they are, under the type `any`: some references tell them apart.

    Raises:
        RowRefused: an assert failed, or an argument has no place in q.
    """
    tests: list[TestDraft] = []
    for number, observation in enumerate(_decode(observations), start=1):
        arguments, expected, comparator, problem = observation
        if problem:
            raise RowRefused(f"assert {number} {problem}")
        tests.append(TestDraft(tuple(arguments), expected, comparator))
    if not tests:
        raise RowRefused("no assert tests the function")
    ranks = {len(test.arguments) for test in tests}
    if len(ranks) > 1:
        counts = " and ".join(map(str, sorted(ranks)))
        raise RowRefused(
            f"the tests pass {counts} arguments, but a q function takes a fixed number"
        )
    check_rank(ranks.pop())
    types = _param_types(row, tests, keeps_kinds)
    tests = [replace(test, arguments=tuple(map(widen, test.arguments, types))) for test in tests]
    tests = _without_repeats(tests)
    for number, test in enumerate(tests, start=1):
        for value, expression in zip(test.arguments, types, strict=True):
            _check_representable(value, expression, f"an argument of test {number}")
    returns = infer_type((value for test in tests for value in test.values), row.returns_hint)
    return Draft(types, returns, row.returns_hint, tuple(tests))


def _decode(observations: Any) -> list[Any]:
    """Decode what came from the sandbox, where the row's own code could have tampered with it."""
    try:
        decoded = decode_typed(observations)
    except TypedJsonError as error:
        raise RowRefused(f"the tests gave something that is not data: {error}") from error
    well_formed = isinstance(decoded, list) and all(
        isinstance(item, list)
        and len(item) == 4
        and isinstance(item[0], tuple)
        and isinstance(item[2], str)
        and isinstance(item[3], str)
        for item in decoded
    )
    if not well_formed:
        raise RowRefused("the tests gave no list of observations")
    return decoded


def _param_types(
    row: SourceRow, tests: Sequence[TestDraft], keeps_kinds: bool
) -> tuple[TypeExpr, ...]:
    columns = list(zip(*(test.arguments for test in tests), strict=True))
    hints: Sequence[TypeExpr | None] = row.param_hints
    if len(hints) != len(columns):
        hints = [None] * len(columns)
    types = tuple(map(infer_type, columns, hints))
    if not keeps_kinds:
        return types
    return tuple(
        ANY if any(repr(widen(value, kind)) != repr(value) for value in column) else kind
        for column, kind in zip(columns, types, strict=True)
    )


def _without_repeats(tests: Sequence[TestDraft]) -> list[TestDraft]:
    """Keep the first of tests with equal arguments."""
    kept: dict[str, TestDraft] = {}
    for test in tests:
        kept.setdefault(content_hash([encode_typed(item) for item in test.arguments]), test)
    return list(kept.values())


def _check_representable(value: Any, expression: TypeExpr, what: str) -> None:
    try:
        to_wire(value, expression)
    except UnrepresentableValue as error:
        raise RowRefused(f"{what} cannot be a q value: {error}") from error


def settle_results(draft: Draft, calls: Sequence[PythonExecution] | None) -> Draft:
    """Take the expected values from the reference's repeated answers; None calls means that there is no reference.

    Raises:
        RowRefused: an answer failed, changed, or cannot be a q value, or too few tests are left.
    """
    tests = list(draft.tests)
    if calls is not None:
        if len(calls) != 2 * len(tests):
            raise RowRefused("the reference could not be run on its tests a second time")
        answers = [_answer(call, number) for number, call in enumerate(calls)]
        for number, test in enumerate(tests):
            first, second = answers[number], answers[number + len(tests)]
            if not test.accepts(first) or not same_value(first, second):
                raise RowRefused(
                    f"test {number + 1} gets different answers from the reference when it is repeated"
                )
            if test.comparator != ANY_OF:
                tests[number] = replace(test, expected=first)
    draft = with_returns(replace(draft, tests=tuple(tests)))
    for number, test in enumerate(draft.tests, start=1):
        for value in test.values:
            _check_representable(value, draft.returns, f"the answer of test {number}")
    if len(tests) < MIN_TESTS:
        raise RowRefused(f"there is {len(tests)} different test; at least {MIN_TESTS} are needed")
    return draft


def with_returns(draft: Draft, more_answers: Sequence[Any] = ()) -> Draft:
    """The draft with the result type that covers its tests and further answers of the reference."""
    answers = [*(value for test in draft.tests for value in test.values), *more_answers]
    returns = infer_type(answers, draft.returns_hint)
    tests = tuple(_widened(test, returns) for test in draft.tests)
    return replace(draft, returns=returns, tests=tests)


def _widened(test: TestDraft, returns: TypeExpr) -> TestDraft:
    values = [widen(value, returns) for value in test.values]
    return replace(test, expected=values if test.comparator == ANY_OF else values[0])


def _answer(call: PythonExecution, number: int) -> Any:
    if call.status != "ok":
        cause = call.error or call.status
        raise RowRefused(f"the reference fails when test {number + 1} is repeated: {cause}")
    try:
        return decode_typed(call.value)
    except TypedJsonError as error:
        raise RowRefused(f"the reference's answer is not data: {error}") from error


def same_value(left: Any, right: Any) -> bool:
    """Equality of Python that also holds for nan, and for floats that differ by rounding alone."""
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, float) or isinstance(right, float):
        if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
            return False
        if math.isnan(left) or math.isnan(right):
            return math.isnan(left) and math.isnan(right)
        return left == right or math.isclose(left, right, rel_tol=1e-12)
    if isinstance(left, (list, tuple)) and type(left) is type(right):
        return len(left) == len(right) and all(map(same_value, left, right))
    return bool(left == right)


def build_problem(row: SourceRow, draft: Draft, generator: str) -> Problem:
    """The Problem of an accepted row."""
    names = row.param_names
    if len(names) != len(draft.param_types):
        names = tuple(f"x{number}" for number in range(1, len(draft.param_types) + 1))
    n_public = min(max(1, math.ceil(row.public_share * len(draft.tests))), len(draft.tests) - 1)
    return Problem(
        slug=row.slug,
        title=row.title,
        statement=row.statement,
        entry_point=row.entry_point,
        params=tuple(
            Param(name=name, type=str(kind))
            for name, kind in zip(names, draft.param_types, strict=True)
        ),
        returns=str(draft.returns),
        reference=row.reference,
        generator=generator,
        tests=tuple(
            _build_test(test, index, "public" if index < n_public else "hidden")
            for index, test in enumerate(draft.tests)
        ),
        problem_set=row.problem_set,
        split=row.split,
        group=row.slug,
        difficulty=row.difficulty,
        tags=row.tags,
        source=row.source,
        licence=row.licence,
        is_evaluation_only=row.is_evaluation_only,
    )


def _build_test(test: TestDraft, index: int, visibility: Visibility) -> TestCase:
    return TestCase(
        index=index,
        visibility=visibility,
        arguments=tuple(map(encode_typed, test.arguments)),
        expected=encode_typed(test.expected),
        comparator=test.comparator,
        origin="assert",
    )
