"""The graders: rules under which a value that a Program returned counts as the expected one, by id.

    value-1    by value under the declared type (`equality`); the default, and the only one that acceptance uses
    text-1     the text that q prints, as the first data of this kind was judged; to read old data again
    kx-1       as the q evaluation harness of KX compares; to set a score beside those that KX publishes

A grader is its id: when a rule changes, there is a new one, because scores under different rules do not compare.
docs/grading.md holds the rules of each as a table. What this deliberately does not do: turn differences into Verdicts
(`grading`), which goes by the same rules for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.difference import Difference
from pipeline.equality import compare
from pipeline.errors import GradingError
from pipeline.graders.kx import compare_as_kx
from pipeline.graders.text import compare_texts
from pipeline.records import TestCase
from pipeline.typed_values import decode_typed

DEFAULT_GRADER = "value-1"


class Grader(Protocol):
    """Rules under which a returned value counts as the expected one."""

    @property
    def id(self) -> str:
        """Name with version, such as `value-1`; every Verdict and every score carries it."""
        ...

    def compare(
        self, test: TestCase, returns: str, value: dict[str, Any], printed: str
    ) -> Difference | None:
        """Compare a returned value with what the test expects; None when they are equal.

        returns: the Problem's result type. value: in the wire form. printed: what the Program printed up to then.
        """
        ...


@dataclass(frozen=True)
class _ByValue:
    id: str = "value-1"

    def compare(
        self, test: TestCase, returns: str, value: dict[str, Any], printed: str
    ) -> Difference | None:
        return compare(decode_typed(test.expected), returns, value, test.comparator)


@dataclass(frozen=True)
class _ByText:
    id: str = "text-1"

    def compare(
        self, test: TestCase, returns: str, value: dict[str, Any], printed: str
    ) -> Difference | None:
        return compare_texts(decode_typed(test.expected), returns, value, printed, test.comparator)


@dataclass(frozen=True)
class _AsKx:
    id: str = "kx-1"

    def compare(
        self, test: TestCase, returns: str, value: dict[str, Any], printed: str
    ) -> Difference | None:
        return compare_as_kx(decode_typed(test.expected), value, test.comparator)


_ALL: tuple[Grader, ...] = (_ByValue(), _ByText(), _AsKx())
GRADERS: dict[str, Grader] = {grader.id: grader for grader in _ALL}


def find_grader(name: str) -> Grader:
    """Return the grader of that id. Raises: GradingError."""
    if name not in GRADERS:
        raise GradingError(f"there is no grader '{name}'; choose one of {', '.join(GRADERS)}")
    return GRADERS[name]
