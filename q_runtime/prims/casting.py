"""`$`: casts between types, parsing of text, padding, and symbols from strings.

A cast by a lower-case letter, name or number converts; by a capital letter it parses text.
"""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.atomic import monadic
from q_runtime.prims.casting_arrays import cast_array
from q_runtime.prims.linalg import is_matrix, mmu
from q_runtime.prims.parsing import parse_text
from q_runtime.prims.registry import primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.enums import is_enum, resolve
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    bytes_string,
    collapse,
    empty,
    is_list,
    items_of,
    length,
    make_atom,
    text_of,
    type_number,
)


def _target(x: Value) -> tuple[int, bool]:
    """Return (type number, whether text is parsed) for the left side of `$`.

    Raises: QError('type') for something that is not a type.
    """
    t = type_number(x)
    if t == -10:
        letter = chr(x.v)
        if letter == "*":
            return -1, False
        if letter.lower() not in qt.TYPE_OF_LETTER:
            raise QError("type", f"no type has the letter {letter}")
        return qt.TYPE_OF_LETTER[letter.lower()], letter.isupper()
    if t == -11:
        if x.v == "":
            return 11, True
        if x.v not in qt.TYPE_OF_NAME:
            raise QError("type", f"no type has the name {x.v}")
        return qt.TYPE_OF_NAME[x.v], False
    if t == -5:
        n = abs(x.v)
        if n == 0:
            return 0, False
        if n not in qt.DTYPES:
            raise QError("type")
        return n, x.v < 0
    raise QError("type")


@primitive("$", 2)
def dollar(x: Value, y: Value) -> Value:
    """Cast, parse, pad or make symbols. Source: KX ref/cast, ref/tok, ref/pad."""
    t = type_number(x)
    if t in (-7, -6) or (t == -1 and type(y) is not bool):
        return _pad(int(x if type(x) in (int, bool) else x.v), y)
    if is_matrix(x):
        return mmu(x, y)
    if t in (10, 11, 5) or (type(x) is GList and x.items):
        return _each_target(x, y)
    if t == -11 and x.v in _PARTS:
        return _part(x.v, y)
    if t == -11 and x.v and x.v not in qt.TYPE_OF_NAME:
        from q_runtime.prims.enumeration import enumerate_in

        return enumerate_in(x.v, y)
    if type(x) is Vec and x.t in (6, 7):
        return collapse([dollar(a, b) for a, b in zip(items_of(x), _matching(x, y), strict=True)])
    target, parses = _target(x)
    return convert(target, y, parses=parses)


def _matching(x: Value, y: Value) -> list[Value]:
    n = length(x)
    if not is_list(y) and type(y) is not Table:
        return [y] * n
    if length(y) != n:
        raise QError("length")
    return items_of(y)


def _each_target(x: Value, y: Value) -> Value:
    if type(y) is Dict:
        return Dict(y.k, _each_target(x, y.v))
    if not is_list(y) and type(y) is not Table:
        return collapse([dollar(a, y) for a in items_of(x)])
    return collapse([dollar(a, b) for a, b in zip(items_of(x), _matching(x, y), strict=True)])


def convert(t: int, y: Value, *, parses: bool) -> Value:
    """Convert `y` to type `t`; `parses` reads text."""
    if type(y) is Dict:
        return Dict(y.k, convert(t, y.v, parses=parses))
    if type(y) is Table:
        return Table(y.names, [convert(t, c, parses=parses) for c in y.cols])
    if is_enum(y):
        y = resolve(y) if t == 11 else Vec(7, y.a) if type(y) is Vec else make_atom(7, y.v)
    if t in (0, -1):
        return y
    if parses:
        return _parse_deep(t, y)
    if t == 11:
        return _to_symbols(y)
    if type(y) is GList:
        return collapse([convert(t, i, parses=False) for i in y.items]) if y.items else empty(t)
    if type_number(y) >= 100:
        raise QError("type")
    return monadic(lambda s, a: (t, cast_array(s, a, t)), y)


def _to_symbols(y: Value) -> Value:
    ty = type_number(y)
    if abs(ty) == 11:
        return y
    if ty in (10, -10):
        return Atom(-11, text_of(y).strip(" "))
    if type(y) is GList:
        return collapse([_to_symbols(i) for i in y.items]) if y.items else empty(11)
    raise QError("type")


_PARTS = frozenset({"year", "mm", "dd", "hh", "uu", "ss", "week"})


def _part(name: str, y: Value) -> Value:
    """Extract a part of a date or a time as an int; `week` gives the Monday before."""
    if type(y) is GList:
        return collapse([_part(name, i) for i in y.items])
    if type(y) is Dict:
        return Dict(y.k, _part(name, y.v))
    if abs(type_number(y)) not in qt.TEMPORAL:
        raise QError("type")
    return monadic(lambda t, a: _part_array(name, t, a), y)


def _part_array(name: str, t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
    if name in ("hh", "uu", "ss") or (name == "mm" and t in (16, 17, 18, 19)):
        if t in (13, 14):
            raise QError("type")
        seconds = cast_array(t, a, 18).astype(np.int64)
        null = seconds == qt.INT_NULL
        unit = {"hh": 3600, "uu": 60, "mm": 60, "ss": 1}[name]
        value = seconds // unit if unit == 3600 else seconds // unit % 60
        return 6, np.where(null, qt.INT_NULL, value).astype(np.int32)
    if t in (16, 17, 18, 19) or (t == 13 and name in ("dd", "week")):
        raise QError("type", f"no {name} in this type")
    days = cast_array(t, a, 14) if t != 14 else a
    null = days == qt.INT_NULL
    if name == "week":
        return 14, np.where(null, qt.INT_NULL, days - (days + 5) % 7).astype(np.int32)
    stamps = (days.astype(np.int64) + 10957).astype("datetime64[D]")
    months = stamps.astype("datetime64[M]")
    if name == "year":
        value = months.astype(np.int64) // 12 + 1970
    elif name == "mm":
        value = months.astype(np.int64) % 12 + 1
    else:
        value = (stamps - months).astype(np.int64) + 1
    return 6, np.where(null, qt.INT_NULL, value).astype(np.int32)


# -- parsing


def _parse_deep(t: int, y: Value) -> Value:
    ty = type_number(y)
    if ty == 10 or ty == -10:
        return parse_text(t, text_of(y))
    if type(y) is GList:
        return collapse([_parse_deep(t, i) for i in y.items]) if y.items else empty(t)
    if t == 11 and abs(ty) == 11:
        return y
    if abs(ty) == 11:
        if ty < 0:
            return parse_text(t, y.v)
        return collapse([parse_text(t, s) for s in y.a.tolist()])
    raise QError("type")


def _pad(n: int, y: Value) -> Value:
    """Pad or cut text to a width; a negative width pads on the left."""
    if type(y) is GList:
        return collapse([_pad(n, i) for i in y.items])
    if type(y) is Dict:
        return Dict(y.k, _pad(n, y.v))
    if type(y) is Table:
        return Table(y.names, [_pad(n, c) for c in y.cols])
    if type(y) is Vec and y.t == 10:
        data = y.a.tobytes()
    elif type(y) is Atom and y.t == -10:
        data = bytes((y.v,))
    else:
        raise QError("type")
    width = abs(n)
    from q_runtime.limits import reserve

    reserve(width, 1)
    made = data[:width].ljust(width) if n >= 0 else data[-width:].rjust(width) if width else b""
    return bytes_string(made)
