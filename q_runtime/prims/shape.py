"""Shape and base: flip, sv, vs, each-like keywords (each over scan prior peach), apply `@` and `.`.

`@` and `.` with three or four arguments are the traps and the functional amends.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.amend import MISSING, amend_at, amend_deep
from q_runtime.prims.registry import Host, primitive
from q_runtime.values.dicts import Dict, Table, make_table
from q_runtime.values.functions import NIL, Derived, Nil, is_function
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    collapse,
    is_list,
    items_of,
    length,
    string,
    symbols,
    type_number,
)


@primitive("flip")
def flip(x: Value) -> Value:
    """Transpose a list of lists; a table from a column dictionary and back."""
    if type(x) is Dict:
        if x.is_keyed_table:
            raise QError("nyi")
        return make_table(x)
    if type(x) is Table:
        return Dict(symbols(x.names), GList(list(x.cols)))
    if type(x) is not GList:
        raise QError("rank" if is_list(x) or type_number(x) < 0 else "type")
    rows = [r for r in x.items if is_list(r)]
    if not rows:
        raise QError("rank" if x.items else "length")
    n = length(rows[0])
    if any(length(r) != n for r in rows):
        raise QError("length")
    columns = [items_of(r) if is_list(r) else [r] * n for r in x.items]
    return GList([collapse([c[i] for c in columns]) for i in range(n)])


def _iterator_keyword(name: str, glyph: str) -> None:
    def keyword(host: Host, f: Value, x: Value) -> Value:
        if not (
            is_function(f) or type(f) in (Vec, GList, Dict, Table) or type_number(f) in (-11, 101)
        ):
            raise QError("type", f"{name}: expected a function on the left")
        if type(f) is Atom:
            f = host.get_global(f.v)
        return host.apply(Derived(glyph, f), (x,))

    keyword.__doc__ = f"Apply the function on the left with the iterator {glyph}."
    primitive(name, 2, host=True)(keyword)


for _name, _glyph in (
    ("each", "'"),
    ("peach", "'"),
    ("over", "/"),
    ("scan", "\\"),
    ("prior", "':"),
):
    _iterator_keyword(_name, _glyph)


def _resolve(host: Host, d: Value) -> tuple[Value, str | None]:
    """Return the value to amend and the name to store it under, when given by name."""
    if type(d) is Atom and d.t == -11 and d.v:
        return host.get_global(d.v), d.v
    return d, None


def _whole(host: Host, name: str, f: Value, y: Value) -> Value:
    """Return the new value of a whole variable, which need not exist when it is replaced or appended to."""
    if f.name == ":":
        return y
    try:
        old = host.get_global(name)
    except QError:
        if f.name != ",":
            raise
        old = GList([])
    return host.apply(f, [old, y])


def _store(host: Host, name: str | None, made: Value) -> Value:
    if name is None:
        return made
    host.set_global(name, made)
    return Atom(-11, name)


def _trapped(host: Any, f: Value, args: list[Value], handler: Value) -> Value:
    """Apply; when q signals, give the handler the error text, or return it as it is."""
    depth = host.budget.depth
    try:
        return host.apply(f, args)
    except QError as error:
        host.budget.depth = depth
        if is_function(handler) or type(handler) is Nil:
            return host.apply(handler, [string(error.code)])
        return handler
    except RecursionError:
        host.budget.depth = depth
        if is_function(handler):
            return host.apply(handler, [string("stack")])
        return handler


@primitive("@", 2, 3, 4, host=True)
def at(host: Host, x: Value, y: Value, *rest: Value) -> Value:
    """Apply or index; with more arguments the trap or the amend. Source: KX ref/apply, ref/amend."""
    if not rest:
        if type(x) is Atom and x.t == -11:
            x = host.get_global(x.v)
        return host.at(x, y)  # type: ignore[attr-defined]
    if is_function(x) and len(rest) == 1:
        return _trapped(host, x, [y], rest[0])
    d, name = _resolve(host, x)
    if name is not None and is_function(d) and len(rest) == 1:
        return _trapped(host, d, [y], rest[0])
    f, *value = rest
    if not value and not (is_function(f) or type(f) in (Dict, Vec, GList, Nil)):
        raise QError("type")
    if type(d) not in (Vec, GList, Dict, Table):
        raise QError("type")
    return _store(host, name, amend_at(host, d, y, f, value[0] if value else MISSING))


@primitive(".", 2, 3, 4, host=True)
def dot(host: Host, x: Value, y: Value, *rest: Value) -> Value:
    """Apply to a list of arguments or index at depth; with more arguments the trap or the amend."""
    if not rest:
        if type(x) is Atom and x.t == -11:
            x = host.get_global(x.v)
        if not is_list(y):
            raise QError("type")
        args = items_of(y)
        if not args and not is_function(x):
            return x
        return host.apply(x, args or [NIL])
    if len(rest) == 1 and is_list(y):
        f, _ = _resolve(host, x)
        if is_function(f):
            return _trapped(host, f, items_of(y) or [NIL], rest[0])
    f, *value = rest
    if not is_list(y):
        raise QError("type")
    from q_runtime.values.functions import Prim

    if value and not length(y) and type(x) is Atom and x.t == -11 and x.v and type(f) is Prim:
        return _store(host, x.v, _whole(host, x.v, f, value[0]))
    d, name = _resolve(host, x)
    if type(d) not in (Vec, GList, Dict, Table) and length(y):
        raise QError("type")
    if type(f) is Prim and f.name == ":":
        f = None
    path = items_of(y)
    if not path and value and f is None:
        return _store(host, name, value[0])
    made = amend_deep(host, d, path, f, value[0] if value else MISSING)
    return _store(host, name, made)


@primitive(":", 2)
def assign(x: Value, y: Value) -> Value:
    """The right argument; as an operator of amend, replacement."""
    return y


@primitive("::", 1)
def identity(x: Value) -> Value:
    """The argument."""
    return x


# -- base and text: vs and sv


def _digits(base: int, n: int) -> list[int]:
    if n == 0:
        return []
    if n < 0:
        raise QError("domain")
    out = []
    while n:
        n, d = divmod(n, base)
        out.append(d)
    return out[::-1]


@primitive("vs", 2)
def vs(x: Value, y: Value) -> Value:
    """Split text at a separator; write a number in a base, in bits or in bytes."""
    tx = type_number(x)
    if tx in (-10, 10) or (tx == -11):
        return _split(x, y)
    if tx == -1:
        return _bits(y)
    if tx == -4:
        width, raw = _width_raw(y)
        return Vec(4, np.frombuffer((raw & (256**width - 1)).to_bytes(width, "big"), np.uint8))
    if tx in (-7, -6, -5):
        base = int(x if type(x) is int else x.v)
        if base < 2:
            raise QError("domain")
        if is_list(y):
            rows = [_digits(base, int(v)) for v in _integers(y)]
            n = max(map(len, rows), default=0)
            rows = [[0] * (n - len(r)) + r for r in rows]
            return GList([Vec(7, np.array([r[i] for r in rows], np.int64)) for i in range(n)])
        made = np.array(_digits(base, _integer(y)), dtype=np.int64)
        return Vec(7, made)
    if type(x) is Vec and x.t in (5, 6, 7):
        return _mixed_digits(x.a.tolist(), y)
    raise QError("type")


def _integer(y: Value) -> int:
    t = type_number(y)
    if -t not in (1, 4, 5, 6, 7):
        raise QError("type")
    return int(y if type(y) in (int, bool) else y.v)


def _integers(y: Value) -> list[int]:
    if type(y) is not Vec or y.t not in (1, 4, 5, 6, 7):
        raise QError("type")
    return y.a.tolist()


def _mixed_digits(bases: list[int], y: Value) -> Value:
    if is_list(y):
        rows = [_mixed_digits(bases, int(v)) for v in _integers(y)]
        return flip(GList(rows))
    n = _integer(y)
    out = []
    for base in reversed(bases[1:]):
        n, d = divmod(n, base) if base else (0, n)
        out.append(d)
    if bases:
        out.append(n % bases[0] if bases[0] else n)
    return Vec(7, np.array(out[::-1], dtype=np.int64))


def _width_raw(y: Value) -> tuple[int, int]:
    t = -type_number(y)
    widths = {1: 1, 4: 1, 5: 2, 6: 4, 7: 8, 10: 1, 12: 8, 13: 4, 14: 4, 16: 8, 17: 4, 18: 4, 19: 4}
    if t not in widths:
        raise QError("type")
    return widths[t], int(y if type(y) in (int, bool) else y.v)


def _bits(y: Value) -> Value:
    if type(y) is Vec:
        return GList([_bits(item) for item in items_of(y)])
    if type(y) is bool:
        raise QError("type")
    width, raw = _width_raw(y)
    data = np.frombuffer((raw & (256**width - 1)).to_bytes(width, "big"), np.uint8)
    return Vec(1, np.unpackbits(data).astype(bool))


def _split(x: Value, y: Value) -> Value:
    if type(x) is Atom and x.t == -11:
        if x.v:
            raise QError("type")
        return _split_by_null(y)
    if type(y) is GList:
        return GList([_split(x, item) for item in y.items])
    if type(y) is Vec and y.t == 10:
        data = y.a.tobytes()
    elif type(y) is Atom and y.t == -10:
        data = bytes((y.v,))
    else:
        raise QError("type")
    mark = x.a.tobytes() if type(x) is Vec else bytes((x.v,))
    if not mark:
        raise QError("length")
    return GList([_chars(part) for part in data.split(mark)])


def _chars(data: bytes) -> Vec:
    return Vec(10, np.frombuffer(data, dtype=np.uint8))


def _split_by_null(y: Value) -> Value:
    """`` ` vs``: lines of text, or the parts of a dotted symbol."""
    if type(y) is Atom and y.t == -11:
        text = y.v
        if text.startswith(":") and "/" in text:
            head, _, tail = text.rpartition("/")
            return symbols([head, tail])
        return symbols(text.split("."))
    if type(y) is Vec and y.t == 10:
        data = y.a.tobytes()
        parts = data.replace(b"\r\n", b"\n").split(b"\n")
        if parts and not parts[-1]:
            parts.pop()
        return GList([_chars(p) for p in parts])
    raise QError("type")


@primitive("sv", 2)
def sv(x: Value, y: Value) -> Value:
    """Join text with a separator; read digits in a base, bits or bytes as a number."""
    tx = type_number(x)
    if tx in (10, -10):
        parts = [_bytes_of(item) for item in (y.items if type(y) is GList else _wrong(y))]
        mark = x.a.tobytes() if tx == 10 else bytes((x.v,))
        return _chars(mark.join(parts))
    if tx == -11:
        return _join_by_null(x, y)
    if tx == -1:
        return _from_bits(y)
    if tx == -4:
        return _from_bytes(y)
    if tx in (-7, -6, -5):
        return _from_digits(int(x if type(x) is int else x.v), y)
    if type(x) is Vec and x.t in (5, 6, 7):
        digits = _integers(y)
        bases = x.a.tolist()
        if len(bases) != len(digits):
            raise QError("length")
        total = 0
        for base, digit in zip(bases, digits, strict=True):
            total = total * base + digit
        return int(np.array(total & (2**64 - 1), dtype=np.uint64).astype(np.int64))
    raise QError("type")


def _wrong(y: Value) -> list[Value]:
    if is_list(y) and not length(y):
        return []
    if type(y) is Vec and y.t == 10:
        return items_of(y)
    raise QError("type")


def _bytes_of(x: Value) -> bytes:
    if type(x) is Vec and x.t == 10:
        return x.a.tobytes()
    if type(x) is Atom and x.t == -10:
        return bytes((x.v,))
    if type(x) is GList and not x.items:
        return b""
    raise QError("type")


def _from_digits(base: int, y: Value) -> Value:
    if type(y) is GList and not y.items:
        return 0
    if type(y) is GList:
        total: Value = 0
        from q_runtime.prims import arith

        for item in y.items:
            total = arith.add(arith.multiply(total, base), item)
        return total
    if type(y) is Vec and y.t in (8, 9):
        value = 0.0
        for digit in y.a.tolist():
            value = value * base + digit
        return value
    total = 0
    for digit in _integers(y):
        total = total * base + digit
    return int(np.array(total & (2**64 - 1), dtype=np.uint64).astype(np.int64))


def _from_bits(y: Value) -> Value:
    from q_runtime.values.vectors import make_atom

    if type(y) is not Vec or y.t != 1:
        raise QError("type")
    n = len(y.a)
    kinds = {8: 4, 16: 5, 32: 6, 64: 7}
    if n not in kinds:
        raise QError("length")
    raw = int.from_bytes(np.packbits(y.a).tobytes(), "big")
    signed = raw if n == 8 or raw < 2 ** (n - 1) else raw - 2**n
    return make_atom(kinds[n], signed)


def _from_bytes(y: Value) -> Value:
    from q_runtime.values.vectors import make_atom

    if type(y) is not Vec or y.t != 4:
        raise QError("type")
    kinds = {2: 5, 4: 6, 8: 7}
    if len(y.a) not in kinds:
        raise QError("length")
    return make_atom(kinds[len(y.a)], int.from_bytes(y.a.tobytes(), "big", signed=True))


def _join_by_null(x: Atom, y: Value) -> Value:
    if x.v:
        raise QError("type")
    if type(y) is Vec and y.t == 11:
        names = y.a.tolist()
        if names and names[0].startswith(":"):
            return Atom(-11, "/".join(names))
        return Atom(-11, ".".join(names))
    if type(y) is GList:
        return _chars(b"".join(_bytes_of(item) + b"\n" for item in y.items))
    raise QError("type")
