"""The graders: rules under which a value that a Program returned counts as the expected one, by id.

    value-1    by value under the declared type (`equality`); the default, and the only one that acceptance uses
    text-1     the text that q prints, as the first data of this kind was judged; to read old data again
    kx-1       as the q evaluation harness of KX compares; to set a score beside those that KX publishes

A grader is its id: when a rule changes, there is a new one, because scores under different rules do not compare.
docs/grading.md holds the rules of each as a table. What this deliberately does not do: turn differences into Verdicts
(`grading`), which goes by the same rules for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.difference import Difference
from pipeline.equality import compare
from pipeline.errors import GradingError
from pipeline.graders.kx import compare_as_kx
from pipeline.graders.text import compare_texts
from pipeline.records import TestCase
from pipeline.typed_values import decode_typed

DEFAULT_GRADER = "value-1"


@dataclass(frozen=True)
class Grader:
    """Rules under which a returned value counts as the expected one."""

    id: str
    """Name with version, such as `value-1`; every Verdict and every score carries it."""
    compare: Callable[[TestCase, str, dict[str, Any], str], Difference | None]
    """Takes the test, the Problem's result type, the returned value in the wire form and what the Program printed up
    to then; gives None when the value is what the test expects."""


def _by_value(
    test: TestCase, returns: str, value: dict[str, Any], printed: str
) -> Difference | None:
    return compare(decode_typed(test.expected), returns, value, test.comparator)


def _by_text(
    test: TestCase, returns: str, value: dict[str, Any], printed: str
) -> Difference | None:
    return compare_texts(decode_typed(test.expected), returns, value, printed, test.comparator)


def _as_kx(test: TestCase, returns: str, value: dict[str, Any], printed: str) -> Difference | None:
    return compare_as_kx(decode_typed(test.expected), value, test.comparator)


_ALL = (Grader(DEFAULT_GRADER, _by_value), Grader("text-1", _by_text), Grader("kx-1", _as_kx))
GRADERS = {grader.id: grader for grader in _ALL}


def find_grader(name: str) -> Grader:
    """Return the grader of that id. Raises: GradingError."""
    if name not in GRADERS:
        raise GradingError(f"there is no grader '{name}'; choose one of {', '.join(GRADERS)}")
    return GRADERS[name]
