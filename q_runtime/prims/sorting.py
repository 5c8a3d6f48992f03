"""Order: asc desc iasc idesc rank xasc-free sorting of lists and dictionaries, bin and binr.

General lists sort by type number first, then item by item, as kdb+ does.
"""

from __future__ import annotations

import bisect
from functools import cmp_to_key

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.arith import divide, multiply
from q_runtime.prims.attributes import is_ascending, sorted_table
from q_runtime.prims.indexing import in_one_width, index
from q_runtime.prims.numbers import floor
from q_runtime.prims.registry import primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.enums import resolve, resolve_array
from q_runtime.values.vectors import (
    NULL_LONG,
    GList,
    Value,
    Vec,
    collapse,
    is_list,
    items_of,
    length,
    make_atom,
    raw_of,
    take_rows,
    type_number,
)


def compare_values(x: Value, y: Value) -> int:
    """Order two values: negative, zero or positive."""
    x, y = resolve(x), resolve(y)
    tx, ty = type_number(x), type_number(y)
    if tx != ty:
        return -1 if (abs(tx), tx) < (abs(ty), ty) else 1
    if tx < 0:
        a, b = raw_of(x), raw_of(y)
        if a != a:
            return 0 if b != b else -1
        if b != b:
            return 1
        return (a > b) - (a < b)
    xs, ys = items_of(x) if length(x) else [], items_of(y) if length(y) else []
    for a, b in zip(xs, ys, strict=False):
        order = compare_values(a, b)
        if order:
            return order
    return (len(xs) > len(ys)) - (len(xs) < len(ys))


def grade(x: Value, *, descending: bool = False) -> np.ndarray:
    """Return the positions that sort a list, stable, nulls first when ascending."""
    if type(x) is Table:
        return _grade_table(x, descending)
    if type(x) is GList:
        items = x.items
        by_item = cmp_to_key(compare_values)
        order = sorted(range(len(items)), key=lambda i: by_item(items[i]), reverse=descending)
        return np.array(order, dtype=np.int64)
    return grade_array(x.t, x.a, descending)


def grade_array(t: int, a: np.ndarray, descending: bool) -> np.ndarray:
    """Stable grade of one array."""
    t, a = resolve_array(t, a)
    if t in (2, 11):
        raws = a.tolist()
        return np.array(
            sorted(range(len(raws)), key=raws.__getitem__, reverse=descending), dtype=np.int64
        )
    if t in qt.FLOATS and np.isnan(a).any():
        nulls, rest = np.flatnonzero(np.isnan(a)), np.flatnonzero(~np.isnan(a))
        rest = rest[grade_array(t, a[rest], descending)]
        return np.concatenate((rest, nulls) if descending else (nulls, rest))
    if not descending:
        return np.argsort(a, kind="stable")
    n = len(a)
    return (n - 1 - np.argsort(a[::-1], kind="stable"))[::-1].astype(np.int64)


def _grade_table(x: Table, descending: bool) -> np.ndarray:
    order = np.arange(x.size())
    for column in reversed(x.cols):
        order = order[grade(take_rows(column, order), descending=descending)]
    return order


def _sortable(x: Value) -> None:
    if not is_list(x) and type(x) not in (Dict, Table):
        raise QError("rank" if type_number(x) < 0 else "type")


@primitive("iasc")
def iasc(x: Value) -> Value:
    """Positions that sort ascending; keys for a dictionary."""
    _sortable(x)
    if type(x) is Dict:
        return take_rows(x.k, grade(x.v))
    return Vec(7, grade(x).astype(np.int64))


@primitive("idesc")
def idesc(x: Value) -> Value:
    """Positions that sort descending; keys for a dictionary."""
    _sortable(x)
    if type(x) is Dict:
        return take_rows(x.k, grade(x.v, descending=True))
    return Vec(7, grade(x, descending=True).astype(np.int64))


def _sorted(x: Value, *, descending: bool) -> Value:
    _sortable(x)
    if type(x) is Dict:
        if x.is_keyed_table:
            order = grade(x.v, descending=descending)
        else:
            order = grade(x.v, descending=descending)
        values = take_rows(x.v, order)
        if not descending:
            values = _marked(values)
        return Dict(take_rows(x.k, order), values)
    if type(x) is Vec:
        if x.t in (2, 11) or x.t >= qt.FIRST_ENUM:
            made = take_rows(x, grade_array(x.t, x.a, descending))
        elif x.t in qt.FLOATS:
            made = take_rows(x, grade_array(x.t, x.a, descending))
        else:
            a = np.sort(x.a)
            made = Vec(x.t, a[::-1] if descending else a)
        if not descending:
            made.attr = "s"
        return made
    made = take_rows(x, grade(x, descending=descending))
    return made if descending else _marked(made)


def _marked(x: Value) -> Value:
    """Return a sorted list or table with the attribute that says so."""
    if type(x) is Table:
        return sorted_table(x)
    return Vec(x.t, x.a, "s") if type(x) is Vec else GList(x.items, "s")


@primitive("asc")
def asc(x: Value) -> Value:
    """Items sorted ascending; a dictionary by its values.

    A vector that ascends already is itself marked as sorted, under all its names.
    """
    if type(x) is Vec and not x.attr and x.t != 2 and x.t < qt.FIRST_ENUM and is_ascending(x):
        x.attr = "s"
        return x
    return _sorted(x, descending=False)


@primitive("desc")
def desc(x: Value) -> Value:
    """Items sorted descending; a dictionary by its values."""
    return _sorted(x, descending=True)


@primitive("rank")
def rank(x: Value) -> Value:
    """Position of each item in the sorted list: `iasc iasc x`, which for a dictionary ranks its sorted keys."""
    _sortable(x)
    if type(x) is Dict:
        return Vec(7, grade(iasc(x)).astype(np.int64))
    order = grade(x)
    out = np.empty(len(order), dtype=np.int64)
    out[order] = np.arange(len(order))
    return Vec(7, out)


@primitive("xrank", 2)
def xrank(x: Value, y: Value) -> Value:
    """The number of the group, of `x` groups of like size by rank, into which each item falls. Source: KX ref/xrank.

    Raises: QError('rank') for an atom `y`, QError('type') unless `x` is a number.
    """
    return floor(multiply(rank(y), divide(x, length(y))))


def _bin(x: Value, y: Value, side: str) -> Value:
    x, y = resolve(x), resolve(y)
    if type(x) is Dict:
        return index(x.k, _bin(x.v, y, side))
    if type(x) is Table:
        return _bin_table(x, y, side)
    if type(x) is not Vec:
        if type(x) is not GList:
            raise QError("type")
        if type_number(y) < 0 or (type(y) is Vec and x.items and is_list(x.items[0])):
            return _bin_items(x.items, y, side)
        return collapse([_bin_items(x.items, item, side) for item in items_of(y)])
    if type(y) is GList:
        return collapse([_bin(x, item, side) for item in y.items])
    x, y = in_one_width(x, y)
    from q_runtime.prims.atomic import array_of

    a, b = x.a, array_of(y)[1]
    if x.t in qt.FLOATS:
        found = _search_floats(a, b, side)
    elif x.t == 11:
        raws = a.tolist()
        cut = bisect.bisect_right if side == "right" else bisect.bisect_left
        found = np.array([cut(raws, v) for v in np.atleast_1d(b).tolist()], dtype=np.int64)
        found = found if b.ndim else found[0]
    else:
        found = np.searchsorted(a, b, side="right" if side == "right" else "left")
    out = found - 1 if side == "right" else found
    if np.ndim(out) == 0:
        return make_atom(7, int(out))
    return Vec(7, np.asarray(out, dtype=np.int64))


def _search_floats(a: np.ndarray, b: np.ndarray, side: str) -> np.ndarray:
    """Places of `b` in ascending floats, whose nulls come first."""
    nulls = int(np.isnan(a).sum())
    places = nulls + np.searchsorted(a[nulls:], b, side="right" if side == "right" else "left")
    return np.where(np.isnan(b), nulls if side == "right" else 0, places)


def _bin_items(items: list[Value], y: Value, side: str) -> int:
    """Find the place of `y` among sorted items of any kind."""
    key = cmp_to_key(compare_values)
    cut = bisect.bisect_right if side == "right" else bisect.bisect_left
    return cut(items, key(y), key=key) - (side == "right")


def _bin_table(x: Table, y: Value, side: str) -> Value:
    """Find rows in a table that is sorted by its last column within equal values of the others.

    A row whose other columns match none is not there: null. Rows that match need not stand together.
    """
    if type(y) is Table:
        return collapse([_bin_table(x, row, side) for row in y.rows()])
    if type(y) is not Dict or length(y.k) != len(x.names):
        raise QError("type", "expected a row with the columns of the table")
    *same, wanted = [y.v] if length(y.k) == 1 else items_of(y.v)
    rows = list(range(x.size()))
    for column, value in zip(x.cols, same, strict=False):
        items = items_of(column)
        rows = [i for i in rows if compare_values(items[i], value) == 0]
    last = items_of(x.cols[-1])
    place = _bin_items([last[i] for i in rows], wanted, side)
    return rows[place] if 0 <= place < len(rows) else NULL_LONG


def bin_rows(x: Table, probe: list[Value]) -> int:
    """Return the position of the last row of a sorted table that is not above `probe`, -1 before the first."""
    columns = [items_of(c) for c in x.cols]
    low, high = 0, x.size()
    while low < high:
        middle = (low + high) // 2
        order = 0
        for column, wanted in zip(columns, probe, strict=True):
            order = compare_values(column[middle], wanted)
            if order:
                break
        low, high = (middle + 1, high) if order <= 0 else (low, middle)
    return low - 1


@primitive("bin", 2)
def bin_(x: Value, y: Value) -> Value:
    """Position of the last item of sorted `x` that is not above `y`; -1 before the first."""
    return _bin(x, y, "right")


@primitive("binr", 2)
def binr(x: Value, y: Value) -> Value:
    """Position of the first item of sorted `x` that is not below `y`."""
    return _bin(x, y, "left")
