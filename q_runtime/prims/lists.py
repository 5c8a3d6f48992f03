"""Building and cutting lists: til, enlist, count, first, last, take, drop, cut, reverse ...

Sizes are checked before memory is asked for.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from q_runtime.errors import QError
from q_runtime.limits import reserve
from q_runtime.prims.attributes import set_attribute
from q_runtime.prims.registry import primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table, items_of_one, repeat
from q_runtime.values.functions import is_function
from q_runtime.values.vectors import (
    FEW,
    LISTABLE,
    GList,
    Value,
    Vec,
    as_list,
    collapse,
    empty,
    is_list,
    items_of,
    known_atoms,
    length,
    listed,
    longs,
    raw_of,
    take_rows,
    type_number,
)

MAX_LENGTH = 2**40 - 1


def integer(x: Value, who: str) -> int:
    """Return an integer atom as a Python int.

    Raises: QError('type').
    """
    t = -type_number(x)
    if t not in (1, 4, 5, 6, 7):
        raise QError("type", f"{who}: expected an integer")
    return int(raw_of(x))


_MOST_SHARED = 2**31
"""Items of a list whose rows are one and the same."""


def check_length(n: int) -> None:
    """Refuse a list of `n` items that would be too long.

    Raises: QError('limit') past the longest list there is, QError('wsfull') past the memory limit.
    """
    if n > MAX_LENGTH:
        raise QError("limit", f"a list of {n} items")
    reserve(n)


@primitive("til")
def til(x: Value) -> Value:
    """First `x` naturals as longs. Raises 'type unless an integer, 'domain when negative."""
    if type(x) is not int:
        if type(x) is Dict or is_list(x):
            raise QError("type", "til: expected a number")
        if -type_number(x) not in (1, 4, 5, 6, 7):
            raise QError("type", "til: expected a number")
        x = int(raw_of(x))
    if x < 0:
        raise QError("domain", f"til: expected a non-negative number, got {x}")
    check_length(x)
    return Vec(7, np.arange(x, dtype=np.int64))


@primitive("count")
def count(x: Value) -> Value:
    """Number of items; 1 for an atom or a function."""
    return length(x)


@primitive("first")
def first(x: Value) -> Value:
    """First item; a null for an empty list; an atom is its own first."""
    if type(x) is Vec:
        atoms = known_atoms(x)
        if atoms:
            return atoms[0]
    if type(x) is Dict:
        return first(x.v)
    if type(x) is Table or is_list(x):
        if length(x):
            return items_of_one(x, 0)
        from q_runtime.prims.indexing import missing_item

        return missing_item(x)
    return x


@primitive("last")
def last(x: Value) -> Value:
    """Last item; a null for an empty list."""
    if type(x) is Vec:
        atoms = known_atoms(x)
        if atoms:
            return atoms[-1]
    if type(x) is Dict:
        return last(x.v)
    if type(x) is Table or is_list(x):
        n = length(x)
        return items_of_one(x, n - 1) if n else first(x)
    return x


@primitive("enlist", 1, 2, 3, 4, 5, 6, 7, 8)
def enlist(*args: Value) -> Value:
    """A list of the arguments; of one dictionary with names as keys, a table of one row."""
    if len(args) == 1 and type(args[0]) is Dict and not args[0].is_keyed_table:
        d = args[0]
        if type(d.k) is Vec and d.k.t == 11 and len(d.k.a):
            return Table(d.k.a.tolist(), [collapse([item]) for item in items_of(d.v)])
    return collapse(list(args))


@primitive("reverse")
def reverse(x: Value) -> Value:
    """Items in the opposite order."""
    if type(x) is Vec:
        return Vec(x.t, x.a[::-1])
    if type(x) is GList:
        return GList(x.items[::-1])
    if type(x) is Dict:
        return Dict(reverse(x.k), reverse(x.v))
    if type(x) is Table:
        return Table(x.names, [reverse(c) for c in x.cols])
    return x


@primitive("rotate", 2)
def rotate(x: Value, y: Value) -> Value:
    """Shift the items of `y` left by `x`, those pushed out return on the right."""
    if not is_list(y) and type(y) is not Table:
        raise QError("rank" if type_number(y) < 0 else "type")
    if type_number(x) not in (-7, -6, -5, -4, -1):
        raise QError("type")
    n = length(y)
    if not n:
        return y
    k = integer(x, "rotate") % n
    if type(y) is Vec:
        return Vec(y.t, np.concatenate((y.a[k:], y.a[:k])))
    return take_rows(y, (np.arange(n) + k) % n)


@primitive("#", 2)
def take(x: Value, y: Value) -> Value:
    """Take items: first or last `x`, a reshaped list, or entries by key."""
    tx = type_number(x)
    if tx == -11:
        return set_attribute(x.v, y)
    if type(y) is Dict and tx >= 0 and not (type(x) is Vec and x.t == 7 and y.k.t == 98):
        return _take_keys(x, y)
    if type(y) is Table and tx == 11:
        if not len(x.a):
            raise QError("rank", "a table has a column")
        return Table(x.a.tolist(), [y.column(n) for n in x.a.tolist()])
    if tx >= 0:
        if type(x) is Vec and x.t in (5, 6, 7):
            return _reshape(x.a.tolist(), y)
        raise QError("type")
    if -tx not in (1, 4, 5, 6, 7):
        raise QError("type")
    n = integer(x, "#")
    check_length(abs(n))
    return _take_n(n, y)


def _take_keys(x: Value, y: Dict) -> Value:
    from q_runtime.prims.indexing import index

    if type(y.k) is Table and type(x) is Vec and x.t == 11:
        raise QError("type")
    present = [k for k in items_of(x)]
    keys = collapse(present) if present else x
    return Dict(keys, index(y, keys))


def _take_n(n: int, y: Value) -> Value:
    if type(y) is Dict:
        return Dict(_take_n(n, y.k), _take_n(n, y.v))
    if is_function(y):
        return collapse([y] * abs(n))
    reserve(abs(n))
    if not is_list(y) and type(y) is not Table:
        return repeat(y, abs(n)) if n else empty_like(y)
    size = length(y)
    if type(y) is Vec and abs(n) <= size:
        return Vec(y.t, y.a[:n] if n >= 0 else y.a[size + n :])
    if not size:
        from q_runtime.prims.indexing import missing_item

        null = missing_item(y)
        return y if not n else collapse([null] * abs(n))
    start = 0 if n >= 0 else (size + n) % size
    positions = (np.arange(abs(n)) + start) % size
    if not n:
        return GList([]) if type(y) is GList else take_rows(y, positions)
    return take_rows(y, positions)


def empty_like(y: Value) -> Value:
    """Return an empty list of the type of an atom."""
    t = type_number(y)
    return empty(-t) if t < 0 else GList([])


def _reshape(shape: list[int], y: Value) -> Value:
    """Reshape to a nested list; one null dimension is worked out from the length."""
    y = as_list(y)
    if not shape:
        raise QError("length", "#: the shape is empty")
    if len(shape) == 1:
        return _take_n(shape[0], y)
    if len(shape) == 2 and qt.LONG_NULL in (shape[0], shape[1]):
        size = length(y)
        if shape[1] == qt.LONG_NULL:
            rows = shape[0]
            if rows <= 0:
                raise QError("domain")
            marks = [size * r // rows for r in range(rows + 1)]
            pairs = itertools.pairwise(marks)
            return GList([take_rows(y, np.arange(a, b)) for a, b in pairs])
        width = shape[1]
        if width <= 0:
            raise QError("domain")
        starts = range(0, size, width)
        return GList([take_rows(y, np.arange(s, min(s + width, length(y)))) for s in starts])
    if any(n < 0 for n in shape) or 0 in shape[:-1]:
        raise QError(
            "domain", "all dimensions but the last must be positive, and only two may leave one out"
        )
    size = length(y)
    if shape[-1] == 0 or (size and shape[-1] % size == 0):
        return _same_rows(shape, y)
    check_length(math.prod(shape))
    flat = _take_n(math.prod(shape), y) if size else y
    for n in reversed(shape[1:]):
        rows = length(flat) // n if n else 0
        flat = GList([take_rows(flat, np.arange(r * n, (r + 1) * n)) for r in range(rows)])
    return flat


def _same_rows(shape: list[int], y: Value) -> Value:
    """Reshape where every row is the same, and so kept once."""
    if math.prod(shape) > _MOST_SHARED:
        raise QError("wsfull", "more than the memory that kdb+ would have for it")
    block = _take_n(shape[-1], y) if shape[-1] else take_rows(y, np.empty(0, dtype=np.int64))
    for n in reversed(shape[:-1]):
        reserve(n)
        block = GList([block] * n)
    return block


@primitive("_", 2)
def drop(x: Value, y: Value) -> Value:
    """Drop the first or last items, cut at positions, or remove keys."""
    if type(x) is int and type(y) is Vec:
        return _drop_items(x, y)
    tx = type_number(x)
    if type(y) is Dict and -tx not in (1, 4, 5, 6, 7):
        return _drop_keys(x if type(x) is Table else as_list(x), y)
    if type(x) is Dict and type_number(y) < 0:
        return _drop_keys(as_list(y), x)
    if type(x) in (Vec, GList) and -type_number(y) in (4, 5, 6, 7) and type(y) is not Vec:
        if type_number(y) < 0:
            return _drop_position(x, integer(y, "_"))
    if type(y) is Table and tx == 11:
        names = x.a.tolist()
        keep = [n for n in y.names if n not in names]
        return Table(keep, [y.column(n) for n in keep])
    if tx >= 0:
        return cut_at(x, y)
    n = integer(x, "_")
    if type(y) is Dict:
        return Dict(drop(x, y.k), drop(x, y.v))
    if not is_list(y) and type(y) is not Table:
        raise QError("type", "_: expected a list on the right")
    if type(y) is Vec:
        return _drop_items(n, y)
    size = length(y)
    n = max(-size, min(size, n))
    if type(y) is GList:
        return collapse(y.items[n:] if n >= 0 else y.items[: size + n])
    return y.take(np.arange(n, size) if n >= 0 else np.arange(size + n))


def _drop_items(n: int, y: Vec) -> Vec:
    """Drop the first `n` items of a vector, or the last for a negative number."""
    atoms = known_atoms(y)
    size = len(y.a) if atoms is None else len(atoms)
    start, end = (n, size) if n >= 0 else (0, max(0, size + n))
    if atoms is not None and y.t in LISTABLE and size <= FEW:
        return listed(y.t, atoms[start:end])
    return Vec(y.t, y.a[start:end])


def _drop_position(x: Value, i: int) -> Value:
    n = length(x)
    if not 0 <= i < n:
        return x
    return take_rows(x, np.concatenate((np.arange(i), np.arange(i + 1, n))))


def _drop_keys(x: Value, y: Dict) -> Value:
    from q_runtime.prims.indexing import key_index, lookup_key

    at = key_index(y)
    gone = set()
    for key in items_of(x):
        found = at.get(lookup_key(y.k, key))
        if found is not None:
            gone.add(found)
    keep = np.array([i for i in range(length(y.k)) if i not in gone], dtype=np.int64)
    return Dict(take_rows(y.k, keep), take_rows(y.v, keep))


def cut_at(x: Value, y: Value) -> Value:
    """Cut `y` into pieces that start at the positions `x`, which must not decrease.

    Raises: QError('type'), QError('domain').
    """
    if type(x) is GList and not x.items:
        return GList([])
    if type(x) is not Vec or x.t not in (5, 6, 7):
        raise QError("type")
    if not is_list(y) and type(y) is not Table:
        raise QError("type")
    starts = x.a.tolist()
    n = length(y)
    if any(a > b for a, b in itertools.pairwise(starts)):
        raise QError("domain", "cut positions must not decrease")
    if starts and (starts[0] < 0):
        raise QError("domain")
    if starts and starts[-1] > n:
        raise QError("length")
    ends = [*starts[1:], n] if starts else []
    return GList([take_rows(y, np.arange(a, b)) for a, b in zip(starts, ends, strict=True)])


@primitive("cut", 2)
def cut(x: Value, y: Value) -> Value:
    """Cut into pieces of `x` items, or at the positions `x`."""
    if type_number(x) >= 0:
        return cut_at(x, y)
    width = integer(x, "cut")
    if not is_list(y) and type(y) is not Table:
        raise QError("type")
    if width <= 0:
        raise QError("length" if width else "domain")
    n = length(y)
    return GList([take_rows(y, np.arange(s, min(s + width, n))) for s in range(0, n, width)])


@primitive("sublist", 2)
def sublist(x: Value, y: Value) -> Value:
    """Up to `x` items from the front (or the end), or from a start and a count."""
    n = length(y)
    if type_number(x) < 0:
        k = integer(x, "sublist")
        k = max(-n, min(n, k))
        return _take_n(k, y)
    if type(x) is not Vec or x.t not in (5, 6, 7) or len(x.a) != 2:
        raise QError("type" if type(x) is not Vec else "length")
    start, size = (int(v) for v in x.a)
    low, high = max(0, start), max(0, min(n, start + size))
    rows = np.arange(low, max(low, high))
    if type(y) is Dict:
        return Dict(take_rows(y.k, rows), take_rows(y.v, rows))
    return take_rows(y, rows)


@primitive("where")
def where(x: Value) -> Value:
    """Positions of true items; of counts, each position repeated that often."""
    if type(x) is Dict:
        from q_runtime.prims.indexing import index

        return index(x.k, where(x.v))
    if type(x) is Vec:
        if x.t == 1:
            return Vec(7, np.flatnonzero(x.a).astype(np.int64, copy=False))
        if x.t in (4, 5, 6, 7):
            counts = np.maximum(x.a.astype(np.int64), 0)
            reserve(int(counts.sum(dtype=np.float64)))
            return Vec(7, np.repeat(np.arange(len(counts), dtype=np.int64), counts))
        raise QError("type")
    if type(x) is GList and not x.items:
        return longs([])
    raise QError("type")
