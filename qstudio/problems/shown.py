"""Typed values of TestCases as a person reads them: as Python, and as the q literal that a Program receives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.comparators import ANY_OF
from pipeline.typed_values import UnrepresentableValue, decode_typed, to_wire
from q_runtime import TypedJsonError, format_wire
from qstudio.problems.models import Problem, TestCase

MAX_CHARACTERS = 600


@dataclass(frozen=True)
class ShownValue:
    """One value in both languages; what cannot be shown says why."""

    python: str
    q: str


@dataclass(frozen=True)
class ShownTest:
    """One TestCase with its values in words."""

    index: int
    visibility: str
    origin: str
    comparator: str
    arguments: tuple[tuple[str, ShownValue], ...]
    """Name of the parameter and its value."""
    expected: ShownValue


@dataclass(frozen=True)
class FailedInput:
    """An input on which a Program failed."""

    arguments: tuple[tuple[str, ShownValue], ...]
    """Name of the parameter and its value."""
    expected: ShownValue
    actual: str
    """What the Program gave, as q writes it; empty where it gave nothing."""
    difference: str


def show_failed_input(problem: Problem, test: Mapping[str, Any]) -> FailedInput:
    """The `test` of a Quarantine's evidence, readable."""
    return FailedInput(
        arguments=_show_arguments(problem, test["arguments"]),
        expected=_show_expected(test["expected"], str(test.get("comparator", "")), problem.returns),
        actual=_cut(str(test.get("actual", ""))),
        difference=str(test.get("difference", "")),
    )


def show_tests(problem: Problem, tests: Sequence[TestCase]) -> tuple[ShownTest, ...]:
    """TestCases of one Problem, readable."""
    return tuple(
        ShownTest(
            index=test.index,
            visibility=test.visibility,
            origin=test.origin,
            comparator=test.comparator,
            arguments=_show_arguments(problem, test.arguments),
            expected=_show_expected(test.expected, test.comparator, problem.returns),
        )
        for test in tests
    )


def _show_expected(expected: Any, comparator: str, type_text: str) -> ShownValue:
    """The expected value; of several acceptable ones each."""
    if comparator != ANY_OF:
        return show_value(expected, type_text)
    shown = [show_value(value, type_text) for value in expected or []]
    return ShownValue(
        _cut(" or ".join(value.python for value in shown)),
        _cut(" or ".join(value.q for value in shown)),
    )


def _show_arguments(
    problem: Problem, arguments: Sequence[Any]
) -> tuple[tuple[str, ShownValue], ...]:
    return tuple(
        (str(param.get("name", "")), show_value(value, str(param.get("type", "any"))))
        for param, value in zip(problem.params, arguments, strict=False)
    )


def show_value(encoded: Any, type_text: str) -> ShownValue:
    """A value in the typed JSON encoding, under its type expression."""
    try:
        value = decode_typed(encoded)
    except TypedJsonError as error:
        return ShownValue(f"not readable: {error}", "")
    try:
        q_text = format_wire(to_wire(value, type_text))
    except (UnrepresentableValue, ValueError) as error:
        q_text = f"no q value: {error}"
    return ShownValue(_cut(repr(value)), _cut(q_text))


def _cut(text: str) -> str:
    return (
        text
        if len(text) <= MAX_CHARACTERS
        else f"{text[:MAX_CHARACTERS]} … ({len(text):,} characters)"
    )
