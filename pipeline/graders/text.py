"""The grader `text-1`: what q prints, compared as text, as the first data for q was judged.

There a Program and two more lines went into one script: the result of the function, and `show` of it. Passed was what
printed the expected text, blanks at both ends aside; to print nothing counted as to print two quotes, either way round.
Here the printed text is what the Program printed by itself, then what `show` makes of its value on a console of 25
lines by 80 columns; the expected text is that of the expected value as a q value (`typed_values`). So this grader has
the faults of such a comparison: long values are compared by their beginning, floats by seven digits, and a value of
another type that looks the same passes. Of the comparators only `any_of` means something to it; text knows no order
and no tolerance.

What this deliberately does not do: trust a Program that prints the answer and ends q, which the first data did: without
a value there is nothing to judge.
"""

from __future__ import annotations

from typing import Any

from pipeline.comparators import read_comparator
from pipeline.difference import Difference
from pipeline.errors import GradingError
from pipeline.typed_values import UnrepresentableValue, to_wire
from pipeline.wire_values import Wire, show
from q_runtime import show_wire


def compare_texts(
    expected: Any, returns: str, actual: Wire, printed: str = "", comparator: str = "equal"
) -> Difference | None:
    """Compare what a Program printed and its value shows with what the expected value shows; None when equal.

    Raises:
        ComparatorError: the comparator is unknown.
        GradingError: the expected value has no q value, which an imported Problem never holds.
    """
    values = list(expected) if read_comparator(comparator).has_alternatives else [expected]
    wanted = [_shown(value, returns) for value in values]
    found = printed + show_wire(actual)
    if any(same_text(found, text) for text in wanted):
        return None
    texts = " or ".join(show(text.strip()) for text in wanted)
    return Difference("wrong_text", f"printed {show(found.strip())}, expected {texts}")


def same_text(actual: str, expected: str) -> bool:
    """Whether two printed texts are one, by the rule of the first data."""
    left, right = actual.strip(), expected.strip()
    return left == right or {left, right} == {"", '""'}


def _shown(value: Any, returns: str) -> str:
    try:
        return show_wire(to_wire(value, returns))
    except UnrepresentableValue as error:
        raise GradingError(f"an expected value cannot be shown in q: {error}") from error
