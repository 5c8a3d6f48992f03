"""Typed Python values on their way to q: the JSON encoding that TestCases use, and the wire form under a type.

The encoding itself is q_runtime's (the sandbox speaks it too) and is only passed on here. `to_wire` is the one place
that decides how a Python value looks in q:

    int -> long   float -> float   bool -> boolean   str -> char vector (of any length)   None -> ::
    list, tuple, set (sorted) -> a vector when all items are scalars of one kind, else a general list
    dict -> keys ! values, each as a list

What q cannot hold is refused with a sentence, never approximated. What this deliberately does not do: compare values
(`equality`) or read q values back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pipeline.type_expressions import (
    ANY,
    TypeExpr,
    TypeExpressionError,
    infer_type,
    join_types,
    parse_type,
    widen,
)
from q_runtime import TypedJsonError, decode_typed, encode_typed

__all__ = [
    "TypeExpr",
    "TypeExpressionError",
    "TypedJsonError",
    "UnrepresentableValue",
    "decode_typed",
    "encode_typed",
    "infer_type",
    "join_types",
    "parse_type",
    "to_wire",
    "to_wire_arguments",
    "widen",
]

Wire = dict[str, Any]

MAX_LONG = 2**63 - 2
"""Largest magnitude of a q long that is a number: the values above it are q's null and infinities."""
VECTOR_TYPES = {bool: 1, int: 7, float: 9}
EMPTY_TYPES = {"bool": 1, "int": 7, "float": 9}


class UnrepresentableValue(ValueError):
    """A Python value that has no q value under the given type; `str(error)` says why."""


def to_wire(value: Any, type_text: str | TypeExpr) -> Wire:
    """Convert a Python value under a type expression to the wire form of its q value.

    Raises:
        UnrepresentableValue: the value does not fit the type, or q has no value for it.
    """
    expression = parse_type(type_text) if isinstance(type_text, str) else type_text
    try:
        return _convert(value, expression)
    except RecursionError as error:
        raise UnrepresentableValue("the value is nested too deeply for q") from error


def to_wire_arguments(values: Sequence[Any], types: Sequence[str]) -> tuple[Wire, ...]:
    """Convert one argument list; a count that differs from the types' is refused."""
    if len(values) != len(types):
        raise UnrepresentableValue(f"{len(values)} arguments for {len(types)} parameters")
    return tuple(map(to_wire, values, types))


def _convert(value: Any, expression: TypeExpr) -> Wire:
    if expression.name == "optional":
        expression = expression.item if value is not None else ANY
    if value is None:
        return _checked(
            expression.name in ("none", "any"), {"t": 101, "v": "::"}, value, expression
        )
    if isinstance(value, (bool, int, float, str)):
        return _convert_scalar(value, expression)
    if isinstance(value, (list, tuple)):
        return _convert_sequence(value, expression)
    if isinstance(value, (set, frozenset)):
        _checked(expression.name in ("set", "any"), {}, value, expression)
        return _convert_items(_sorted_items(value), [expression.item] * len(value))
    if isinstance(value, dict):
        return _convert_dict(value, expression)
    raise UnrepresentableValue(f"q has no counterpart of a Python {type(value).__name__}")


def _checked(fits: bool, wire: Wire, value: Any, expression: TypeExpr) -> Wire:
    """The wire form, or a refusal when the value is not of the type."""
    if not fits:
        raise UnrepresentableValue(f"{_shorten(value)} is not of type {expression}")
    return wire


def _convert_scalar(value: bool | int | float | str, expression: TypeExpr) -> Wire:
    name = expression.name
    if isinstance(value, bool):
        return _checked(name in ("bool", "any"), {"t": -1, "v": value}, value, expression)
    if isinstance(value, int) and name != "float":
        if abs(value) > MAX_LONG:
            raise UnrepresentableValue(f"the integer {_shorten(value)} does not fit a q long")
        return _checked(name in ("int", "any"), {"t": -7, "v": int(value)}, value, expression)
    if isinstance(value, (int, float)):
        return _checked(name in ("float", "any"), {"t": -9, "v": _float(value)}, value, expression)
    if not value.isascii():
        raise UnrepresentableValue(
            f"the text {_shorten(value)} is not ASCII: q counts its bytes, Python its characters"
        )
    return _checked(name in ("str", "any"), {"t": 10, "v": str(value)}, value, expression)


def _float(value: int | float) -> float | str | None:
    """A float as the wire writes it: nan is null, the infinities are `0w` and `-0w`."""
    try:
        number = float(value)
    except OverflowError as error:
        raise UnrepresentableValue("an integer is too large for a q float") from error
    if math.isnan(number):
        return None
    return number if math.isfinite(number) else ("0w" if number > 0 else "-0w")


def _convert_sequence(value: list[Any] | tuple[Any, ...], expression: TypeExpr) -> Wire:
    if expression.name == "tuple":
        _checked(len(value) == len(expression.args), {}, value, expression)
        return _convert_items(value, expression.args)
    _checked(expression.name in ("list", "any"), {}, value, expression)
    return _convert_items(value, [expression.item] * len(value), expression.item)


def _convert_items(
    values: Sequence[Any], types: Sequence[TypeExpr], empty_item: TypeExpr = ANY
) -> Wire:
    """A q list of the items: a vector when they are scalars of one kind, as q itself would collapse them."""
    if not values:
        return {"t": EMPTY_TYPES.get(empty_item.name, 0), "v": []}
    items = [_convert(item, item_type) for item, item_type in zip(values, types, strict=True)]
    kinds = {item["t"] for item in items}
    if len(kinds) == 1 and -(kind := kinds.pop()) in VECTOR_TYPES.values():
        return {"t": -kind, "v": [item["v"] for item in items]}
    return {"t": 0, "v": items}


def _sorted_items(values: set[Any] | frozenset[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError as error:
        raise UnrepresentableValue(
            f"the set {_shorten(values)} has no order, so no q list stands for it"
        ) from error


def _convert_dict(value: dict[Any, Any], expression: TypeExpr) -> Wire:
    _checked(expression.name in ("dict", "any"), {}, value, expression)
    key_type, item_type = expression.args or (ANY, ANY)
    for key in value:
        if not isinstance(key, (bool, int, float, str)):
            raise UnrepresentableValue(
                f"the dictionary key {_shorten(key)} is neither text nor a number"
            )
    return {
        "t": 99,
        "k": _convert_items(list(value), [key_type] * len(value), key_type),
        "v": _convert_items(list(value.values()), [item_type] * len(value), item_type),
    }


def _shorten(value: Any) -> str:
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**30 else "beyond 10**30"
    return text if len(text) <= 60 else text[:57] + "..."
