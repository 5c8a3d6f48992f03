"""What a TestCase says about the way its expected value is meant: the comparators.

    equal          as it stands
    unordered      the items of the outermost list in any order, each as often as expected
    close:<eps>    floats may also differ by eps, absolutely
    any_of         the expected value is a list of acceptable values; one of them has to be met

An answer to an input that is not among the tests is compared as the tests are, if they all say the same
(`comparator_for_new_inputs`). What this deliberately does not do: compare (`equality`, `graders`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

EQUAL = "equal"
ANY_OF = "any_of"


class ComparatorError(ValueError):
    """A comparator that is none of those above."""


class NoComparator(ValueError):
    """Nothing says how an answer to a new input is compared; the message is a clause that tells why."""


@dataclass(frozen=True)
class Comparator:
    """A comparator, read."""

    is_unordered: bool = False
    has_alternatives: bool = False
    """Whether the expected value is a list of acceptable ones."""
    is_close: bool = False
    eps: float = 0.0
    """Absolute tolerance of floats, where it is close."""


def read_comparator(text: str) -> Comparator:
    """Read a comparator. Raises: ComparatorError."""
    if text == EQUAL:
        return Comparator()
    if text == "unordered":
        return Comparator(is_unordered=True)
    if text == ANY_OF:
        return Comparator(has_alternatives=True)
    try:
        eps = float(text.removeprefix("close:")) if text.startswith("close:") else math.nan
    except ValueError:
        eps = math.nan
    if not 0 <= eps < math.inf:
        raise ComparatorError(
            f"'{text}' is not a comparator: use equal, unordered, any_of or close:<eps>"
        )
    return Comparator(is_close=True, eps=eps)


def comparator_for_new_inputs(comparators: Iterable[str]) -> str:
    """The comparator for inputs beyond the tests, given those of all tests: the one that they share; `equal` for none.

    Raises: NoComparator where the tests differ, or name several acceptable values: of a new input one alone is known.
    """
    found = list(comparators) or [EQUAL]
    if ANY_OF in found:
        raise NoComparator("the tests name several acceptable values")
    if len(set(map(read_comparator, found))) > 1:
        names = ", ".join(sorted(set(found)))
        raise NoComparator(f"the tests are compared in different ways ({names})")
    return found[0]
