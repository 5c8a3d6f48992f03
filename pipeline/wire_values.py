"""Reading the wire form of q values: kinds by name, items of lists and tables, nulls, short text.

The wire form is documented by q_runtime. Only `equality` and `grading` look inside it, and they do it through these
functions. What this deliberately does not do: make wire values (`typed_values`) or decide equality.
"""

from __future__ import annotations

import math
from typing import Any

Wire = dict[str, Any]

INTEGER_KINDS = (-5, -6, -7)
NUMBER_KINDS = (-1, *INTEGER_KINDS, -8, -9)
KIND_NAMES = {
    1: "boolean",
    2: "guid",
    4: "byte",
    5: "short",
    6: "int",
    7: "long",
    8: "real",
    9: "float",
    10: "char",
    11: "symbol",
    12: "timestamp",
    13: "month",
    14: "date",
    15: "datetime",
    16: "timespan",
    17: "minute",
    18: "second",
    19: "time",
}
_EXPECTED_NAMES = {"bool": "boolean", "int": "long", "float": "float"}
NULL_GUID = "00000000-0000-0000-0000-000000000000"


def describe(wire: Wire) -> str:
    """Name of the value's kind: `long`, `long list`, `string`, `general list`, `dictionary`, `table`."""
    kind = wire["t"]
    if kind in (99, 98, 0, 10):
        return {99: "dictionary", 98: "table", 0: "general list", 10: "string"}[kind]
    if kind == 101 and wire.get("v") == "::":
        return "generic null"
    name = KIND_NAMES.get(abs(kind), "function")
    return f"{name} list" if kind > 0 and name != "function" else name


def describe_expected(scalar: str, as_list: bool = False) -> str:
    """Name in q of the kind that a Python scalar type stands for."""
    return _EXPECTED_NAMES[scalar] + (" list" if as_list else "")


def is_function(wire: Wire) -> bool:
    """Functions, projections, compositions and iterators; the generic null is a value."""
    return 100 <= wire["t"] <= 112 and not (wire["t"] == 101 and wire.get("v") == "::")


def is_null_atom(wire: Wire) -> bool:
    """The generic null, or the null of any atom kind (for char the blank, for symbol the empty one)."""
    kind, value = wire["t"], wire.get("v")
    if kind == 101:
        return value == "::"
    if not -20 < kind < 0:
        return False
    return value is None or (kind, value) in ((-10, " "), (-11, ""), (-2, NULL_GUID))


def items_of(wire: Wire) -> list[Wire] | None:
    """The items of a list, each a wire value; a table's rows as dictionaries. None for anything else."""
    kind = wire["t"]
    if kind == 0:
        return list(wire["v"])
    if 0 < kind < 20:
        return [{"t": -kind, "v": item} for item in wire["v"]]
    if kind == 98:
        return _rows_of(wire)
    return None


def _rows_of(table: Wire) -> list[Wire]:
    """Rows of a table as dictionaries keyed by column name, marked `row`."""
    columns = [items_of(column) or [] for column in table["v"]]
    names = {"t": 11, "v": table["k"]}
    return [
        {"t": 99, "k": names, "v": {"t": 0, "v": list(cells)}, "row": True}
        for cells in zip(*columns, strict=True)
    ]


def number_of(wire: Wire) -> float | int | None:
    """The number in a boolean, integer, real or float atom (infinities as such, null as nan); else None."""
    if not -10 < wire["t"] < 0 or wire["t"] == -2:
        return None
    value = wire["v"]
    if value is None:
        return math.nan
    if isinstance(value, str):
        return {"0w": math.inf, "0W": math.inf, "-0w": -math.inf, "-0W": -math.inf}.get(
            value.lower()
        )
    return value


def fold_wire(wire: Wire) -> Any:
    """A hashable form of a value that forgets its kinds: to find candidates and 'right value, wrong type'."""
    kind = wire["t"]
    if kind in (10, -10, -11):
        return str(wire["v"])
    if number_of(wire) is not None:
        return fold(number_of(wire))
    if kind == 99:
        keys, values = items_of(wire["k"]) or [], items_of(wire["v"]) or []
        return frozenset(zip(map(fold_wire, keys), map(fold_wire, values), strict=False))
    items = items_of(wire)
    if items is None:
        return ("null",) if is_null_atom(wire) else (kind, str(wire.get("v")))
    return tuple(map(fold_wire, items))


def fold(value: Any) -> Any:
    """The same form of a Python value."""
    if value is None:
        return ("null",)
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, (bool, int)):
        return int(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else float(f"{value:.9g}")
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return frozenset((fold(key), fold(item)) for key, item in value.items())
    items = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
    return tuple(map(fold, items))


def show(value: Any) -> str:
    """A Python value in at most 60 characters, for a phrase."""
    text = '"' + value + '"' if isinstance(value, str) else _python_text(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _python_text(value: Any) -> str:
    if isinstance(value, bool):
        return "1b" if value else "0b"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"{int(value)}f"
    return repr(value)


def show_wire(wire: Wire) -> str:
    """A q value in at most 60 characters, for a phrase: atoms and strings by value, the rest by kind."""
    kind, value = wire["t"], wire.get("v")
    if is_null_atom(wire) and kind != -10:
        return "generic null" if kind == 101 else f"a null {describe(wire)}"
    if kind in (10, -10):
        return show(str(value))
    if kind == -11:
        return f"the symbol {show('`' + str(value))[1:-1]}"
    if number_of(wire) is not None:
        return value if isinstance(value, str) else show(value)
    items = items_of(wire)
    return f"a {describe(wire)}" + (f" of {len(items)}" if items is not None else "")
