"""Draws at random with `?` and rand, from the session's seeded generator.

The numbers are not those of kdb+; only their distribution and repeatability are promised.
"""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.limits import reserve
from q_runtime.prims.registry import Host, primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict
from q_runtime.values.vectors import (
    Atom,
    Value,
    Vec,
    is_list,
    length,
    raw_of,
    symbols,
    take_rows,
    type_number,
)


def draw(host: Host, x: Value, y: Value) -> Value:
    """`n?y`: n draws with replacement, or -n without.

    Raises: QError('type'), QError('length') when more are asked for than there are.
    """
    t = -type_number(x)
    if t not in (5, 6, 7):
        raise QError("type")
    n = int(raw_of(x))
    if type(x) is Atom and x.v == qt.NULLS[t]:
        if is_list(y):
            return take_rows(y, _shuffle(host, length(y)))
        if -type_number(y) not in (5, 6, 7):
            raise QError("type")
        return Vec(7, _shuffle(host, int(raw_of(y))))
    reserve(abs(n))
    rng = np.random.default_rng(host.random.getrandbits(64))
    if is_list(y) or type_number(y) in (98, 99):
        if not length(y):
            raise QError("length")
        if type(y) is Dict:
            raise QError("type")
        return take_rows(y, _positions(rng, n, length(y)))
    return _from_range(rng, n, y)


def _shuffle(host: Host, n: int) -> np.ndarray:
    if n < 0:
        raise QError("domain")
    reserve(n)
    return np.random.default_rng(host.random.getrandbits(64)).permutation(n)


_SPARSE = 50
"""Out of more items than this for each draw, NumPy draws without a copy of them all."""


def _positions(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    if n >= 0:
        return rng.integers(0, size, n)
    if -n > size:
        raise QError("length", "more draws without replacement than items")
    if size <= _SPARSE * -n:
        reserve(size)
    return rng.choice(size, -n, replace=False)


def _random_guid(rng: np.random.Generator) -> int:
    """Return a guid of version 4, as 128 bits."""
    bits = int.from_bytes(rng.bytes(16), "big")
    return bits & ~(0xF << 76) & ~(0x3 << 62) | (0x4 << 76) | (0x2 << 62)


def _from_range(rng: np.random.Generator, n: int, y: Value) -> Value:
    t = -type_number(y)
    if t <= 0:
        raise QError("type")
    raw = raw_of(y)
    if t == 11:
        width = int(raw) if str(raw).isdigit() else 8
        letters = rng.integers(0, 16, (abs(n), width))
        return symbols(["".join("abcdefghijklmnop"[c] for c in row) for row in letters])
    if t == 2:
        if raw:
            raise QError("type")
        return Vec(2, np.array([_random_guid(rng) for _ in range(abs(n))], dtype=object))
    if t == 10:
        return Vec(10, (97 + rng.integers(0, 26, abs(n))).astype(np.uint8))
    if t == 1:
        return Vec(1, rng.integers(0, 2, abs(n)).astype(bool))
    if t in qt.FLOATS:
        if n < 0:
            raise QError("type")
        return Vec(t, (rng.random(n) * raw).astype(qt.DTYPES[t]))
    if t not in qt.INTEGERS and t != 4:
        raise QError("type")
    if t == 4:
        raw = raw or 256
    elif raw < 0 or (type(y) is Atom and raw == qt.NULLS[t]):
        raise QError("domain" if raw != 0 else "type")
    if n < 0:
        return Vec(t, _positions(rng, n, int(raw)).astype(qt.DTYPES[t]))
    bound = int(raw) if raw else 2 ** (8 * qt.DTYPES[t].itemsize - 1) - 1
    return Vec(t, rng.integers(0, bound, n).astype(qt.DTYPES[t]))


@primitive("rand", host=True)
def rand(host: Host, x: Value) -> Value:
    """One draw."""
    from q_runtime.prims.lists import first

    return first(draw(host, 1, x))
