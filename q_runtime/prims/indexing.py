"""Reading items: list, dictionary and table indexing, at one level and at depth.

An index out of range gives a null of the list's type; an index of the wrong type is 'type.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from q_runtime.errors import QError
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.dicts import Dict, Table, items_of_one
from q_runtime.values.enums import base_type, resolve
from q_runtime.values.functions import HOLE, NIL, Nil, is_function
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    collapse,
    empty,
    is_list,
    items_of,
    length,
    make_atom,
    null_atom,
    raw_of,
    symbols,
    take_rows,
    type_number,
)

_INDEX_TYPES = (1, 4, 5, 6, 7)
_WIDTHS = (6, 7)
"""Types of whole numbers that are sought among one another."""


def hash_key(x: Value) -> Hashable:
    """Return a hashable that is equal exactly for matching values."""
    t = type_number(x)
    if qt.FIRST_ENUM <= abs(t) < qt.FIRST_ENUM + qt.N_ENUMS:
        return hash_key(resolve(x))
    if t < 0:
        raw = raw_of(x)
        return (t, "nan" if raw != raw else raw)
    if type(x) is Vec:
        return (t, tuple("nan" if r != r else r for r in x.a.tolist()))
    if type(x) is GList:
        return (0, tuple(hash_key(item) for item in x.items))
    if type(x) is Dict:
        return (99, hash_key(x.k), hash_key(x.v))
    if type(x) is Table:
        return (98, tuple(x.names), tuple(hash_key(c) for c in x.cols))
    return (t, getattr(x, "source", None) or getattr(x, "name", None) or id(x))


def key_index(d: Dict) -> dict[Any, int]:
    """Return (and keep on `d`) the table from hashed key to first position."""
    found = d.index
    if found is None:
        found = {}
        for i, key in enumerate(list_keys(d.k)):
            found.setdefault(key, i)
        d.index = found
    return found


def places_of_rows(x: Dict, keys: Value) -> tuple[np.ndarray, np.ndarray]:
    """Say where rows go that update a keyed table or follow it.

    Returns: the positions among `keys` of those that `x` lacks, each once, and for every key its place in the result.
    """
    at = dict(key_index(x))
    n = length(x.k)
    new: list[int] = []
    places: list[int] = []
    for i, key in enumerate(list_keys(keys)):
        if key not in at:
            at[key] = n + len(new)
            new.append(i)
        places.append(at[key])
    return np.array(new, dtype=np.int64), np.array(places, dtype=np.int64)


def list_keys(x: Value) -> list[Any]:
    """Return one hashable per item; raw scalars for a vector of type other than float."""
    if type(x) is Vec and x.t >= qt.FIRST_ENUM:
        x = resolve(x)
    if type(x) is Vec:
        raws = x.a.tolist()
        return ["nan" if r != r else r for r in raws] if x.t in qt.FLOATS else raws
    return [hash_key(item) for item in items_of(x)]


def lookup_key(keys: Value, x: Value) -> Any:
    """Return the hashable to look `x` up among `keys`, or raise 'type for a wrong kind of key."""
    if type(keys) is Vec:
        x = resolve(x)
        t = type_number(x)
        if t == -base_type(keys.t):
            raw = raw_of(x)
            return "nan" if raw != raw else raw
        raise QError("type", "a key of another type")
    return hash_key(x)


def _sought_key(keys: Value, x: Value) -> Any:
    """Return the hashable to read `x` at, as `lookup_key` does; ints and longs are sought among one another."""
    if type(keys) is Vec and keys.t in _WIDTHS and -type_number(x) in _WIDTHS:
        return _raw_in_width(x, keys.t)
    return lookup_key(keys, x)


def _raw_in_width(x: Value, t: int) -> Any:
    raw = raw_of(x)
    return qt.NULLS[t] if raw == qt.NULLS[-type_number(x)] else raw


def in_one_width(x: Vec, y: Value) -> tuple[Vec, Value]:
    """Give a list and what is sought in it one type: ints are sought among longs, and longs among ints.

    Raises: QError('type') where one of them has another type.
    """
    t = abs(type_number(y))
    if t == x.t:
        return x, y
    if t not in _WIDTHS or x.t not in _WIDTHS:
        raise QError("type", "an item of another type than the list's")
    return Vec(7, widen_array(x.t, x.a, 7)), _as_long(y)


def _as_long(x: Value) -> Value:
    if type(x) is Vec:
        return Vec(7, widen_array(x.t, x.a, 7))
    return make_atom(7, _raw_in_width(x, 7))


def require_kinds(keys: list[Value], sought: list[Value]) -> None:
    """Refuse to look for the rows of some columns among those of columns of other types.

    Raises: QError('type').
    """
    for column, other in zip(keys, sought, strict=True):
        if type(column) is Vec and type(other) is Vec and base_type(column.t) != base_type(other.t):
            raise QError("type", "key columns of different types")


def missing_item(x: Value) -> Value:
    """Return what an index out of range gives."""
    if type(x) is Vec:
        return null_atom(x.t)
    if type(x) is GList:
        return null_like(x.items[0]) if x.items else GList([])
    if type(x) is Table:
        return Dict(symbols(x.names), collapse([missing_item(c) for c in x.cols]))
    raise QError("type")


def null_like(x: Value) -> Value:
    """Return the null of an item: an atom's null, an empty list or table of its kind, `::` for a function.

    A general list keeps its length: each of its items gives its own null.
    """
    t = type_number(x)
    if t < 0:
        return null_atom(-t)
    if type(x) is Vec:
        return empty(x.t)
    if type(x) is Table:
        return x.take(np.arange(0))
    if type(x) is Dict:
        if type(x.k) is Table and type(x.v) is Table:
            return Dict(null_like(x.k), null_like(x.v))
        if type(x.v) is Vec:
            return Dict(x.k, Vec(x.v.t, np.full_like(x.v.a, qt.NULLS[x.v.t])))
        return Dict(x.k, collapse([null_like(i) for i in items_of(x.v)]))
    if type(x) is GList:
        return GList([null_like(i) for i in x.items])
    return NIL if is_function(x) else x


def index(x: Value, i: Value) -> Value:
    """Index a list, dictionary or table by one index value.

    Raises: QError('type').
    """
    if type(x) is Dict:
        return index_dict(x, i)
    if type(i) is Nil or i is HOLE:
        return x
    if type(x) is Table:
        return _index_table(x, i)
    if not 0 <= type_number(x) < 100:
        raise QError("type", "neither a list nor a dictionary")
    t = type_number(i)
    if t < 0:
        position = position_of(i)
        if 0 <= position < length(x):
            return items_of_one(x, position)
        return missing_item(x)
    if type(i) is Vec:
        if i.t not in _INDEX_TYPES:
            if not len(i.a):
                return take_rows(x, np.empty(0, np.int64)) if type(x) is Vec else GList([])
            raise QError("type", "an index must be an integer")
        return take_or_null(x, widen_array(i.t, i.a, 7))
    if type(i) is GList:
        if not i.items:
            return take_rows(x, np.empty(0, np.int64)) if type(x) is not GList else GList([])
        return collapse([index(x, item) for item in i.items])
    if type(i) is Dict:
        return Dict(i.k, index(x, i.v))
    raise QError("type", "this cannot be an index")


def position_of(i: Value) -> int:
    """Return an integer atom as a position.

    Raises: QError('type') for any other atom.
    """
    t = -type_number(i)
    if t not in _INDEX_TYPES:
        raise QError("type", "an index must be an integer")
    return int(raw_of(i))


def take_or_null(x: Value, positions: np.ndarray) -> Value:
    """Select rows; positions out of range give nulls."""
    n = length(x)
    if not positions.size:
        return take_rows(x, positions)
    if positions.view(np.uint64).max() < n:
        return take_rows(x, positions)
    bad = (positions < 0) | (positions >= n)
    if type(x) is Vec:
        out = np.empty(positions.shape, dtype=x.a.dtype)
        out[~bad] = x.a[positions[~bad]]
        out[bad] = qt.NULLS[x.t]
        return Vec(x.t, out)
    if type(x) is Table:
        return Table(x.names, [take_or_null(c, positions) for c in x.cols])
    null = missing_item(x)
    items = items_of(x)
    return collapse([null if b else items[p] for p, b in zip(positions.tolist(), bad, strict=True)])


def _index_table(x: Table, i: Value) -> Value:
    t = type_number(i)
    if t == -11:
        return x.column(i.v)
    if t == 11:
        return collapse([x.column(name) for name in i.a.tolist()])
    if t < 0:
        position = position_of(i)
        return x.row(position) if 0 <= position < x.size() else missing_item(x)
    if type(i) is Vec and i.t in _INDEX_TYPES:
        return take_or_null(x, widen_array(i.t, i.a, 7))
    if type(i) is GList:
        return collapse([_index_table(x, item) for item in i.items])
    raise QError("type")


def index_dict(d: Dict, i: Value) -> Value:
    """Look up one key or a list of keys; a missing key gives a null of the values' type."""
    c = type(i)
    if (c is int or c is Atom) and type(d.k) is Vec and d.attr != "s":
        t = d.k.t
        if (t == 7 if c is int else t == -i.t) and t < qt.FIRST_ENUM and t not in qt.FLOATS:
            place = key_index(d).get(i if c is int else i.v)
            return missing_item(d.v) if place is None else items_of_one(d.v, place)
    if c is Nil:
        return d.v
    i = resolve(i)
    if d.attr == "s":
        return _step(d, i)
    keys = resolve(d.k)
    t = type_number(i)
    if type(keys) is Table:
        return _index_keyed(d, i)
    is_one = t < 0 or (type(keys) is GList and is_sought_whole(keys, i))
    if is_one or is_function(i):
        found = key_index(d).get(_sought_key(keys, i))
        return items_of_one(d.v, found) if found is not None else missing_item(d.v)
    if type(i) is Dict:
        return Dict(i.k, index_dict(d, i.v))
    found_index = key_index(d)
    if type(keys) is Vec and type(i) is Vec and (keys.t == i.t or not len(i.a)):
        raws = list_keys(i)
    elif type(i) is GList and (
        type(keys) is Vec or (type(keys) is GList and is_sought_deeper(keys, i))
    ):
        return collapse([index_dict(d, item) for item in i.items])
    else:
        raws = [_sought_key(keys, item) for item in items_of(i)]
    n = length(keys)
    positions = np.array([found_index.get(r, n) for r in raws], dtype=np.int64)
    return take_or_null(d.v, positions)


def _step(d: Dict, i: Value) -> Value:
    """Look up in a sorted dictionary: the last key not above `i`."""
    from q_runtime.prims.sorting import bin_, bin_rows

    if type(d.k) is not Table:
        return index(d.v, bin_(d.k, i))
    names = d.k.names
    if type(i) is Table:
        if len(names) == 1:
            return index(d.v, bin_(d.k.cols[0], i.column(names[0])))
        probes = [[items_of(i.column(n))[row] for n in names] for row in range(i.size())]
        return index(d.v, Vec(7, np.array([bin_rows(d.k, p) for p in probes], dtype=np.int64)))
    if type(i) is Dict:
        i = i.v
    if len(names) == 1:
        return index(d.v, bin_(d.k.cols[0], i))
    if length(i) != len(names) or not is_list(i):
        raise QError("length")
    return index(d.v, bin_rows(d.k, items_of(i)))


def is_sought_whole(x: GList, y: Value) -> bool:
    """Say whether the list `y` is sought as one item of `x`: those of `x` are lists at least as deep.

    The first item tells for each of them. Source: KX ref/find, rank-sensitive.
    """
    if not x.items or not is_list(x.items[0]) or (type(y) is GList and not y.items):
        return False
    return 1 <= _depth(y) <= _depth(x.items[0])


def is_sought_deeper(x: GList, y: Value) -> bool:
    """Say whether the items of `y` are sought one by one, as lists of items of `x`."""
    return bool(x.items) and _depth(y) > _depth(x.items[0]) + 1


def _depth(x: Value) -> int:
    """Count the levels of a list, as its first items have them."""
    depth = 0
    while type(x) is GList and x.items:
        depth, x = depth + 1, x.items[0]
    return depth + is_list(x)


def _index_keyed(d: Dict, i: Value) -> Value:
    """Look rows of a keyed table up by key values, a dictionary or a table of keys.

    Raises: QError('length') for a key that has not one value for each key column.
    """
    keys: Table = d.k
    n = keys.size()
    if type(i) is Table:
        if len(i.cols) == len(keys.cols):
            require_kinds(keys.cols, i.cols)
        at = key_index(d)
        wanted = [at.get(k, n) for k in list_keys(i)]
        return take_or_null(d.v, np.array(wanted, dtype=np.int64))
    if type(i) is Dict:
        i = i.v
    parts = items_of(i) if is_list(i) else [i]
    if not is_one_key(keys, i):
        rows = collapse([_index_keyed(d, item) for item in parts])
        return rows if parts else take_or_null(d.v, np.empty(0, dtype=np.int64))
    if len(parts) != len(keys.names):
        raise QError("length", "not one value for each key column")
    if len(parts) == 1:
        return index_dict(Dict(keys.cols[0], d.v), parts[0])
    parts = [_key_like(c, p) for c, p in zip(keys.cols, parts, strict=True)]
    probe = hash_key(Dict(symbols(keys.names), collapse(parts)))
    return index(d.v, key_index(d).get(probe, n))


def is_one_key(keys: Table, i: Value) -> bool:
    """Say whether what is sought among the rows is one key: values for the key columns, not lists of such values."""
    if type(i) is not GList or not all(is_list(item) for item in i.items):
        return True
    return len(i.items) == len(keys.names) and all(type(c) is GList for c in keys.cols)


def _key_like(column: Value, x: Value) -> Value:
    """Return one key value in the type of its key column.

    Raises: QError('type') for a value of another kind.
    """
    if type(column) is not Vec or column.t >= qt.FIRST_ENUM:
        return x
    x = resolve(x)
    raw = _sought_key(column, x)
    return make_atom(column.t, raw) if type_number(x) != -column.t else x


def index_at_depth(host: Any, x: Value, args: list[Value]) -> Value:
    """Index `x` by one index per level; an elided or list index maps over its level.

    Raises: QError('rank') when there are more indices than levels.
    """
    if is_function(x):
        return host.apply(x, args)
    while len(args) > 1 and type(args[-1]) is Nil and type(x) in (Dict, Table):
        args = args[:-1]
    if not args:
        return x
    first, rest = args[0], args[1:]
    t = type_number(x)
    if t < 0:
        if t == -11:
            return host.apply(x, args)
        raise QError("rank", "more indices than levels")
    if not rest:
        return index(x, first)
    if type(x) is Table and type(first) is not Nil and abs(type_number(first)) != 11:
        rows = index(x, first)
        if type(rows) is Table and type_number(rest[0]) == 11 and len(rest) == 1:
            return collapse([index(row, rest[0]) for row in rows.rows()])
        if type(rows) is Table and type_number(rest[0]) == -11:
            return index_at_depth(host, rows, rest)
    chosen = index(x, first)
    is_one = type(x) is Dict and (
        is_sought_whole(x.k, first)
        if type(x.k) is GList
        else x.is_keyed_table and type(chosen) is Dict
    )
    if type(first) is Nil or (t >= 0 and type_number(first) >= 0 and not is_one):
        if type(first) is Nil and type(x) is Dict and not x.is_keyed_table:
            chosen = x
        if type(chosen) is Dict:
            inner = [index_at_depth(host, item, rest) for item in items_of(chosen.v)]
            return Dict(chosen.k, collapse(inner))
        return collapse([index_at_depth(host, item, rest) for item in items_of(chosen)])
    return index_at_depth(host, chosen, rest)
