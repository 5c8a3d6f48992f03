"""What is known of a value before the code runs: its type and, for a long, how large it can be.

Shapes only ever lead to faster code that gives the same answers. A shape is a promise, so that every rule here says
less than kdb+ would allow one to say, never more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from q_runtime.values import qtypes as qt
from q_runtime.values.vectors import CHARS, NULL_LONG, Atom, Value, Vec

FULL = 63
"""Bits of a long of which nothing is known."""
FITS = 62
"""Results of so many bits cannot leave the range of longs."""
_TINY = 10
_SLOW = 48
"""A number that starts below 2^48 and moves by less than 2^10 at a time takes hours to leave the range of longs."""


class Shape(NamedTuple):
    """A promise about a value.

    `kind`: "int" a long that is not null, "long" a long, "bool", "float", "char"; "bools", "longs", "floats",
    "chars" a vector of them; "" anything.
    """

    kind: str = ""
    bits: int = FULL
    """Of an "int" or "long": smaller in magnitude than two to this power."""
    is_low: bool = False
    """Of an "int": not negative."""


ANY = Shape()
BOOL = Shape("bool")
LONG = Shape("long")
FLOAT = Shape("float")
STRING = Shape("chars")
COUNT = Shape("int", _SLOW, True)
ITEM = {
    "longs": Shape("long"),
    "bools": Shape("bool"),
    "floats": Shape("float"),
    "chars": Shape("char"),
}
"""The shape of an item of a vector."""
LISTS = {"int": "longs", "long": "longs", "bool": "bools", "float": "floats", "char": "chars"}
"""The kind of a vector, by that of its items."""
TYPES = {"bools": 1, "longs": 7, "floats": 9, "chars": 10}
_KINDS = {number: kind for kind, number in TYPES.items()}
NULLS: dict[str, Value] = {"longs": NULL_LONG, "bools": False, "floats": qt.NAN, "chars": CHARS[32]}
LONGS = ("int", "long")


def shape_of(x: Any) -> Shape:
    """The shape of an argument: that of values like it, not of just this one."""
    c = type(x)
    if c is int or c is bool or c is float:
        return Shape(c.__name__)
    if c is Atom:
        return Shape("char") if x.t == -10 else ANY
    if c is Vec:
        return Shape(_KINDS.get(x.t, ""))
    return ANY


def shape_of_constant(x: Any) -> Shape:
    """The shape of a literal."""
    if type(x) is int:
        return Shape("int", min(FULL, x.bit_length()), x >= 0)
    if x is NULL_LONG:
        return Shape("long")
    return shape_of(x)


def joined(a: Shape | None, b: Shape) -> Shape:
    """What is true of both."""
    if a is None or a == b:
        return b
    if a.kind == b.kind:
        return Shape(a.kind, max(a.bits, b.bits), a.is_low and b.is_low)
    if a.kind in LONGS and b.kind in LONGS:
        return Shape("long", max(a.bits, b.bits))
    return ANY


def widened(a: Shape) -> Shape:
    """A shape of the same kind whose size is not known."""
    return Shape(a.kind)


def varied(a: Shape) -> Shape:
    """The shape of a long that will change, so that most changes by little leave what is known of it."""
    return Shape(a.kind, _SLOW, a.is_low) if a.bits < _SLOW else a


def arithmetic(name: str, x: Shape, y: Shape) -> Shape:
    """The shape of x + y, x - y or x * y for longs; with more bits than FITS the result may have been wrapped."""
    least, most = sorted((x.bits, y.bits))
    is_low = x.is_low and y.is_low and name != "-"
    if name == "*":
        bits = least + most
    elif least <= _TINY and most <= _SLOW:
        bits = _SLOW
    else:
        bits = most + 1
    if bits > FITS:
        return Shape("long")
    return Shape("int" if x.kind == y.kind == "int" else "long", bits, is_low)


def quotient(name: str, x: Shape, y: int) -> Shape:
    """The shape of x div y or x mod y for a positive constant `y`."""
    if name == "mod":
        return Shape(x.kind, y.bit_length(), x.kind == "int")
    bits = x.bits if x.bits >= FULL else x.bits - (y.bit_length() - 1)
    return Shape(x.kind, max(1, bits), x.is_low)


def of_primitive(name: str, x: Shape, y: Shape | None = None) -> Shape:
    """The shape of what a primitive gives; ANY when nothing is known."""
    if y is None:
        return _of_monad(name, x)
    if name == "#" and x.kind in LONGS:
        return Shape(y.kind if y.kind in TYPES else LISTS.get(y.kind, ""))
    if name == "_" and x.kind in LONGS and y.kind in TYPES:
        return Shape(y.kind)
    if name == ",":
        kinds = {
            shape.kind if shape.kind in TYPES else LISTS.get(shape.kind, "") for shape in (x, y)
        }
        return Shape(kinds.pop()) if len(kinds) == 1 else ANY
    if name == "~":
        return Shape("bool")
    if name in ("+", "-", "*"):
        kinds = {x.kind, y.kind}
        if "longs" in kinds and kinds <= {"int", "long", "longs"}:
            return Shape("longs")
        if "floats" in kinds and kinds <= {"float", "floats"}:
            return Shape("floats")
    if name == "in" and x.kind in LISTS and y.kind in TYPES:
        return Shape("bool")
    return ANY


def _of_monad(name: str, x: Shape) -> Shape:
    if name == "count":
        return COUNT
    if name == "til" and x.kind in LONGS:
        return Shape("longs")
    if name == "where" and x.kind == "bools":
        return Shape("longs")
    if name == "enlist":
        return Shape(LISTS.get(x.kind, ""))
    if name in ("first", "last") and x.kind in TYPES:
        return ITEM[x.kind]
    if name in ("reverse", "distinct") and x.kind in TYPES:
        return Shape(x.kind)
    if name in ("sum", "max", "min") and x.kind in ("longs", "floats"):
        return widened(ITEM[x.kind])
    if name in ("abs", "neg") and x.kind in ("int", "long", "float"):
        return widened(x)
    if name == "not" and x.kind in LISTS and x.kind != "char":
        return Shape("bool")
    return ANY
