"""Values come back the same: from their text, their bytes, their wire form, and from Python.

What kdb+ itself does not read back is left out: symbols that need quotes, guids (their text has none), floats that the
precision in force cuts short, datetimes below a millisecond, functions that the console shows under another name.
A list of one item and a table print with the one-argument `,` and `+` of k, and so are read as k.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from q_runtime import Session
from q_runtime.prims.compare import matches
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.literal import literal
from q_runtime.values.vectors import (
    GList,
    Value,
    bytes_string,
    collapse,
    make_atom,
    vector,
)
from q_runtime.values.wire import format_wire, from_wire, to_wire

thorough = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DAY_MS = 86_400_000


def integers(t: int, low: int, high: int) -> st.SearchStrategy[int]:
    """Raw items of an integer type: a range, the null and both infinities."""
    special = [qt.NULLS[t], qt.INFINITIES[t], -qt.INFINITIES[t]]
    return st.one_of(st.integers(low, high), st.integers(-3, 3), st.sampled_from(special))


def single(x: float) -> float:
    """The nearest float of 32 bits."""
    with np.errstate(over="ignore"):
        return float(np.float32(x))


FLOATS = st.one_of(
    st.floats(allow_nan=False),
    st.integers(-5, 5).map(float),
    st.sampled_from([qt.NAN, qt.INF, -qt.INF, -0.0, 1e16, 1e17, 123456789012345678.0, 1e-5]),
)
NAMES = st.one_of(
    st.just(""),
    st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,5}(_[a-z0-9]+)?", fullmatch=True),
    st.sampled_from(["a.b", "1a", "x:y", ":host:5000", "0", ".z.s", "select", "a1_2"]),
)
DATES = integers(14, -730_119, 2_921_939)  # 0001.01.01 to 9999.12.31
STAMPS = integers(12, -9_214_646_400_000_000_000, 9_214_646_400_000_000_000)
MOMENTS = st.one_of(
    st.integers(-300_000 * DAY_MS, 300_000 * DAY_MS).map(lambda ms: ms / DAY_MS),
    st.sampled_from([qt.NAN, qt.INF, -qt.INF]),
)
RAWS: dict[int, st.SearchStrategy[Any]] = {
    1: st.booleans(),
    4: st.integers(0, 255),
    5: integers(5, -32767, 32767),
    6: integers(6, -(2**31) + 1, 2**31 - 1),
    7: integers(7, -(2**63) + 1, 2**63 - 1),
    8: st.one_of(st.floats(width=32, allow_nan=False), FLOATS.map(single)),
    9: FLOATS,
    10: st.integers(0, 255),
    11: NAMES,
    12: STAMPS,
    13: integers(13, -1999 * 12, 7999 * 12 + 11),
    14: DATES,
    15: MOMENTS,
    16: integers(16, -(2**62), 2**62),
    17: integers(17, -100_000, 100_000),
    18: integers(18, -10_000_000, 10_000_000),
    19: integers(19, -(2**31) + 1, 2**31 - 1),
}
"""Raw items by type number; guids have no literal."""
TYPES = st.sampled_from(sorted(RAWS))
FUNCTIONS = st.sampled_from(
    "{x+y} {[a;b]a,b} {} {[]1} {x;} {$[x>0;`a;`b]} {[x]{x+1}each~x} {select~from~t} + - ! #: +/ -': ,\\\\: ,: {x}/ "
    "{x+y}[1] {x+y}[;2] +[1] {x,y,z}[1;;3] avg in like".split()
).map(lambda text: text.replace("~", " "))


def vectors(types: st.SearchStrategy[int] = TYPES) -> st.SearchStrategy[Value]:
    """Typed vectors, empty ones included."""
    return types.flatmap(lambda t: st.lists(RAWS[t], max_size=6).map(lambda raws: vector(t, raws)))


ATOMS = TYPES.flatmap(lambda t: RAWS[t].map(lambda raw: make_atom(t, raw)))
STRINGS = st.binary(max_size=12).map(bytes_string)
PLAIN = st.one_of(ATOMS, vectors(), STRINGS, st.just(GList([])))
COLUMN_NAMES = st.lists(
    st.sampled_from(["a", "b", "sym", "price", "x1", "c_d"]), min_size=1, max_size=4, unique=True
)


@st.composite
def lists_of_length(draw: st.DrawFn, n: int, items: st.SearchStrategy[Value]) -> Value:
    """A vector or a list of values, with `n` items."""
    if draw(st.booleans()):
        t = draw(TYPES)
        return vector(t, draw(st.lists(RAWS[t], min_size=n, max_size=n)))
    return collapse(draw(st.lists(items, min_size=n, max_size=n)))


@st.composite
def tables(draw: st.DrawFn, n: int | None = None) -> Value:
    """A table of some columns."""
    n = draw(st.integers(0, 4)) if n is None else n
    names = draw(COLUMN_NAMES)
    return Table(names, [draw(lists_of_length(n, PLAIN)) for _ in names])


@st.composite
def dictionaries(draw: st.DrawFn, items: st.SearchStrategy[Value]) -> Value:
    """A dictionary with keys of any kind, or a keyed table."""
    n = draw(st.integers(0, 4))
    if draw(st.integers(0, 3)) == 0:
        return Dict(draw(tables(n)), draw(tables(n)))
    return Dict(draw(lists_of_length(n, PLAIN)), draw(lists_of_length(n, items)))


VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(collapse), dictionaries(inner), tables()
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def session() -> Session:
    """A session that prints floats in full."""
    made = Session()
    made.eval_script("\\P 0")
    return made


def agree(session: Session, text: str, x: Value) -> bool:
    """Say whether the q expression `text` is true for the value `x`."""
    session._interpreter.set_global("x", x)
    note(literal(x, 0))
    return session.eval(text) is True


def shown(session: Session, x: Value) -> str:
    """The text of a value on one line."""
    session._interpreter.set_global("x", x)
    return str(session.eval("-3!x"))


@thorough
@given(x=PLAIN)
def test_the_text_of_an_atom_or_a_vector_gives_it_again(session: Session, x: Value) -> None:
    prefix = '"k)",' if shown(session, x).startswith(",") else ""

    assert agree(session, f"x~value {prefix}-3!x", x)
    assert agree(session, f"(type x)~type value {prefix}-3!x", x)


@thorough
@given(x=VALUES)
def test_the_text_of_any_value_gives_it_again(session: Session, x: Value) -> None:
    assert agree(session, 'x~value "k)",-3!x', x)
    assert agree(session, 'x~value "k)",.Q.s1 x', x)


@thorough
@given(f=FUNCTIONS)
def test_the_text_of_a_function_gives_it_again(session: Session, f: str) -> None:
    assert session.eval(f'f:value "({f})"; f~value -3!f') is True
    assert session.eval("f~-9!-8!f") is True


@pytest.mark.parametrize(("precision", "digits"), [(7, 7), (12, 12), (17, 17)])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_floats_come_back_to_the_digits_of_the_precision(
    precision: int, digits: int, data: st.DataObject
) -> None:
    session = Session()
    session.eval_script(f"\\P {precision}")
    x = data.draw(st.floats(-1e300, 1e300).map(lambda f: float(f"{f:.{digits - 1}e}")))

    assert session.eval(f"value -3!{x!r}f") == x


@thorough
@given(x=VALUES)
def test_the_bytes_of_any_value_give_it_again(session: Session, x: Value) -> None:
    assert agree(session, "x~-9!-8!x", x)
    assert agree(session, "(-8!x)~-8!-9!-8!x", x)
    assert agree(session, "x~-9!-18!x", x)


@thorough
@given(x=VALUES)
def test_the_wire_form_of_any_value_gives_it_again(session: Session, x: Value) -> None:
    wire = to_wire(x)
    again = from_wire(json.loads(json.dumps(wire, allow_nan=False)))

    assert matches(x, again)
    assert wire == to_wire(again)
    assert wire == session.evaluate_wire(format_wire(wire))
    assert wire == session.apply_wire("{x}", [wire])


@thorough
@given(x=VALUES)
def test_a_value_survives_inside_a_list_and_a_dictionary(session: Session, x: Value) -> None:
    assert agree(session, "x~first(x;::)", x)
    assert agree(session, "x~(`k`l!(x;::))`k", x)
    assert agree(session, 'x~eval parse"x"', x)


LONGS = st.integers(-(2**63) + 1, 2**63 - 1)
NUMBERS = st.floats(allow_nan=False).filter(lambda x: x != 0.0 or str(x) == "0.0")
SCALARS = st.one_of(st.none(), st.booleans(), LONGS, NUMBERS, st.text(max_size=8))
KEYS = st.one_of(st.text(max_size=5), st.integers(-99, 99))
PYTHON = st.recursive(
    st.one_of(SCALARS, st.lists(LONGS), st.lists(NUMBERS), st.lists(st.text())),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=4),
        st.tuples(inner, inner, inner).map(lambda row: [dict(zip("abc", row, strict=True))] * 2),
    ),
    max_leaves=12,
)


@thorough
@given(x=PYTHON)
def test_a_python_value_comes_back_the_same(session: Session, x: Any) -> None:
    made = session.call("{x}", x)

    assert repr(x) == repr(made)


@thorough
@given(x=PYTHON)
def test_a_python_value_survives_text_and_bytes(session: Session, x: Any) -> None:
    assert repr(x) == repr(session.call('{value "k)",-3!x}', x))
    assert repr(x) == repr(session.call("{-9!-8!x}", x))


@pytest.mark.parametrize(
    ("x", "back"),
    [
        ((1, 2), [1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (b"\x00\xff", [0, 255]),
        (np.int64(5), 5),
        (np.float64(1.5), 1.5),
        ([np.bool_(True), False], [True, False]),
        ("caf\u00e9 \U0001f600", "caf\u00e9 \U0001f600"),
        ("\udcff", "\udcff"),
        ([[], [[]]], [[], [[]]]),
        ({}, {}),
    ],
)
def test_other_python_values_become_their_nearest_kin(session: Session, x: Any, back: Any) -> None:
    assert session.call("{x}", x) == back


# -- text to tree to text

LITERALS = st.sampled_from(
    '1 -2 0N 1.5 0x0a 101b `a `a`b "c" "str" 2020.01.01 12:30 () 1~2~3 (1;`a)'.split()
).map(lambda text: text.replace("~", " "))
VARIABLES = st.sampled_from("a b c .n.x tab".split())
DYADS = st.sampled_from(
    "+ - * % & | ^ = < > <= >= <> $ , # _ ~ ! ? @ . in within like div bin".split()
)
MONADS = st.sampled_from(
    "neg not null string floor count first reverse distinct group where flip type enlist sum avg exp".split()
)
ITERATORS = st.sampled_from(["/", "\\", "'", "/:", "\\:", "':"])
COLUMNS = st.sampled_from(["a", "s:sum a", "a,b", "n:count i,m:max b", ""])
GROUPS = st.sampled_from(["g", "h:sum a", "g,h"])


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions made of smaller ones."""
    return st.one_of(
        st.builds("({0}){1} {2}".format, inner, DYADS, inner),
        st.builds("{0} {1} {2}".format, VARIABLES, DYADS, inner),
        st.builds("{0} {1}".format, MONADS, inner),
        st.builds("({0};{1};{2})".format, inner, inner, inner),
        st.builds("{0}[{1};{2}]".format, VARIABLES, inner, inner),
        st.builds("{0}[{1}]".format, DYADS.filter(lambda v: v not in "in within"), inner),
        st.builds("({0}{1})[{2}]".format, DYADS, ITERATORS, inner),
        st.builds("{0} {1}{2} {3}".format, VARIABLES, DYADS, ITERATORS, inner),
        st.builds("$[{0};{1};{2}]".format, inner, inner, inner),
        st.builds("{0}:{1}".format, VARIABLES, inner),
        st.builds("a[{0}]+:{1}".format, inner, inner),
        st.builds("(select {0} by {1} from tab where {2})".format, COLUMNS, GROUPS, inner),
        st.builds("(exec {0} from ({1}))".format, st.sampled_from(["a", "s:a,b"]), inner),
        st.builds("(update a:{0} from tab)".format, inner),
        st.builds("([]a:{0};b:{1})".format, inner, inner),
        st.builds("[{0};{1}]".format, inner, inner),
    )


EXPRESSIONS = st.recursive(st.one_of(LITERALS, VARIABLES), larger, max_leaves=8)


@thorough
@given(text=EXPRESSIONS)
def test_the_text_of_a_parse_tree_gives_the_tree_again(session: Session, text: str) -> None:
    session._interpreter.set_global("text", bytes_string(text.encode()))
    note(str(session.eval("-3!parse text")))

    assert session.eval('(parse text)~value"k)",-3!parse text') is True
    assert session.eval("(parse text)~-9!-8!parse text") is True
    assert session.eval("(parse text)~-5!text") is True


@thorough
@given(text=EXPRESSIONS)
def test_the_words_of_a_text_joined_are_the_text(session: Session, text: str) -> None:
    session._interpreter.set_global("text", bytes_string(text.encode()))

    assert session.eval("text~raze -4!text") is True


@thorough
@given(text=EXPRESSIONS)
def test_the_source_of_a_lambda_gives_it_again(session: Session, text: str) -> None:
    session._interpreter.set_global("text", bytes_string(b"{[c] " + text.encode() + b"}"))
    assume(
        session.eval("@[{value x;1b};text;0b]")
    )  # a local that was read as a global before is refused

    assert session.eval("f:value text; (f~value string f)&text~string f") is True
    assert session.eval("(f~-9!-8!f)&f~value -3!f") is True
