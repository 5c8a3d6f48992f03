"""Typed JSON, type expressions and the wire form of Python values."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.typed_values import (
    TypedJsonError,
    TypeExpressionError,
    UnrepresentableValue,
    decode_typed,
    encode_typed,
    infer_type,
    parse_type,
    to_wire,
    to_wire_arguments,
    widen,
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
KEYS = st.integers() | st.text() | st.tuples(st.integers(), st.text())
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.sets(KEYS, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_encoding_round_trips_with_types_kept(value: Any) -> None:
    decoded = decode_typed(encode_typed(value))

    assert decoded == value
    assert type(decoded) is type(value)


def test_nan_round_trips() -> None:
    assert encode_typed(math.nan) == {"$float": "nan"}
    assert math.isnan(decode_typed({"$float": "nan"}))


def test_sets_are_encoded_in_a_stable_order() -> None:
    assert encode_typed({3, 1, 2}) == {"$set": [1, 2, 3]}
    assert encode_typed({"a", 1}) == {"$set": [1, "a"]}


@pytest.mark.parametrize("value", [b"x", 1j, object(), range(3), [print]])
def test_values_without_data_form_are_refused(value: Any) -> None:
    with pytest.raises(TypedJsonError, match="cannot be written as data"):
        encode_typed(value)


@pytest.mark.parametrize(
    "encoded",
    [{}, {"$tuple": 1}, {"$set": [[1]]}, {"$dict": [[1]]}, {"$what": []}, {"a": 1, "b": 2}],
)
def test_foreign_json_is_refused(encoded: Any) -> None:
    with pytest.raises(TypedJsonError, match="not typed JSON"):
        decode_typed(encoded)


@pytest.mark.parametrize(
    "text",
    [
        "int",
        "any",
        "list[int]",
        "tuple[int,str]",
        "dict[str,list[optional[float]]]",
        "set[tuple[int,int]]",
    ],
)
def test_type_expressions_round_trip(text: str) -> None:
    assert str(parse_type(text)) == text
    assert str(parse_type(f"  {text.replace(',', ' , ')} ")) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "ends too early"),
        ("integer", "'integer' is unknown"),
        ("list", "list takes 1"),
        ("dict[int]", "dict takes 2"),
        ("list[int", "']' is missing"),
        ("int]", "unexpected ']'"),
        ("int[3]", "unexpected"),
        ("int int", "unexpected 'int'"),
    ],
)
def test_bad_type_expressions_say_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(TypeExpressionError, match=reason.replace("[", r"\[")):
        parse_type(text)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], "int"),
        ([1, 2.5], "float"),
        ([True, 1], "any"),
        ([None, 1], "optional[int]"),
        ([None], "none"),
        ([], "any"),
        ([[], [1]], "list[int]"),
        ([[]], "list[any]"),
        ([[[]], [[1.0]], []], "list[list[float]]"),
        ([(1, "a"), (2.5, "b")], "tuple[float,str]"),
        ([(1, 2), (1, 2, 3)], "list[int]"),
        ([(1, 2), [3]], "list[int]"),
        ([{1}, set()], "set[int]"),
        ([{"a": 1}, {}], "dict[str,int]"),
        ([[1, "a"]], "list[any]"),
        ([[1, None]], "list[optional[int]]"),
        ([None, [1], 2], "any"),
        ([1j], "any"),
    ],
)
def test_types_are_inferred_as_the_join(values: list[Any], expected: str) -> None:
    assert str(infer_type(values)) == expected


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_an_inferred_type_parses_back(values: list[Any]) -> None:
    inferred = infer_type(values)

    assert parse_type(str(inferred)) == inferred


@pytest.mark.parametrize(
    ("value", "type_text", "wire"),
    [
        (3, "int", {"t": -7, "v": 3}),
        (3, "float", {"t": -9, "v": 3.0}),
        (True, "bool", {"t": -1, "v": True}),
        ("", "str", {"t": 10, "v": ""}),
        ("a", "str", {"t": 10, "v": "a"}),
        (None, "optional[int]", {"t": 101, "v": "::"}),
        (4, "optional[int]", {"t": -7, "v": 4}),
        (math.nan, "float", {"t": -9, "v": None}),
        (-math.inf, "float", {"t": -9, "v": "-0w"}),
        ([], "list[int]", {"t": 7, "v": []}),
        ([], "list[float]", {"t": 9, "v": []}),
        ([], "list[str]", {"t": 0, "v": []}),
        ([1, 2], "list[int]", {"t": 7, "v": [1, 2]}),
        ([1, 2], "list[float]", {"t": 9, "v": [1.0, 2.0]}),
        ([True], "list[bool]", {"t": 1, "v": [True]}),
        (["ab", "c"], "list[str]", {"t": 0, "v": [{"t": 10, "v": "ab"}, {"t": 10, "v": "c"}]}),
        ([[1], []], "list[list[int]]", {"t": 0, "v": [{"t": 7, "v": [1]}, {"t": 7, "v": []}]}),
        ((1, 2), "tuple[int,int]", {"t": 7, "v": [1, 2]}),
        ((1, "a"), "tuple[int,str]", {"t": 0, "v": [{"t": -7, "v": 1}, {"t": 10, "v": "a"}]}),
        ((), "tuple", {"t": 0, "v": []}),
        ([1, 2.5], "list[any]", {"t": 0, "v": [{"t": -7, "v": 1}, {"t": -9, "v": 2.5}]}),
        ({3, 1}, "set[int]", {"t": 7, "v": [1, 3]}),
        (
            {"k": 1},
            "dict[str,int]",
            {"t": 99, "k": {"t": 0, "v": [{"t": 10, "v": "k"}]}, "v": {"t": 7, "v": [1]}},
        ),
        ({}, "dict[int,float]", {"t": 99, "k": {"t": 7, "v": []}, "v": {"t": 9, "v": []}}),
        (
            [1, None],
            "list[optional[int]]",
            {"t": 0, "v": [{"t": -7, "v": 1}, {"t": 101, "v": "::"}]},
        ),
    ],
)
def test_wire_form_under_a_type(value: Any, type_text: str, wire: dict[str, Any]) -> None:
    assert to_wire(value, type_text) == wire


@pytest.mark.parametrize(
    ("value", "type_text", "reason"),
    [
        (2**63, "int", "does not fit a q long"),
        (2**63 - 1, "int", "does not fit a q long"),
        (10**400, "float", "too large for a q float"),
        ({(1, 2): 3}, "any", "neither text nor a number"),
        ({1, "a"}, "any", "has no order"),
        ("é", "str", "not ASCII"),
        (1, "str", "not of type str"),
        (True, "int", "not of type int"),
        (2.5, "int", "not of type int"),
        (None, "int", "not of type int"),
        ((1, 2), "tuple[int]", r"not of type tuple\[int\]"),
        (1j, "any", "no counterpart of a Python complex"),
    ],
)
def test_what_q_cannot_hold_is_refused_with_a_reason(
    value: Any, type_text: str, reason: str
) -> None:
    with pytest.raises(UnrepresentableValue, match=reason):
        to_wire(value, type_text)


def test_argument_lists_must_match_the_parameters() -> None:
    assert to_wire_arguments([1, "a"], ["int", "str"]) == ({"t": -7, "v": 1}, {"t": 10, "v": "a"})
    with pytest.raises(UnrepresentableValue, match="1 arguments for 2 parameters"):
        to_wire_arguments([1], ["int", "str"])


def test_widening_makes_floats_only_where_the_type_says_so() -> None:
    widened = widen({"a": (1, [2, 3])}, parse_type("dict[str,tuple[int,list[float]]]"))

    assert repr(widened) == "{'a': (1, [2.0, 3.0])}"
