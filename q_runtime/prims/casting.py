"""`$`: casts between types, parsing of text, padding, and symbols from strings.

A cast by a lower-case letter, name or number converts; by a capital letter it parses text.
"""

from __future__ import annotations

import re

import numpy as np

from q_runtime.errors import QError
from q_runtime.lang.literals import read_number
from q_runtime.prims.atomic import monadic
from q_runtime.prims.linalg import is_matrix, mmu
from q_runtime.prims.registry import primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
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
    null_atom,
    text_of,
    type_number,
    vector,
)

_INT_TEXT = re.compile(r"[+-]?\d{1,400}$", re.ASCII)
_NS = {17: 60_000_000_000, 18: 1_000_000_000, 19: 1_000_000, 16: 1}


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
    if not is_list(y):
        return [y] * n
    if length(y) != n:
        raise QError("length")
    return items_of(y)


def _each_target(x: Value, y: Value) -> Value:
    if type(y) is Dict:
        return Dict(y.k, _each_target(x, y.v))
    if not is_list(y):
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


def cast_array(source: int, a: np.ndarray, target: int) -> np.ndarray:
    """Convert an array as `$` does: floats round to integers, times change unit.

    Raises: QError('type') where kdb+ has no such cast.
    """
    if source == target:
        return a
    if 11 in (source, target) or 2 in (source, target):
        raise QError("type")
    if source in qt.TEMPORAL and target in qt.TEMPORAL:
        return _cast_temporal(source, a, target)
    if target == 1:
        return a != 0
    if target in (4, 10):
        wide = np.rint(a) if source in qt.FLOATS else a
        if a.dtype.itemsize == 8:
            wide = np.clip(np.nan_to_num(wide), -qt.INT_INF, qt.INT_INF)
        with np.errstate(all="ignore"):
            return wide.astype(np.int64).astype(np.uint8)
    if source in qt.FLOATS and target in qt.INTEGERS:
        with np.errstate(all="ignore"):
            return (
                widen_array(source, np.rint(a), target)
                if source != 8
                else widen_array(9, np.rint(a.astype(float)), target)
            )
    if (
        source in qt.INTEGERS
        and target in qt.INTEGERS
        and (qt.DTYPES[target].itemsize < a.dtype.itemsize)
    ):
        return widen_array(source, a, target)
    return widen_array(source, a, target)


def _cast_temporal(source: int, a: np.ndarray, target: int) -> np.ndarray:
    if source == 13 or target == 13:
        days = a if source == 14 else None
        return _cast_months(source, a, target, days)
    if source == 15:
        nanos = widen_array(9, np.rint(a * qt.NS_PER_DAY), 7)
    elif source == 14:
        nanos = _scale(a, qt.NS_PER_DAY, 14)
    elif source in _NS:
        nanos = _scale(a, _NS[source], source)
    else:
        nanos = a
    null = nanos == qt.LONG_NULL
    if source in (12, 15) and target in (16, 17, 18, 19):
        nanos = np.where(null, nanos, nanos % qt.NS_PER_DAY)
    if target in (12, 16):
        return nanos
    if target == 15:
        return np.where(null, np.nan, nanos / qt.NS_PER_DAY)
    unit = qt.NS_PER_DAY if target == 14 else _NS[target]
    return widen_array(7, np.where(null, qt.LONG_NULL, nanos // unit), target)


def _scale(a: np.ndarray, unit: int, source: int) -> np.ndarray:
    wide = widen_array(source, a, 7)
    return np.where(np.abs(wide) >= qt.LONG_INF, wide, wide * unit)


def _cast_months(source: int, a: np.ndarray, target: int, days: np.ndarray | None) -> np.ndarray:
    if source == 13:
        stamps = a.astype("int64").astype("datetime64[M]") + 360
        null = a == qt.INT_NULL
        as_days = (stamps.astype("datetime64[D]").astype("int64") - 10957).astype(np.int64)
        as_days = np.where(null, qt.LONG_NULL, as_days)
        return (
            _cast_temporal(14, widen_array(7, as_days, 14), target)
            if target != 14
            else (widen_array(7, as_days, 14))
        )
    if days is None:
        days = _cast_temporal(source, a, 14)
    null = days == qt.INT_NULL
    months = (days.astype("int64") + 10957).astype("datetime64[D]").astype("datetime64[M]")
    out = months.astype("int64") - 360
    return np.where(null, qt.INT_NULL, out).astype(np.int32)


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
    if t in (16, 17, 18, 19):
        raise QError("type")
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


def parse_text(t: int, text: str) -> Value:
    """Read text as one atom of type `t`; what cannot be read gives a null."""
    if t == 10:
        return make_atom(10, ord(text)) if len(text) == 1 else null_atom(10)
    if t == 11:
        return Atom(-11, text.strip(" "))
    word = text.strip()
    if t == 1:
        return word[:1].lower() in ("1", "t", "y") if word else False
    if t == 4:
        try:
            return make_atom(4, int(word, 16) & 255)
        except ValueError:
            return make_atom(4, 0)
    if t == 2:
        return _parse_guid(word)
    if t in (5, 6, 7):
        return _parse_integer(t, word)
    if t in (8, 9):
        return _parse_float(t, word)
    return _parse_temporal(t, word)


def _parse_guid(word: str) -> Value:
    digits = word.replace("-", "")
    if len(digits) == 32 and re.fullmatch("[0-9a-fA-F]{32}", digits):
        return make_atom(2, int(digits, 16))
    return null_atom(2)


def _parse_integer(t: int, word: str) -> Value:
    if _INT_TEXT.match(word):
        number = int(word)
        bound = qt.INFINITIES[t]
        return make_atom(t, number) if -bound <= number <= bound else null_atom(t)
    made = (
        read_number(word)
        if word and word[:1] in "-0" and word.strip("-")[:2] in ("0N", "0W")
        else None
    )
    if made is not None:
        return vector(t, widen_array(made[0], vector(made[0], [made[1]]).a, t)) and make_atom(
            t, widen_array(made[0], vector(made[0], [made[1]]).a, t).item()
        )
    return null_atom(t)


_FLOAT_TEXT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$", re.ASCII)


def _parse_float(t: int, word: str) -> Value:
    if _FLOAT_TEXT.match(word):
        number = float(word)
    elif word in ("0w", "0W", "-0w", "-0W", "inf", "-inf"):
        number = -qt.INF if word[0] == "-" else qt.INF
    else:
        number = qt.NAN
    return make_atom(t, float(np.float32(number)) if t == 8 else number)


def _parse_temporal(t: int, word: str) -> Value:
    if not word:
        return null_atom(t)
    made = read_number(word)
    if made is None and t == 14:
        digits = word.replace("/", ".").replace("-", ".")
        if re.fullmatch(r"[0-9]{8}", word):
            digits = f"{word[:4]}.{word[4:6]}.{word[6:]}"
        made = read_number(digits) if digits else None
    if made is None and t in (12, 15):
        iso = word.replace("-", ".", 2).replace("T", "D" if t == 12 else "T")
        made = read_number(iso)
    if made is None or made[0] not in qt.TEMPORAL:
        return null_atom(t)
    source = made[0]
    a = vector(source, [made[1]]).a
    return make_atom(t, cast_array(source, a, t).item() if source != t else made[1])


def _pad(n: int, y: Value) -> Value:
    """Pad or cut text to a width; a negative width pads on the left."""
    if type(y) is GList:
        return collapse([_pad(n, i) for i in y.items])
    if type(y) is Dict:
        return Dict(y.k, _pad(n, y.v))
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
