"""Whole-array answers to "which items are the same": first places, membership and groups of long vectors.

Items are the same when they are equal without tolerance; nulls equal nulls. Every function takes NumPy arrays of one
q type, other than symbols and guids, and says what a loop over the items with a dictionary would say.
"""

from __future__ import annotations

import numpy as np

from q_runtime.limits import reserve
from q_runtime.values import qtypes as qt
from q_runtime.values.vectors import Vec

LONG_ENOUGH = 128
"""Items from which on the array methods are worth their fixed cost."""
_TABLE_SPACE = 1 << 16
_RADIX = 1 << 16


def is_array_like(x: Vec, y: Vec) -> bool:
    """Say whether two vectors may be given to this module: one type that NumPy can order, and enough items."""
    return x.t == y.t and x.t not in (2, 11) and len(x.a) + len(y.a) > LONG_ENOUGH


def _bounds(a: np.ndarray) -> tuple[int, int]:
    return int(a.min()), int(a.max())


def _as_integers(t: int, a: np.ndarray) -> np.ndarray | None:
    """Booleans, bytes, chars and integers as signed integers; None for floats."""
    if t in qt.FLOATS:
        return None
    return a.astype(np.int64) if a.dtype.itemsize < 8 else a


def _is_narrow(low: int, high: int, n: int) -> bool:
    """Say whether a table from `low` to `high` is small next to `n` items."""
    return high - low < _TABLE_SPACE + 4 * n


def contains(t: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which items of `x` are items of `y`: booleans, shape of x."""
    if not y.size:
        return np.zeros(x.shape, dtype=bool)
    a, b = _as_integers(t, x), _as_integers(t, y)
    if a is None or b is None:
        return first_places(t, y, x) < len(y)
    low, high = _bounds(b)
    if not _is_narrow(low, high, len(x)):
        return first_places(t, y, x) < len(y)
    table = np.zeros(high - low + 2, dtype=bool)
    table[b - low] = True
    return table[_slots(a, low, high)]


def _slots(a: np.ndarray, low: int, high: int) -> np.ndarray:
    """Index of each item in a table from `low` to `high`; the last slot is for those outside."""
    out = a.view(np.uint64) - np.uint64(low % 2**64)
    return np.minimum(out, np.uint64(high - low + 1), out=out).view(np.int64)


def first_places(t: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The first position in `x` of each item of `y`; the length of `x` where there is none."""
    n = len(x)
    reserve(4 * (n + len(y)))
    if not n:
        return np.zeros(y.shape, dtype=np.int64)
    a, b = _as_integers(t, x), _as_integers(t, y)
    if a is not None and b is not None:
        low, high = _bounds(a)
        if _is_narrow(low, high, n + len(y)):
            table = np.full(high - low + 2, n, dtype=np.int64)
            table[a[::-1] - low] = np.arange(n - 1, -1, -1)
            return table[_slots(b, low, high)]
        return _search(a, b)
    return _search(_ordered(x), _ordered(y))


def _ordered(a: np.ndarray) -> np.ndarray:
    """Floats as integers in an order of their own, all nulls alike and both zeros alike."""
    wide = np.where(np.isnan(a), np.nan, a.astype(np.float64) + 0.0)
    return wide.view(np.int64)


def _search(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    order = np.argsort(a, kind="stable")
    ranked = a[order]
    at = np.searchsorted(ranked, b)
    np.minimum(at, len(a) - 1, out=at)
    return np.where(ranked[at] == b, order[at], len(a))


def firsts(t: int, a: np.ndarray) -> np.ndarray:
    """Positions of the first occurrence of each different item, ascending."""
    n = len(a)
    reserve(4 * n)
    keys = _as_integers(t, a)
    if keys is None:
        keys = _ordered(a)
    low, high = _bounds(keys)
    if _is_narrow(low, high, n):
        table = np.full(high - low + 1, n, dtype=np.int64)
        table[keys[::-1] - low] = np.arange(n - 1, -1, -1)
        return np.sort(table[table < n])
    _, at = np.unique(keys, return_index=True)
    return np.sort(at)


def groups(t: int, a: np.ndarray) -> list[np.ndarray]:
    """The positions of each different item, items in order of first appearance."""
    reserve(4 * len(a))
    keys = _as_integers(t, a)
    if keys is None:
        keys = _ordered(a)
    low, high = _bounds(keys)
    if high - low < _RADIX:
        keys = (keys - low).astype(np.uint16)
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    starts = np.concatenate(([0], np.flatnonzero(ranked[1:] != ranked[:-1]) + 1))
    ends = np.append(starts[1:], len(a))
    by_first = np.argsort(order[starts])
    return [
        order[start:end]
        for start, end in zip(starts[by_first].tolist(), ends[by_first].tolist(), strict=True)
    ]


def changes(a: np.ndarray) -> np.ndarray:
    """Which items of an array other than of floats differ from the one before; the first always does."""
    out = np.empty(len(a), dtype=bool)
    out[:1] = True
    out[1:] = a[1:] != a[:-1]
    return out
