"""`vs` and `sv`: text and its parts, numbers and their digits, values and their bytes or bits.

What the left side is decides: a character or string, the null symbol, `0b`, bytes, or integers as bases.
"""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.prims import arith
from q_runtime.prims.registry import primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    bytes_string,
    collapse,
    is_list,
    items_of,
    length,
    make_atom,
    raw_of,
    symbols,
    type_number,
)

_BASES = (-7, -6, -5)
_OF_WIDTH = {2: 5, 4: 6, 8: 7, 16: 2}
"""The type of which a number of this many bytes is read."""


@primitive("vs", 2)
def vs(x: Value, y: Value) -> Value:
    """Split text at a separator; write a number in a base, in bits or in bytes. Source: KX ref/vs."""
    t = type_number(x)
    if t in (-10, 10):
        return GList([bytes_string(part) for part in _pieces(_bytes_of(x), _bytes_of(y))])
    if t == -11 and not x.v:
        return _split_by_null(y)
    if t == -1:
        if type(y) is bool:
            raise QError("type")
        data = np.frombuffer(_bytes_of_atom(y), np.uint8)
        return Vec(1, np.unpackbits(data).astype(bool))
    if t == 4 or (t == -4 and type(y) is Vec and y.t in (4, 10)):
        return GList([_byte_vector(part) for part in _pieces(_bytes_of(x), _bytes_of(y))])
    if t == -4:
        return _byte_vector(_bytes_of_atom(y))
    if t in _BASES:
        return _digits(x, y)
    if t in (5, 6, 7):
        return _mixed_digits(items_of(x), y)
    raise QError("type")


@primitive("sv", 2)
def sv(x: Value, y: Value) -> Value:
    """Join text with a separator; read digits in a base, bits or bytes as a number. Source: KX ref/sv."""
    t = type_number(x)
    if t in (-10, 10):
        return bytes_string(_bytes_of(x).join(_parts(y)))
    if t == -11 and not x.v:
        return _join_by_null(y)
    if t == -1:
        return _from_bits(y)
    if t in (-4, 4) and type(y) is GList:
        return _byte_vector(_bytes_of(x).join(_parts(y)))
    if t == -4:
        return _from_bytes(y)
    if t in _BASES:
        return _from_digits([x] * max(length(y), 1), y)
    if t in (5, 6, 7):
        if not is_list(y) or length(x) != length(y):
            raise QError("length" if is_list(y) else "type")
        return _from_digits(items_of(x), y)
    raise QError("type")


# -- text and bytes


def _bytes_of(x: Value) -> bytes:
    """Return the bytes of a string, a character or bytes.

    Raises: QError('type').
    """
    if type(x) is Vec and x.t in (4, 10):
        return x.a.tobytes()
    if type(x) is Atom and x.t in (-4, -10):
        return bytes((x.v,))
    if type(x) is GList and not x.items:
        return b""
    raise QError("type")


def _pieces(mark: bytes, data: bytes) -> list[bytes]:
    if not mark:
        raise QError("length")
    return data.split(mark)


def _parts(y: Value) -> list[bytes]:
    if not is_list(y) or (type(y) is Vec and len(y.a) and y.t not in (4, 10)):
        raise QError("type")
    return [_bytes_of(item) for item in items_of(y)]


def _byte_vector(data: bytes) -> Vec:
    return Vec(4, np.frombuffer(data, dtype=np.uint8))


def _split_by_null(y: Value) -> Value:
    """Split text into lines, a dotted symbol into its parts, a path into folder and file."""
    if type(y) is Atom and y.t == -11:
        text = y.v
        if text.startswith(":") and "/" in text:
            head, _, tail = text.rpartition("/")
            return symbols([head, tail])
        return symbols(text.split("."))
    if type(y) is Vec and y.t in (4, 10):
        parts = y.a.tobytes().replace(b"\r\n", b"\n").split(b"\n")
        if parts and not parts[-1]:
            parts.pop()
        return GList([bytes_string(part) for part in parts])
    raise QError("type")


def _join_by_null(y: Value) -> Value:
    if type(y) is Vec and y.t == 11:
        names = y.a.tolist()
        return Atom(-11, ("/" if names and names[0].startswith(":") else ".").join(names))
    if type(y) is GList:
        return bytes_string(b"".join(part + b"\n" for part in _parts(y)))
    raise QError("type")


# -- bytes and bits of a value


def _bytes_of_atom(y: Value) -> bytes:
    t = -type_number(y)
    if t <= 0 or t == 11 or t >= qt.FIRST_ENUM:
        raise QError("type")
    if t == 2:
        return int(raw_of(y)).to_bytes(16, "big")
    return np.array(raw_of(y), dtype=qt.DTYPES[t].newbyteorder(">")).tobytes()


def _from_bits(y: Value) -> Value:
    if type(y) is not Vec or y.t != 1:
        raise QError("type")
    if len(y.a) == 8:
        return make_atom(4, int(np.packbits(y.a)[0]))
    if len(y.a) % 8:
        raise QError("length")
    return _from_bytes(_byte_vector(np.packbits(y.a).tobytes()))


def _from_bytes(y: Value) -> Value:
    if type(y) is not Vec or y.t != 4:
        raise QError("type")
    if len(y.a) not in _OF_WIDTH:
        raise QError("length")
    t = _OF_WIDTH[len(y.a)]
    return make_atom(t, int.from_bytes(y.a.tobytes(), "big", signed=t != 2))


# -- digits


def _require_digits(y: Value) -> None:
    """Refuse what has no digits in a base.

    Raises: QError('type') for text; UnsupportedFeature for negative numbers, nulls, floats and temporals.
    """
    if type(y) is GList:
        for item in y.items:
            _require_digits(item)
        return
    t = abs(type_number(y))
    if type_number(y) >= 98 or t in qt.NOT_NUMBERS:
        raise QError("type")
    if t in qt.FLOATS or t in qt.TEMPORAL:
        raise UnsupportedFeature("digits of floats and times are not supported")
    if np.any((y.a if type(y) is Vec else np.array(raw_of(y))) < 0):
        raise UnsupportedFeature("digits of negative numbers and nulls are not supported")


def _has_more(y: Value) -> bool:
    if type(y) is GList:
        return any(_has_more(item) for item in y.items)
    return bool(np.any(y.a != 0)) if type(y) is Vec else bool(raw_of(y))


def _digits(base: Value, y: Value) -> Value:
    if int(raw_of(base)) < 2:
        raise QError("domain")
    _require_digits(y)
    out: list[Value] = []
    while _has_more(y):
        out.append(arith.modulus(y, base))
        y = arith.integer_divide(y, base)
    return collapse(out[::-1]) if out else Vec(7, np.empty(0, dtype=np.int64))


def _mixed_digits(bases: list[Value], y: Value) -> Value:
    _require_digits(y)
    out: list[Value] = []
    for base in reversed(bases):
        if not raw_of(base):
            out.append(y)
            y = arith.multiply(y, 0)
            continue
        out.append(arith.modulus(y, base))
        y = arith.integer_divide(y, base)
    return collapse(out[::-1])


def _from_digits(bases: list[Value], y: Value) -> Value:
    if not is_list(y):
        raise QError("type")
    total: Value = 0
    for i, (base, digit) in enumerate(zip(bases, items_of(y), strict=False)):
        total = digit if i == 0 else arith.add(arith.multiply(total, base), digit)
    return total if length(y) != 1 else arith.multiply(total, 1)
