"""kdb+'s binary form of values, as `-8!` and `-9!` and every connection between q processes use it.

`encode` and `decode` are pure: a whole message with its header of eight bytes, little endian, as kdb+ 4.1 writes it.
Sockets and handshakes are not here; compression is in compression.py. Bytes that are no message give 'badmsg, whatever
they are. Source: KX kb/serialization, basics/ipc.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.values import qtypes as qt
from q_runtime.values.compression import compress, expand
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.enums import resolve
from q_runtime.values.functions import (
    HOLE,
    ITERATOR_TYPES,
    NIL,
    Composition,
    Derived,
    Hole,
    IteratorValue,
    Lambda,
    Nil,
    Prim,
    Projection,
    negated_operator,
    rank_of,
)
from q_runtime.values.opcodes import ALIASES, BINARY, COMPOSED, ITERATORS, UNARY
from q_runtime.values.vectors import (
    GList,
    Value,
    Vec,
    items_of,
    make_atom,
    raw_of,
    string,
    symbols,
    type_number,
    vector,
)

HEADER = 8
MAX_NESTING = 500
_ATTRIBUTES = ("", "s", "u", "p", "g")
_WIRE = {
    t: np.dtype("u1" if dtype.kind == "b" else dtype.str.replace("=", "<"))
    for t, dtype in qt.DTYPES.items()
    if dtype.kind != "O" and t < qt.FIRST_ENUM
}
_ITEMS = frozenset((*_WIRE, 2, 11))


def encode(x: Value, kind: int = 0) -> bytes:
    """Return the message for a value; kind 0 is asynchronous, 1 synchronous, 2 a response.

    Raises: UnsupportedFeature for a value whose form is not known.
    """
    body: list[bytes] = []
    _put(x, body)
    payload = b"".join(body)
    total = HEADER + len(payload)
    return struct.pack("<BBBBI", 1, kind, 0, total >> 32, total & 0xFFFFFFFF) + payload


def encode_compressed(x: Value) -> bytes:
    """Return the compressed message for a value, or the plain one where compression does not halve it."""
    return compress(encode(x))


def encode_error(code: str, kind: int = 2) -> bytes:
    """Return the message that tells a caller of an error."""
    payload = b"\x80" + code.encode("utf-8", "surrogateescape") + b"\0"
    return struct.pack("<BBBBI", 1, kind, 0, 0, HEADER + len(payload)) + payload


def _put(x: Value, out: list[bytes]) -> None:
    """Append the form of a value; enumerations are sent as what they stand for."""
    x = resolve(x)
    t = type_number(x)
    if t < 0:
        out.append(struct.pack("b", t))
        out.append(_raw_bytes(-t, raw_of(x)))
    elif type(x) is Vec:
        out.append(struct.pack("<BBi", t, _ATTRIBUTES.index(x.attr), len(x.a)))
        out.append(_vector_bytes(x))
    elif type(x) is GList:
        out.append(struct.pack("<BBi", 0, _ATTRIBUTES.index(x.attr), len(x.items)))
        for item in x.items:
            _put(item, out)
    elif type(x) is Dict:
        out.append(b"\x7f" if x.attr == "s" else b"\x63")
        _put(x.k, out)
        _put(x.v, out)
    elif type(x) is Table:
        out.append(bytes((98, _ATTRIBUTES.index(x.attr), 99)))
        _put(symbols(x.names), out)
        _put(GList(x.cols), out)
    else:
        _put_function(x, out)


def _raw_bytes(t: int, raw: object) -> bytes:
    if t == 11:
        return str(raw).encode("utf-8", "surrogateescape") + b"\0"
    if t == 2:
        return int(raw).to_bytes(16, "big")  # type: ignore[call-overload]
    return np.array(raw, dtype=qt.DTYPES[t]).astype(_WIRE[t]).tobytes()


def _vector_bytes(x: Vec) -> bytes:
    if x.t in (2, 11):
        return b"".join(_raw_bytes(x.t, raw) for raw in x.a.tolist())
    return x.a.astype(_WIRE[x.t], copy=False).tobytes()


def _put_function(x: Value, out: list[bytes]) -> None:
    if type(x) is Lambda:
        _put_lambda(x.namespace.removeprefix("."), x.source, out)
    elif type(x) is Nil:
        out.append(b"\x65\0")
    elif x is HOLE or type(x) is Hole:
        out.append(b"\x65\xff")
    elif type(x) is Prim:
        _put_primitive(x, out)
    elif type(x) is IteratorValue:
        out.append(bytes((103, ITERATORS.index(x.glyph))))
    elif type(x) is Derived:
        out.append(bytes((ITERATOR_TYPES[x.glyph],)))
        _put(x.f, out)
    elif type(x) in (Projection, Composition):
        parts = (x.f, *x.args[: x.given]) if type(x) is Projection else (x.f, x.g)
        out.append(struct.pack("<Bi", type_number(x), len(parts)))
        for part in parts:
            _put(part, out)
    else:
        raise UnsupportedFeature("the binary form of this kind of value is not known")


def _put_lambda(namespace: str, source: str, out: list[bytes]) -> None:
    out.append(b"\x64" + namespace.encode() + b"\0")
    _put(string(source), out)


def _put_primitive(f: Prim, out: list[bytes]) -> None:
    """Append a primitive: its code, or the definition in k that kdb+ has for the keyword."""
    name = ALIASES.get(f.name, f.name)
    if name in COMPOSED:
        out.append(bytes.fromhex(COMPOSED[name]))
    elif name in BINARY and f.t != 101:
        out.append(bytes((102, BINARY.index(name))))
    elif name in UNARY and f.t != 102:
        out.append(bytes((101, UNARY.index(name))))
    elif f.shown.startswith("k)"):
        _put_lambda("q", f.shown, out)
    elif 106 <= f.t <= 111 and (operator := f.shown.rstrip("/\\':") or ":") in BINARY:
        out.append(bytes((f.t, 102, BINARY.index(operator))))
    elif f.t == 101 and len(f.shown) == 2 and f.shown[1] == ":" and f.shown[0] in BINARY:
        out.append(bytes((101, BINARY.index(f.shown[0]))))
    else:
        raise UnsupportedFeature(f"the binary form of {f.name} is not known")


def decode(
    data: bytes,
    make_lambda: Callable[[str, str], Value],
    primitive: Callable[[str], Value],
) -> Value:
    """Return the value of a whole message; a message that carries an error signals it.

    make_lambda: makes a function of its source text and its namespace.
    primitive: gives a primitive by name.
    Raises: QError('badmsg') for anything that is not exactly one message.
    """
    if len(data) < HEADER + 1 or data[0] > 1:
        raise QError("badmsg")
    order = "<" if data[0] else ">"
    (low,) = struct.unpack_from(order + "I", data, 4)
    if low + (data[3] << 32) != len(data) or data[2] > 1:
        raise QError("badmsg")
    if data[2]:
        data = expand(data, order)
    reader = _Reader(data, order, make_lambda, primitive)
    try:
        if data[HEADER] == 0x80:
            raise QError(reader.text(HEADER + 1))
        value = reader.value(0)
    except (struct.error, IndexError, OverflowError, RecursionError):
        raise QError("badmsg") from None
    if reader.at != len(data):
        raise QError("badmsg")
    return value


def composed(name: str, primitive: Callable[[str], Value]) -> Value:
    """Return what a keyword of `COMPOSED` is made of, as a function of its parts."""
    form = bytes(HEADER) + bytes.fromhex(COMPOSED[name])
    return _Reader(form, "<", lambda source, _: string(source), primitive).value(0)


class _Reader:
    """Reads values from the bytes of one message."""

    def __init__(
        self,
        data: bytes,
        order: str,
        make_lambda: Callable[[str, str], Value],
        primitive: Callable[[str], Value],
    ) -> None:
        self.data = data
        self.at = HEADER
        self.order = order
        self.make_lambda = make_lambda
        self.primitive = primitive

    def byte(self) -> int:
        """Read one byte."""
        self.at += 1
        return self.data[self.at - 1]

    def count(self) -> int:
        """Read a count of items, each of which takes a byte at least."""
        (n,) = struct.unpack_from(self.order + "i", self.data, self.at)
        self.at += 4
        if not 0 <= n <= len(self.data) - self.at:
            raise QError("badmsg")
        return n

    def text(self, start: int | None = None) -> str:
        """Read text up to its closing zero."""
        start = self.at if start is None else start
        end = self.data.find(b"\0", start)
        if end < 0:
            raise QError("badmsg")
        self.at = end + 1
        return self.data[start:end].decode("utf-8", "surrogateescape")

    def array(self, t: int, n: int) -> np.ndarray:
        """Read `n` items of positive type `t` as an array of that type's dtype."""
        dtype = _WIRE[t] if self.order == "<" else _WIRE[t].newbyteorder()
        size = n * dtype.itemsize
        if size > len(self.data) - self.at:
            raise QError("badmsg")
        made = np.frombuffer(self.data, dtype, n, self.at)
        self.at += size
        return made != 0 if t == 1 else made.astype(qt.DTYPES[t])

    def guid(self) -> int:
        """Read a guid."""
        raw = self.data[self.at : self.at + 16]
        if len(raw) < 16:
            raise QError("badmsg")
        self.at += 16
        return int.from_bytes(raw, "big")

    def value(self, depth: int) -> Value:
        """Read one value of any type."""
        if depth > MAX_NESTING:
            raise QError("badmsg", "nested too deep")
        t = self.byte()
        if t > 128:
            return self.atom(256 - t)
        if t == 0 or t in _ITEMS:
            return self.items(t, depth)
        if t == 98:
            return self.table(depth)
        if t in (99, 127):
            return self.dictionary(t == 127, depth)
        return self.function(t, depth)

    def atom(self, t: int) -> Value:
        """Read an atom of positive type `t`."""
        if t == 11:
            return make_atom(11, self.text())
        if t == 2:
            return make_atom(2, self.guid())
        if t not in _WIRE:
            raise QError("badmsg")
        return make_atom(t, self.array(t, 1).item())

    def items(self, t: int, depth: int) -> Value:
        """Read a vector or a general list."""
        attr = self.byte()
        if attr >= len(_ATTRIBUTES):
            raise QError("badmsg")
        n = self.count()
        if t == 0:
            return GList([self.value(depth + 1) for _ in range(n)], _ATTRIBUTES[attr])
        if t == 11:
            made = vector(11, [self.text() for _ in range(n)])
        elif t == 2:
            made = vector(2, [self.guid() for _ in range(n)])
        else:
            made = Vec(t, self.array(t, n))
        made.attr = _ATTRIBUTES[attr]
        return made

    def dictionary(self, is_sorted: bool, depth: int) -> Value:
        """Read the keys and values of a dictionary."""
        keys, values = self.value(depth + 1), self.value(depth + 1)
        if not all(type(side) in (Vec, GList, Table) for side in (keys, values)):
            raise QError("badmsg")
        if _size(keys) != _size(values):
            raise QError("badmsg")
        return Dict(keys, values, "s" if is_sorted else "")

    def table(self, depth: int) -> Value:
        """Read a table: a dictionary from names to columns of one length."""
        attr = self.byte()
        made = self.value(depth + 1)
        if attr >= len(_ATTRIBUTES):
            raise QError("badmsg")
        if type(made) is not Dict or type(made.k) is not Vec or made.k.t != 11:
            raise QError("badmsg")
        cols = items_of(made.v)
        if not cols or not all(type(col) in (Vec, GList, Table) for col in cols):
            raise QError("badmsg")
        if len({_size(col) for col in cols}) != 1:
            raise QError("badmsg")
        return Table(made.k.a.tolist(), cols, _ATTRIBUTES[attr])

    def function(self, t: int, depth: int) -> Value:
        """Read a function: a lambda is compiled from its text, a primitive found by its code."""
        if t == 100:
            space = self.text()
            source = self.value(depth + 1)
            if type(source) is not Vec or source.t != 10:
                raise QError("badmsg")
            return self.lambda_of(source.a.tobytes().decode("utf-8", "surrogateescape"), space)
        if t == 101:
            code = self.byte()
            return HOLE if code == 255 else NIL if code == 0 else self.named(UNARY, code)
        if t == 102:
            return self.named(BINARY, self.byte())
        if t == 103:
            return IteratorValue(ITERATORS[self.byte()])
        if t in (104, 105):
            n = self.count()
            parts = [self.value(depth + 1) for _ in range(n)]
            if n < 2 or (t == 105 and n != 2):
                raise QError("badmsg")
            return projection(parts[0], parts[1:]) if t == 104 else self.composition(*parts)
        if 106 <= t <= 111:
            return Derived(ITERATORS[t - 106], self.value(depth + 1))
        raise QError("badmsg")

    def lambda_of(self, source: str, space: str) -> Value:
        """Make a function of its text; text that is no function is a bad message."""
        try:
            return self.make_lambda(source, f".{space}" if space else "")
        except QError:
            raise QError("badmsg") from None

    def composition(self, f: Value, g: Value) -> Value:
        """Compose two functions; `~<` is the operator `>=`."""
        operator = negated_operator(f, g)
        return Composition(f, g) if operator is None else self.primitive(operator)

    def named(self, names: list[str], code: int) -> Value:
        """Find a primitive by its code."""
        if code >= len(names):
            raise QError("badmsg")
        return self.primitive(names[code])


def projection(f: Value, given: list[Value]) -> Projection:
    """Return a projection from the arguments that were sent: those missing at the end are not."""
    n_missing = max(rank_of(f) - len(given), 0 if HOLE in given else 1)
    return Projection(f, (*given, *(HOLE,) * n_missing), len(given))


def _size(x: Value) -> int:
    return len(x.a) if type(x) is Vec else len(x.items) if type(x) is GList else x.size()
