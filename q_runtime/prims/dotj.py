"""`.j`: values to JSON and back, as kdb+ 4.1 writes and reads it. Source: KX ref/dotj."""

from __future__ import annotations

import re
from typing import Any

from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.prims.dictionary import unkey
from q_runtime.prims.registry import Host, primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.enums import resolve
from q_runtime.values.functions import Nil
from q_runtime.values.literal import plain_text, raw_text
from q_runtime.values.vectors import (
    GList,
    Value,
    Vec,
    booleans,
    collapse,
    items_of,
    raw_of,
    string,
    symbols,
    text_of,
    type_number,
)

_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text: str) -> str:
    """Return text as a JSON string; what is not ASCII stands as it is."""
    escaped = _ESCAPED.sub(lambda m: _SHORT.get(m[0]) or f"\\u{ord(m[0]):04x}", text)
    return f'"{escaped}"'


class _Writer:
    """Writes values as JSON with one precision and one choice for infinities."""

    def __init__(self, precision: int, *, null_infinities: bool) -> None:
        self.precision = precision
        self.null_infinities = null_infinities

    def text(self, x: Value) -> str:
        """Return the JSON text of any value."""
        x = resolve(x)
        t = type_number(x)
        if t == 10:
            return quoted(text_of(x))
        if t < 0:
            return self.atom(-t, raw_of(x), x)
        if type(x) is Dict and x.is_keyed_table:
            return self.text(unkey(x))
        if type(x) is Table:
            return "[" + ",\n ".join(self.text(row) for row in x.rows()) + "]"
        if type(x) is Dict:
            pairs = zip(items_of(x.k), items_of(x.v), strict=True)
            return "{" + ",".join(f"{self.key(k)}:{self.text(v)}" for k, v in pairs) + "}"
        if type(x) in (Vec, GList):
            return "[" + ",".join(map(self.text, items_of(x))) + "]"
        if type(x) is Nil:
            return "null"
        raise UnsupportedFeature("the JSON of this kind of value is not supported")

    def key(self, x: Value) -> str:
        """Return the JSON text of a key, always a string."""
        t = type_number(x)
        if t == 10:
            return quoted(text_of(x))
        if t >= 0:
            raise UnsupportedFeature("the JSON of a dictionary with lists as keys is not supported")
        return quoted(plain_text(x))

    def atom(self, t: int, raw: Any, x: Value) -> str:
        """Return the JSON text of an atom of positive type `t`."""
        if t == 1:
            return "true" if raw else "false"
        if t in (8, 9):
            if raw != raw or (self.null_infinities and abs(raw) == qt.INF):
                return "null"
            if abs(raw) == qt.INF:
                return "inf" if raw > 0 else "-inf"
            return raw_text(t, raw, self.precision)
        if t in (5, 6, 7):
            if raw == qt.NULLS[t]:
                return "null"
            if abs(raw) == qt.INFINITIES[t]:
                raise UnsupportedFeature("the JSON of an integer infinity is not supported")
            return str(raw)
        if t in qt.TEMPORAL:
            text = plain_text(x)
            return quoted(
                text[:10].replace(".", "-") + text[10:] if t in (12, 13, 14, 15) else text
            )
        return quoted(plain_text(x))


def to_json(x: Value, precision: int, *, null_infinities: bool = False) -> Vec:
    """Return a value as JSON text.

    Floats have the session's precision; nulls are `null`, temporals strings, tables lists of objects one a line.
    """
    return string(_Writer(precision, null_infinities=null_infinities).text(x))


@primitive(".j.j", host=True)
def serialize(host: Host, x: Value) -> Value:
    """A value as JSON text."""
    return to_json(x, host.precision)


@primitive(".j.jd", host=True)
def serialize_with(host: Host, x: Value) -> Value:
    """`(value;options)` as JSON text; the option `null0w` writes infinities as null."""
    if type(x) is not GList or len(x.items) != 2 or type(x.items[1]) is not Dict:
        raise QError("type")
    value, options = x.items
    chosen = {
        raw_of(key): given
        for key, given in zip(items_of(options.k), items_of(options.v), strict=True)
    }
    return to_json(value, host.precision, null_infinities=chosen.get("null0w") is True)


def _value(x: Any) -> Value:
    """Turn what the JSON reader found into a q value: numbers are floats, keys symbols, null 0n."""
    if x is None:
        return qt.NAN
    if isinstance(x, (bool, float)):
        return x
    if isinstance(x, str):
        return string(x)
    if isinstance(x, list):
        if x and all(type(item) is bool for item in x):
            return booleans(x)
        return collapse([_value(item) for item in x])
    return Dict(symbols(x), collapse([_value(item) for item in x.values()]))


def _not_json(text: str) -> float:
    raise ValueError(text)


@primitive(".j.k")
def deserialize(x: Value) -> Value:
    """The value of JSON text: numbers are floats, strings char vectors, objects dictionaries or tables."""
    import json

    if type_number(x) not in (10, -10):
        raise QError("type")
    try:
        found = json.loads(text_of(x), parse_int=float, parse_constant=_not_json, strict=False)
    except ValueError as error:
        raise QError("json", str(error)) from None
    return _value(found)
