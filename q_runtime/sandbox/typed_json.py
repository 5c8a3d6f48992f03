"""Typed JSON: Python values as JSON that keeps tuples, sets, dictionaries and non-finite floats apart.

Plain JSON loses these differences, and the answer of a reference depends on them. Only values without behaviour are
encoded: there is no pickle here, so decoding can never run code. What this deliberately does not do: types, q values.

    list             [..]                     str, bool, int, finite float, None    as in JSON
    tuple            {"$tuple": [..]}         nan and infinities                    {"$float": "nan" | "inf" | "-inf"}
    set, frozenset   {"$set": [..]} sorted    dict                                  {"$dict": [[key, value], ..]}
"""

from __future__ import annotations

import math
from typing import Any

MAX_DEPTH = 100
"""Nesting beyond this is refused: it is never test data, and it protects the JSON parser's stack."""


class TypedJsonError(ValueError):
    """A value that typed JSON cannot carry, or JSON that is not typed JSON."""


def encode_typed(value: Any, depth: int = 0) -> Any:
    """Encode a Python value; raise TypedJsonError with a reason when there is no encoding."""
    if depth > MAX_DEPTH:
        raise TypedJsonError(f"a value is nested more than {MAX_DEPTH} deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": str(float(value))}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list):
        return [encode_typed(item, depth + 1) for item in value]
    if isinstance(value, tuple):
        return {"$tuple": [encode_typed(item, depth + 1) for item in value]}
    if isinstance(value, (set, frozenset)):
        return {"$set": [encode_typed(item, depth + 1) for item in _in_stable_order(value)]}
    if isinstance(value, dict):
        return {
            "$dict": [
                [encode_typed(key, depth + 1), encode_typed(item, depth + 1)]
                for key, item in value.items()
            ]
        }
    raise TypedJsonError(f"a {type(value).__name__} cannot be written as data")


def _in_stable_order(values: set[Any] | frozenset[Any]) -> list[Any]:
    """The items sorted; a set whose items do not compare is ordered by type and text."""
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=lambda item: (type(item).__name__, repr(item)))


def decode_typed(encoded: Any, depth: int = 0) -> Any:
    """Decode what `encode_typed` wrote; raise TypedJsonError for anything else."""
    if depth > MAX_DEPTH:
        raise TypedJsonError(f"a value is nested more than {MAX_DEPTH} deep")
    if encoded is None or isinstance(encoded, (bool, int, float, str)):
        return encoded
    if isinstance(encoded, list):
        return [decode_typed(item, depth + 1) for item in encoded]
    if not isinstance(encoded, dict) or len(encoded) != 1:
        raise TypedJsonError(f"not typed JSON: {str(encoded)[:80]}")
    ((tag, body),) = encoded.items()
    return _decode_tagged(tag, body, depth)


def _decode_tagged(tag: str, body: Any, depth: int) -> Any:
    if tag == "$float" and body in ("nan", "inf", "-inf"):
        return float(body)
    if tag in ("$tuple", "$set", "$dict") and isinstance(body, list):
        items = [decode_typed(item, depth + 1) for item in body]
        if tag == "$tuple":
            return tuple(items)
        try:
            return set(items) if tag == "$set" else {key: item for key, item in items}
        except (TypeError, ValueError) as error:
            raise TypedJsonError(f"not typed JSON: {error}") from error
    raise TypedJsonError(f"not typed JSON: {str(tag)[:40]}")
