"""The grader `kx-1`: as the q evaluation harness of KX compares, since its change of June 2026.

There the Python of a test compares what PyKX makes of the q value. Its rules, stated here and implemented anew:

    1  numbers, booleans, vectors, general lists and dictionaries become Python values; every null of a number and `::`
       become None, so does nan
    2  text is text, whether string, symbol inside a list, or key; but a symbol alone equals nothing
    3  two values are equal when Python's `==` says so: without tolerance, and 1, 1b and 1f are one
    4  otherwise two containers of the same length are equal when their items are, one by one; what Python iterates over
       in a dictionary are its keys, so dictionaries with equal keys in the same order are equal
    5  an atom of another type (char, byte, temporal) is equal when q's own `=` finds every item equal
    6  `close:<eps>` holds when q says that the distance is less than eps, which it says of a null as well

Rules 2, 4, 5 and 6 let wrong values pass, which is why nothing is accepted by this grader: it exists so that a score
can stand beside one that KX publishes. `unordered` and `any_of` do not occur in KX's files; they are applied on top of
these rules. Source: KxSystems/q-evaluation-harness (MIT), PyKX 4.2 for conversions.

What this deliberately does not do: follow tables and functions, which PyKX compares in ways of its own and no test of
q-humaneval expects; they equal nothing.
"""

from __future__ import annotations

import math
from typing import Any

from pipeline.comparators import Comparator, read_comparator
from pipeline.difference import Difference
from pipeline.wire_values import (
    NUMBER_KINDS,
    Wire,
    describe,
    is_function,
    items_of,
    number_of,
    show,
    show_wire,
)

_TEMPORAL_KINDS = range(12, 20)


class _Foreign:
    """A value that no Python value equals: a symbol alone, a guid, a table, a function."""


class _Atom:
    """An atom that q itself compares, by its number: a char, a byte, a date."""

    def __init__(self, number: float) -> None:
        self.number = number


def compare_as_kx(expected: Any, actual: Wire, comparator: str = "equal") -> Difference | None:
    """Compare a q value with the expected Python value by KX's rules; None when they are equal.

    Raises:
        ComparatorError: the comparator is unknown.
    """
    rules = read_comparator(comparator)
    value = _to_python(actual)
    alternatives = list(expected) if rules.has_alternatives else [expected]
    if any(_meets(value, item, actual, rules) for item in alternatives):
        return None
    return _difference(value, alternatives, actual)


def _meets(value: Any, expected: Any, actual: Wire, rules: Comparator) -> bool:
    if rules.is_close:
        return _is_close(actual, expected, rules.eps)
    wanted = _plain(expected)
    if rules.is_unordered and isinstance(value, list) and isinstance(wanted, (list, tuple)):
        return _same_items(value, list(wanted))
    return _equal(value, wanted)


def _to_python(wire: Wire) -> Any:
    """The value as PyKX hands it to a test (rule 1)."""
    kind = wire["t"]
    if kind == 99:
        return _dictionary(wire, _keys(wire["k"]))
    if -kind in _TEMPORAL_KINDS or kind in (-4, -10):
        return _Foreign() if wire["v"] is None else _Atom(_code(wire))
    return _Foreign() if kind == -11 else as_pykx_item(wire)


def as_pykx_item(wire: Wire) -> Any:
    """Return the Python value that PyKX makes of a q value inside another one, with None for every null.

    There symbols and chars are text, and bytes are numbers.
    """
    kind = wire["t"]
    if kind == 101 and wire["v"] == "::":
        return None
    if kind in NUMBER_KINDS or kind == -4:
        number = number_of(wire)
        return None if number is None or _is_nan(number) else number
    if kind in (-10, -11, 10):
        return str(wire["v"])
    if kind == 99:
        return _dictionary(wire, _column(wire["k"]))
    items = None if kind == 98 else items_of(wire)
    return _Foreign() if items is None else [as_pykx_item(item) for item in items]


def _keys(wire: Wire) -> list[Any] | None:
    """The keys of a dictionary that is the whole value: the characters of a string one by one, lists as tuples."""
    if wire["t"] == 10:
        return list(wire["v"])
    found = _column(wire)
    return found and [tuple(key) if isinstance(key, list) else key for key in found]


def _column(wire: Wire) -> list[Any] | None:
    """Keys or values of a dictionary, one by one; of a string its character codes. None for a table."""
    if wire["t"] == 10:
        return [ord(character) for character in wire["v"]]
    made = as_pykx_item(wire)
    return made if isinstance(made, list) else None


def _dictionary(wire: Wire, keys: list[Any] | None) -> Any:
    values = _column(wire["v"])
    if keys is None or values is None:
        return _Foreign()
    try:
        return dict(zip(keys, values, strict=False))
    except TypeError:  # a key that has no hash
        return _Foreign()


def _plain(value: Any) -> Any:
    """An expected value with None for nan."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, (list, tuple)):
        return type(value)(map(_plain, value))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(value, _Atom):
        return wanted != [] and wanted != "" and _atom_equals(value, wanted)
    if isinstance(value, _Foreign) or (value is None) != (wanted is None):
        return False
    if value == wanted:
        return True
    if not _is_container(value) or not _is_container(wanted):
        return False
    left, right = list(value), list(wanted)
    return len(left) == len(right) and all(map(_equal, left, right))


def _atom_equals(atom: _Atom, wanted: Any) -> bool:
    """Whether q's `=` finds the atom equal to every item (rule 5)."""
    if isinstance(wanted, str):
        return all(ord(character) == atom.number for character in wanted)
    if isinstance(wanted, (list, tuple)):
        return all(_atom_equals(atom, item) for item in wanted)
    return isinstance(wanted, (bool, int, float)) and wanted == atom.number


def _same_items(left: list[Any], right: list[Any]) -> bool:
    """Whether two lists have the same items in any order."""
    rest = list(right)
    for item in left:
        position = next((i for i, other in enumerate(rest) if _equal(item, other)), None)
        if position is None:
            return False
        del rest[position]
    return not rest


def _is_close(actual: Wire, expected: Any, eps: float) -> bool:
    """Rule 6, for a number alone."""
    if actual["t"] not in NUMBER_KINDS or not isinstance(expected, (int, float)):
        return False
    number = number_of(actual)
    return number is None or _is_nan(number) or abs(number - expected) < eps


def _is_container(value: Any) -> bool:
    return isinstance(value, (list, tuple, dict, set, frozenset))


def _is_nan(number: float) -> bool:
    return isinstance(number, float) and math.isnan(number)


def _code(wire: Wire) -> float:
    """The number under a char, byte or temporal atom."""
    value = wire["v"]
    if wire["t"] == -10:
        return ord(value)
    return number_of({"t": -9, "v": value}) or 0


def _difference(value: Any, alternatives: list[Any], actual: Wire) -> Difference:
    """A phrase for what these rules found different; they themselves say no more than no."""
    wanted = " or ".join(map(show, alternatives))
    if is_function(actual):
        return Difference("not_a_value", "a function or projection, expected a value")
    if value is None:
        return Difference("null", f"{describe(actual)} null, expected {wanted}")
    lengths = {len(item) for item in alternatives if _is_container(item)}
    if isinstance(value, list) and lengths and len(value) not in lengths:
        counts = " or ".join(map(str, sorted(lengths)))
        return Difference("wrong_length", f"{len(value)} items, expected {counts}")
    if isinstance(value, _Foreign):
        return Difference("wrong_type", f"{show_wire(actual)}, expected {wanted}")
    return Difference("wrong_value", f"{show_wire(actual)}, expected {wanted}")
