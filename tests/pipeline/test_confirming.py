"""What asserts state is held against what the reference answered, as data."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.importers.confirming import confirm
from pipeline.importers.rows import RowRefused
from q_runtime import encode_typed


def rows(*observations: tuple[tuple[Any, ...], Any, str]) -> Any:
    return encode_typed([[arguments, value, how, ""] for arguments, value, how in observations])


@pytest.mark.parametrize(
    ("answer", "wanted", "comparator"),
    [
        (3, 3, "equal"),
        (3, 3.0, "equal"),
        ((1, 2), [1, 2], "equal"),
        ({"a": 1}, {"a": 1}, "equal"),
        (None, None, "equal"),
        ("text", True, "equal"),  # a bare call holds when its answer is true
        ([], False, "equal"),
        ([2, 1], [1, 2], "unordered"),
        ({1, 2}, [2, 1], "unordered"),
        (1.01, 1.0, "close:0.1"),
    ],
)
def test_an_answer_meets_what_is_demanded(answer: Any, wanted: Any, comparator: str) -> None:
    confirm(rows(((1,), answer, "equal")), rows(((1,), wanted, comparator)), is_complete=True)


@pytest.mark.parametrize(
    ("answer", "wanted", "comparator"),
    [
        (42, 3, "equal"),
        ("3", 3, "equal"),
        (0, True, "equal"),
        ([1, 2], [2, 1], "equal"),
        ([1], [1, 2], "unordered"),
        (1.2, 1.0, "close:0.1"),
        ("x", 1.0, "close:0.1"),
        (7, [7], "unordered"),
    ],
)
def test_another_answer_refuses_the_row(answer: Any, wanted: Any, comparator: str) -> None:
    with pytest.raises(RowRefused, match="an assert demands"):
        confirm(rows(((1,), answer, "equal")), rows(((1,), wanted, comparator)), is_complete=True)


def test_default_values_may_follow_the_stated_arguments() -> None:
    recorded = rows((([1], 5), 6, "equal"), (([1], 7), 8, "equal"))

    confirm(recorded, rows((([1],), 6, "equal"), (([1], 7), 8, "equal")), is_complete=True)
    with pytest.raises(RowRefused):
        confirm(recorded, rows((([1], 7), 6, "equal")), is_complete=True)


def test_a_call_that_was_not_recorded_refuses_the_row_unless_not_all_were() -> None:
    recorded, stated = rows(((1,), 1, "equal")), rows(((2,), 2, "equal"))

    confirm(recorded, stated, is_complete=False)
    with pytest.raises(RowRefused, match="was not recorded"):
        confirm(recorded, stated, is_complete=True)


def test_what_could_not_be_stated_alone_demands_nothing() -> None:
    recorded = rows(((1,), 1, "equal"))

    confirm(recorded, encode_typed([[(), None, "equal", "raises NameError"]]), is_complete=True)
    confirm(recorded, None, is_complete=True)
    confirm(recorded, {"$nonsense": 1}, is_complete=True)
