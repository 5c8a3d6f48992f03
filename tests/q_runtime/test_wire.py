"""The wire form: every kind of value there and back, and as q text."""

from __future__ import annotations

import json

import pytest

from q_runtime import QError, Session, format_wire
from q_runtime.prims.compare import matches
from q_runtime.values.wire import from_wire

VALUES = [
    ("1b", {"t": -1, "v": True}),
    ("0x0f", {"t": -4, "v": 15}),
    ("3h", {"t": -5, "v": 3}),
    ("0Ni", {"t": -6, "v": None}),
    ("42", {"t": -7, "v": 42}),
    ("0N", {"t": -7, "v": None}),
    ("0W", {"t": -7, "v": "0W"}),
    ("-0W", {"t": -7, "v": "-0W"}),
    ("1.5", {"t": -9, "v": 1.5}),
    ("0n", {"t": -9, "v": None}),
    ("-0w", {"t": -9, "v": "-0w"}),
    ("2.5e", {"t": -8, "v": 2.5}),
    ('"a"', {"t": -10, "v": "a"}),
    ("`abc", {"t": -11, "v": "abc"}),
    ("2000.01.02", {"t": -14, "v": 1}),
    ("00:00:01.000", {"t": -19, "v": 1000}),
    ("1 0N 3", {"t": 7, "v": [1, None, 3]}),
    ("0.1 0n 1e300", {"t": 9, "v": [0.1, None, 1e300]}),
    ("010b", {"t": 1, "v": [False, True, False]}),
    ('"hi\\"there"', {"t": 10, "v": 'hi"there'}),
    ('""', {"t": 10, "v": ""}),
    ("`a`b", {"t": 11, "v": ["a", "b"]}),
    ("0#0", {"t": 7, "v": []}),
    ("()", {"t": 0, "v": []}),
    ("enlist 5", {"t": 7, "v": [5]}),
    ('(1;"ab")', {"t": 0, "v": [{"t": -7, "v": 1}, {"t": 10, "v": "ab"}]}),
    ("`a`b!1 2", {"t": 99, "k": {"t": 11, "v": ["a", "b"]}, "v": {"t": 7, "v": [1, 2]}}),
    ("([]a:1 2)", {"t": 98, "k": ["a"], "v": [{"t": 7, "v": [1, 2]}]}),
    ("::", {"t": 101, "v": "::"}),
]


@pytest.mark.parametrize(("text", "wire"), VALUES)
def test_a_value_has_its_wire_form(text: str, wire: dict[str, object]) -> None:
    made = Session().evaluate_wire(text)

    assert wire == made
    assert wire == json.loads(json.dumps(made))


@pytest.mark.parametrize("text", [text for text, _ in VALUES])
def test_wire_to_text_to_wire_gives_the_value_again(text: str) -> None:
    session = Session()
    wire = session.evaluate_wire(text)

    again = session.evaluate_wire(format_wire(wire))

    assert wire == again
    assert matches(from_wire(wire), from_wire(again))


def test_a_function_travels_as_its_source() -> None:
    wire = Session().evaluate_wire("{x+1}")

    assert {"t": 100, "v": "{x+1}"} == wire
    assert {"t": -7, "v": 4} == Session().apply_wire(wire, [{"t": -7, "v": 3}])


def test_a_function_of_which_kdb_alone_knows_the_text_travels_by_its_name() -> None:
    assert Session().evaluate_wire("ssr") == {"t": 100, "v": "ssr"}
    assert Session().evaluate_wire('ssr[;"a";"b"]') == {"t": 104, "v": 'ssr[;"a";"b"]'}


def test_apply_wire_takes_a_name() -> None:
    session = Session()
    session.define("f", "{x,y}")

    assert {"t": 7, "v": [1, 2]} == session.apply_wire("f", [{"t": -7, "v": 1}, {"t": -7, "v": 2}])


@pytest.mark.parametrize("wire", [{}, {"t": -7}, {"t": 7, "v": ["x"]}, {"t": -10, "v": ""}])
def test_a_malformed_wire_value_is_a_type_error(wire: dict[str, object]) -> None:
    with pytest.raises(QError) as caught:
        Session().apply_wire("{x}", [wire])

    assert caught.value.code == "type"
