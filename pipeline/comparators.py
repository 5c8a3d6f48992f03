"""What a TestCase says about the way its expected value is meant: the comparators.

    equal          as it stands
    unordered      the items of the outermost list in any order, each as often as expected
    close:<eps>    floats may also differ by eps, absolutely
    any_of         the expected value is a list of acceptable values; one of them has to be met

What this deliberately does not do: compare (`equality`, `graders`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

ANY_OF = "any_of"


class ComparatorError(ValueError):
    """A comparator that is none of those above."""


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
    if text == "equal":
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
