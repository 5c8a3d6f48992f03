"""The wire form of q values: JSON, engine-neutral.

`{"t": T, "v": V}` with T the kdb+ type number. Atoms have T < 0; nulls are None, infinities "0W" "-0W"
(integers) or "0w" "-0w" (floats). Vectors hold the same item forms, a char vector is one string.
`{"t": 99, "k", "v"}` is a dictionary, `{"t": 98, "k": names, "v": columns}` a table,
`{"t": 101, "v": "::"}` the generic null; any function is `{"t": 100..111, "v": source text}`.
Text is UTF-8; bytes that are not are kept by surrogate escapes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from q_runtime.errors import QError
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.enums import resolve
from q_runtime.values.functions import NIL, FunctionText, Nil
from q_runtime.values.literal import function_source, raw_text
from q_runtime.values.vectors import (
    CHARS,
    GList,
    Value,
    Vec,
    make_atom,
    raw_of,
    string,
    type_number,
    vector,
)

Wire = dict[str, Any]


def _item_to_wire(t: int, raw: Any) -> Any:
    if t in (1, 4, 11):
        return raw
    if t == 10:
        return bytes((raw,)).decode("utf-8", "surrogateescape")
    if t == 2:
        return raw_text(2, raw)
    if t in qt.FLOATS:
        if raw != raw:
            return None
        return raw if abs(raw) != qt.INF else ("0w" if raw > 0 else "-0w")
    if raw == qt.NULLS[t]:
        return None
    return raw if abs(raw) != qt.INFINITIES[t] else ("0W" if raw > 0 else "-0W")


def _item_from_wire(t: int, item: Any) -> Any:
    if item is None:
        return qt.NULLS[t]
    if t == 2:
        return int(str(item).replace("-", ""), 16)
    if t in qt.FLOATS:
        if isinstance(item, str):
            return {"0w": qt.INF, "-0w": -qt.INF}[item]
        return float(item)
    if t in qt.INTEGERS and isinstance(item, str):
        return {"0W": qt.INFINITIES[t], "-0W": -qt.INFINITIES[t]}[item]
    return item


_PLAIN = {1: bool, 5: int, 6: int, 7: int, 9: float, 11: str}
"""Types of vectors whose items JSON has as they are, by the Python type of those that are not special."""


def _items_to_wire(t: int, a: np.ndarray) -> list[Any]:
    """The items of a vector; those without nulls and infinities are as they are."""
    raws: list[Any] = a.tolist()
    if t in (1, 4, 11):
        return raws
    if t in qt.INTEGERS and {qt.NULLS[t], qt.INFINITIES[t], -qt.INFINITIES[t]}.isdisjoint(raws):
        return raws
    if t == 9 and np.isfinite(a).all():
        return raws
    return [_item_to_wire(t, raw) for raw in raws]


def to_wire(x: Value) -> Wire:
    """Convert a q value to its wire form."""
    x = resolve(x)
    t = type_number(x)
    if t < 0:
        return {"t": t, "v": _item_to_wire(-t, raw_of(x))}
    if type(x) is Vec:
        if t == 10:
            return {"t": 10, "v": x.a.tobytes().decode("utf-8", "surrogateescape")}
        return {"t": t, "v": _items_to_wire(t, x.a)}
    if type(x) is GList:
        return {"t": 0, "v": [to_wire(item) for item in x.items]}
    if type(x) is Dict:
        return {"t": 99, "k": to_wire(x.k), "v": to_wire(x.v)}
    if type(x) is Table:
        return {"t": 98, "k": list(x.names), "v": [to_wire(c) for c in x.cols]}
    if type(x) is Nil:
        return {"t": 101, "v": "::"}
    return {"t": t, "v": function_source(x)}


def from_wire(wire: Wire, function: Callable[[str], Value] | None = None) -> Value:
    """Convert a wire form to a q value; `function` turns source text into a function value.

    Raises: QError('type') for a malformed wire form, or a function where none can be made.
    """
    try:
        t = wire["t"]
        if t == 101 and wire["v"] == "::":
            return NIL
        if t == 99:
            return Dict(from_wire(wire["k"], function), from_wire(wire["v"], function))
        if t == 98:
            return Table(list(wire["k"]), [from_wire(c, function) for c in wire["v"]])
        if t == 0:
            return GList([from_wire(item, function) for item in wire["v"]])
        if t >= 100:
            if function is None:
                raise QError("type", "a function cannot be made here")
            return function(wire["v"])
        if t == 10:
            return string(wire["v"])
        if t == -10:
            data = wire["v"].encode("utf-8", "surrogateescape")
            return CHARS[data[0]]
        if t < 0:
            raw = _item_from_wire(-t, wire["v"])
            return make_atom(-t, float(np.float32(raw)) if t == -8 else raw)
        items = wire["v"]
        if set(map(type, items)) == {_PLAIN.get(t)}:
            return vector(t, items)
        return vector(t, [_item_from_wire(t, item) for item in items])
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise QError("type", f"malformed wire value: {error}") from error


def format_wire(wire: Wire) -> str:
    """Return the q literal text of a wire value: evaluating it gives the value again."""
    return source_text(from_wire(wire, FunctionText))


def source_text(x: Value) -> str:
    """Return q source that evaluates to `x`, at full float precision."""
    from q_runtime.values.literal import atom_text, vector_text

    t = type_number(x)
    if type(x) is FunctionText:
        return x.text
    if t < 0:
        text = atom_text(x, 17) if -t not in qt.FLOATS else _float_source(x, -t)
        if t == -2:
            return f'"G"$"{text}"'
        if t == -11:
            return _symbol_source(raw_of(x))
        return text
    if type(x) is Vec:
        return _vector_source(x, vector_text)
    if type(x) is GList:
        if not x.items:
            return "()"
        if len(x.items) == 1:
            return f"enlist {_wrapped(x.items[0])}"
        return f"({';'.join(source_text(i) for i in x.items)})"
    if type(x) is Dict:
        return f"{_wrapped(x.k)}!{_wrapped(x.v)}"
    if type(x) is Table:
        names = vector(11, x.names)
        return f"flip {_wrapped(names)}!{_wrapped(GList(list(x.cols)))}"
    return function_source(x)


def _wrapped(x: Value) -> str:
    text = source_text(x)
    return text if text.startswith("(") and type(x) is GList and len(x.items) != 1 else f"({text})"


def _float_source(x: Value, t: int) -> str:
    raw = raw_of(x)
    if raw != raw or abs(raw) == qt.INF:
        word = "0n" if raw != raw else ("0w" if raw > 0 else "-0w")
        return {9: word, 8: word.replace("n", "N").replace("w", "W") + "e"}.get(t, word + "z")
    if t == 15:
        return f"(`datetime$({raw!r}))"
    text = repr(raw)
    if t == 8:
        return f"({np.float32(raw)!s}e)" if "e" not in str(np.float32(raw)) else f"(`real${raw!r})"
    return text


def _symbol_source(text: str) -> str:
    plain = (text.replace(".", "").replace("_", "").isalnum() and text.isascii()) or not text
    return "`" + text if (plain and text[:1] not in "_") or not text else f'(`$"{_escaped(text)}")'


def _escaped(text: str) -> str:
    from q_runtime.values.literal import escape

    return escape(text.encode("utf-8", "surrogateescape"))


def _vector_source(x: Vec, vector_text: Callable[..., str]) -> str:
    if not len(x.a):
        return '""' if x.t == 10 else f"(`{qt.NAMES[x.t]}$())"
    if len(x.a) == 1:
        one = make_atom(x.t, x.a[0].item() if x.t not in (2, 11) else x.a[0])
        return f"(enlist {source_text(one)})"
    if x.t == 11 and any(_symbol_source(s).startswith("(") for s in x.a.tolist()):
        inner = ";".join(f'"{_escaped(s)}"' for s in x.a.tolist())
        return (
            f"(`$({inner}))"
            if all(len(s) != 1 for s in x.a.tolist())
            else ("(" + ";".join(_symbol_source(s) for s in x.a.tolist()) + ")")
        )
    if x.t == 9:
        texts = [_float_source(r, 9) for r in x.a.tolist()]
        return " ".join(texts)
    if x.t in (8, 15, 2):
        parts = [source_text(make_atom(x.t, r)) for r in x.a.tolist()]
        return f"({';'.join(parts)})"
    return vector_text(x, 17)
