"""The equality of grader `value-1`: the documented table, and what a table cannot show."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.comparators import ComparatorError
from pipeline.equality import compare
from pipeline.typed_values import infer_type, to_wire
from q_runtime import Session
from tests.pipeline.grading_tables import comparator_rows, equality_rows


@pytest.fixture(scope="module")
def session() -> Session:
    """One embedded session: the table's q values keep no state."""
    return Session()


@pytest.mark.parametrize(
    ("type_text", "expected", "q_text", "outcome"), equality_rows("The grader `value-1`")
)
def test_documented_equality(
    session: Session, type_text: str, expected: Any, q_text: str, outcome: str
) -> None:
    difference = compare(expected, type_text, session.evaluate_wire(q_text))

    assert outcome == (difference.kind if difference else "equal")


@pytest.mark.parametrize(
    ("comparator", "type_text", "expected", "q_text", "outcome"), comparator_rows()
)
def test_documented_comparators(
    session: Session, comparator: str, type_text: str, expected: Any, q_text: str, outcome: str
) -> None:
    difference = compare(expected, type_text, session.evaluate_wire(q_text), comparator)

    assert outcome == (difference.kind if difference else "equal")


def test_the_documented_tables_are_read_whole() -> None:
    assert len(equality_rows("The grader `value-1`")) > 60
    assert len(comparator_rows()) > 12


def long_list(*values: int) -> dict[str, Any]:
    return {"t": 7, "v": list(values)}


@pytest.mark.parametrize(
    ("expected", "type_text", "actual", "phrase"),
    [
        (
            [1.0, 2.0],
            "list[float]",
            long_list(1, 2),
            "right value, wrong type: long list, expected float list",
        ),
        ([1.0, 2.0], "list[float]", long_list(1, 3), "long list, expected float list"),
        (True, "bool", {"t": -7, "v": 1}, "right value, wrong type: long, expected boolean"),
        ("ab", "str", {"t": -11, "v": "ab"}, "right value, wrong type: symbol, expected string"),
        ([7], "list[int]", {"t": -7, "v": 7}, "atom, expected one-item list"),
        (7, "int", long_list(7), "one-item list, expected an atom"),
        ([1, 2], "list[int]", long_list(3), "1 item, expected 2 items"),
        ([1, 2], "list[int]", long_list(1), "missing item 1: 1 item, expected 2 items"),
        (
            [0, 1, 2, 3, 4],
            "list[int]",
            long_list(0, 1, 2, 4),
            "missing item 3: 4 items, expected 5 items",
        ),
        ([1, 2, 3], "list[int]", long_list(3), "missing items 0 to 1: 1 item, expected 3 items"),
        ([1, 2], "list[int]", long_list(1, 9, 2), "item 1 is too many: 3 items, expected 2 items"),
        (
            [[1], [2, 3]],
            "list[list[int]]",
            {"t": 0, "v": [long_list(1), long_list(2)]},
            "at [1]: missing item 1: 1 item, expected 2 items",
        ),
        ([1, 2, 3], "list[int]", long_list(1, 3, 2), "the right items in another order, from 1"),
        ([1, 2], "list[int]", long_list(1, 5), "at [1]: 5, expected 2"),
        (
            {"a": [1]},
            "dict[str,list[int]]",
            to_wire({"a": [2]}, "any"),
            'at ["a"][0]: 2, expected 1',
        ),
        ({"a": 1}, "dict[str,int]", to_wire({"b": 1}, "any"), 'the key "a" is missing'),
        (3, "int", {"t": -7, "v": None}, "long null, expected 3"),
        (3, "int", {"t": 101, "v": "::"}, "generic null, expected 3"),
        (3, "int", {"t": 100, "v": "{x}"}, "a function or projection, expected a value"),
        (3, "int", {"t": -14, "v": 3}, "date, expected long"),
    ],
)
def test_a_difference_says_what_and_where(
    expected: Any, type_text: str, actual: dict[str, Any], phrase: str
) -> None:
    assert phrase == str(compare(expected, type_text, actual))


@pytest.mark.parametrize(
    ("alternatives", "type_text", "actual", "phrase"),
    [
        ([3, 5], "int", {"t": -7, "v": 4}, "4, expected 3 or 5"),
        (
            [3, 5],
            "int",
            {"t": -9, "v": 5.0},
            "none of the 2 acceptable values; nearest to one: right value, wrong type: float, expected long",
        ),
        (
            [[1, 2], [2, 1]],
            "list[int]",
            long_list(2),
            "none of the 2 acceptable values; nearest to one: missing item 0: 1 item, expected 2 items",
        ),
        ([], "int", {"t": -7, "v": 4}, "no value is acceptable here"),
    ],
)
def test_a_difference_from_several_acceptable_values_is_that_from_the_nearest(
    alternatives: list[Any], type_text: str, actual: dict[str, Any], phrase: str
) -> None:
    assert phrase == str(compare(alternatives, type_text, actual, "any_of"))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=True)
    | st.text(st.characters(max_codepoint=126, min_codepoint=32)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(st.integers(0, 99), max_size=4)
        | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_every_value_equals_its_own_wire_form(value: Any) -> None:
    type_text = str(infer_type([value]))
    wire = to_wire(value, type_text)

    assert compare(value, type_text, wire) is None
    assert compare(value, type_text, wire, "unordered") is None
    assert compare(["another", value], type_text, wire, "any_of") is None
    assert compare(value, "any", to_wire(value, "any")) is None


@given(st.lists(st.integers(0, 5) | st.floats(0, 5), max_size=6), st.randoms())
def test_unordered_ignores_order_and_nothing_else(values: list[Any], rng: Any) -> None:
    shuffled = list(values)
    rng.shuffle(shuffled)
    wire = to_wire(shuffled, "list[float]")

    assert compare(values, "list[float]", wire, "unordered") is None
    assert compare([*values, 9.0], "list[float]", wire, "unordered").kind == "wrong_length"
    if values:
        assert compare([*values[1:], 9.0], "list[float]", wire, "unordered").kind == "wrong_value"


def test_unordered_floats_match_within_tolerance() -> None:
    actual = {"t": 9, "v": [0.1 + 0.2, 1.0]}

    assert compare([1.0, 0.3], "list[float]", actual, "unordered") is None


def test_close_widens_the_tolerance_of_floats_alone() -> None:
    assert compare(1.0, "float", {"t": -9, "v": 1.0005}, "close:1e-3") is None
    assert compare(1.0, "float", {"t": -9, "v": 1.005}, "close:1e-3").kind == "wrong_value"
    assert compare([10], "list[int]", {"t": 7, "v": [11]}, "close:5").kind == "wrong_value"


@pytest.mark.parametrize(
    "text", ["", "close", "close:", "close:x", "close:-1", "close:nan", "sorted", "any_of:equal"]
)
def test_an_unknown_comparator_is_refused(text: str) -> None:
    with pytest.raises(ComparatorError, match="is not a comparator"):
        compare(1, "int", {"t": -7, "v": 1}, text)


def test_huge_integers_are_compared_exactly() -> None:
    actual = {"t": -7, "v": 9007199254740993}

    assert compare(9007199254740993, "int", actual) is None
    assert compare(9007199254740992, "int", actual).kind == "wrong_value"
