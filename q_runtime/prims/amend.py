"""Writing items: indexed assignment and functional amend `@[d;i;f;y]` and `.[d;i;f;y]`.

Values are not changed in place: the amended copy is returned. A value of another type than the vector's
is 'type, a position out of range or a list of another length 'length.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.indexing import (
    index,
    is_one_key,
    is_sought_whole,
    key_index,
    lookup_key,
    position_of,
)
from q_runtime.prims.joining import join
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.functions import Nil, Prim
from q_runtime.values.vectors import (
    LISTABLE,
    MOST_ATOMS,
    GList,
    Value,
    Vec,
    collapse,
    is_list,
    items_of,
    length,
    listed,
    longs,
    names_in,
    raw_of,
    symbols,
    type_number,
)

_MISSING = object()
_NO_KEYS = Dict(GList([]), GList([]))
_FILLING = frozenset("+-*&|")
"""Operators that take a key which one of two dictionaries lacks from the other."""


def amend(host: Any, x: Value, indices: tuple[Value, ...], f: Value | None, y: Value) -> Value:
    """Assign at `indices` (one per level): `y` itself, or `f` of the old item and `y`."""
    if len(indices) == 1:
        return amend_at(host, x, indices[0], f, y)
    if f is None and len(indices) == 2 and type(x) is GList:
        made = _set_in_row(x, *indices, y)
        if made is not None:
            return made
    return amend_deep(host, x, list(indices), f, y)


def _set_in_row(x: GList, i: Value, j: Value, y: Value) -> GList | None:
    """`x[i;j]:y` for an atom `y` and a row of its type that is held as atoms; None for anything else."""
    if type(i) is not int or type(j) is not int or not 0 <= i < len(x.items):
        return None
    row = x.items[i]
    if type(row) is not Vec or row.t not in LISTABLE or type_number(y) != -row.t:
        return None
    n = length(row)
    if n > MOST_ATOMS or not 0 <= j < n:
        return None
    atoms = list(row.atoms)
    atoms[j] = y
    items = list(x.items)
    items[i] = listed(row.t, atoms)
    return GList(items)


def amend_deep(host: Any, x: Value, path: list[Value], f: Value | None, y: Value) -> Value:
    """Amend at a path of indices, one per level; a list or an elided index fans out."""
    if not path:
        return _new_item(host, x, f, y)
    first, rest = path[0], path[1:]
    if type_number(x) < 0:
        raise QError("type", "an atom has no items")
    if not rest:
        return amend_at(host, x, first, f, y)
    if type(first) is Nil:
        first = x.k if type(x) is Dict else longs(range(length(x)))
    if type(x) is Table and abs(type_number(first)) != 11:
        if abs(type_number(rest[0])) == 11:
            return amend_deep(host, x, [rest[0], first, *rest[1:]], f, y)
    if is_list(first) and not (type(x) is Dict and _one_key(x, first)):
        many = items_of(first)
        values = _spread(y, len(many))
        for i, value in zip(many, values, strict=True):
            x = amend_deep(host, x, [i, *rest], f, value)
        return x
    inner = amend_deep(host, index(x, first), rest, f, y)
    return _set_one(x, first, inner)


def _spread(y: Value, n: int) -> list[Value]:
    if y is _MISSING or type_number(y) < 0 or (not is_list(y) and type(y) is not Table):
        return [y] * n
    if length(y) != n:
        raise QError("length")
    return items_of(y)


def _new_item(host: Any, old: Value, f: Value | None, y: Value) -> Value:
    if f is None:
        return y
    if y is _MISSING:
        return host.apply(f, (old,))
    return host.apply(f, (old, y))


def amend_at(host: Any, x: Value, i: Value, f: Value | None, y: Value) -> Value:
    """Amend one level at index `i`: an atom, a list of indices, or everything."""
    if type(f) is Prim and f.name == ":" and y is not _MISSING:
        f = None
    if type_number(x) < 0:
        raise QError("type", "an atom has no items")
    if type(i) is Nil:
        if f is None and type(x) is Dict:
            raise QError("adict", "all items of a dictionary cannot be assigned at once")
        if f is None and type(x) is not Vec:
            return _replace_all(x, y)
        i = x.k if type(x) is Dict else longs(range(length(x)))
    ti = type_number(i)
    is_one = ti < 0 or (type(x) is Dict and _one_key(x, i))
    if is_one:
        if f is None:
            return _set_one(x, i, y)
        if type(x) is Dict and _lacks(x, i, f) and y is not _MISSING:
            alone = Dict(collapse([i]), collapse([y]))
            return _set_key(x, i, items_of(host.apply(f, (_NO_KEYS, alone)).v)[0])
        return _set_one(x, i, _new_item(host, _old_item(x, i, f), f, y))
    if f is None and type(x) is Vec and type(i) is Vec:
        made = _set_many(x, i, y)
        if made is not None:
            return made
    has_keys_of_table = type(i) is Table and type(x) is Dict and type(x.k) is Table
    if not is_list(i) and not has_keys_of_table:
        raise QError("type")
    many = items_of(i)
    if type(x) is Vec and f is not None and not any(type(one) is Nil for one in many):
        return _amend_each(host, x, many, f, y)
    for one, value in zip(many, _spread(y, len(many)), strict=True):
        x = amend_at(host, x, one, f, value)
    return x


def _amend_each(host: Any, x: Value, many: list[Value], f: Value, y: Value) -> Value:
    """Amend items one after another (an index may repeat), copying the vector once."""
    items = list(items_of(x))
    n = len(items)
    for one, value in zip(many, _spread(y, len(many)), strict=True):
        if type_number(one) >= 0:
            return amend_deep(host, amend_at(host, x, one, f, value), [], None, x)
        position = position_of(one)
        if not 0 <= position < n:
            raise QError("length")
        items[position] = _new_item(host, items[position], f, value)
        _check_item(x, items[position])
    return collapse(items) if items else x


def _check_item(x: Value, y: Value) -> None:
    if type(x) is Vec and type_number(y) != -x.t:
        raise QError("type", "an item of another type than the vector's")


def as_kind(x: Vec, y: Value) -> Value:
    """Return `y` enumerated as the vector it goes into, when that is an enumeration.

    Raises: QError('cast').
    """
    if x.t < qt.FIRST_ENUM or abs(type_number(y)) == x.t:
        return y
    from q_runtime.prims.enumeration import enumerate_as

    return enumerate_as(x.t, y)


def _is_new(d: Dict, i: Value) -> bool:
    return type(d.k) is not Table and lookup_key(d.k, i) not in key_index(d)


def _lacks(d: Dict, i: Value, f: Value | None) -> bool:
    """Say whether a dictionary lacks a key that `f` would make, as it does between dictionaries: `d[`new]+:1` is 1."""
    return type(f) is Prim and f.name in _FILLING and _is_new(d, i)


def _old_item(x: Value, i: Value, f: Value) -> Value:
    """Return the item to amend; what is joined to a missing list of lists becomes all that it has."""
    old = index(x, i)
    is_join = type(f) is Prim and f.name == ","
    return (
        GList([]) if is_join and type(old) is GList and type(x) is Dict and _is_new(x, i) else old
    )


def _one_key(d: Dict, i: Value) -> bool:
    if type(d.k) is Table:
        return type(i) is Dict or (len(d.k.names) > 1 and is_list(i) and is_one_key(d.k, i))
    return type(d.k) is GList and is_sought_whole(d.k, i)


def _replace_all(x: Value, y: Value) -> Value:
    n = length(x)
    if not is_list(y):
        return collapse([y] * n)
    if length(y) != n:
        raise QError("length")
    return y


def _set_one(x: Value, i: Value, y: Value) -> Value:
    """Set the item at one atom index (or one key)."""
    if type(x) is Dict:
        return _set_key(x, i, y)
    if type(x) is Table:
        return _set_in_table(x, i, y)
    if not is_list(x):
        raise QError("type", "only lists and dictionaries have items")
    position = position_of(i)
    if not 0 <= position < length(x):
        raise QError("length", f"position {position} in a list of {length(x)}")
    if type(x) is Vec:
        y = as_kind(x, y)
        t = -type_number(y)
        if t != x.t:
            raise QError("type", "an item of another type than the vector's")
        out = x.a.copy()
        out[position] = raw_of(y)
        return Vec(x.t, out, "g" if x.attr == "g" else "")
    items = list(x.items)
    items[position] = y
    return collapse(items)


def _set_many(x: Vec, i: Vec, y: Value) -> Value | None:
    """Set several positions of a vector from an atom or a vector of its type."""
    if i.t not in (1, 4, 5, 6, 7):
        if not len(i.a):
            return x
        raise QError("type")
    positions = widen_array(i.t, i.a, 7)
    if positions.size and (positions.min() < 0 or positions.max() >= len(x.a)):
        raise QError("length")
    y = as_kind(x, y)
    if type(y) is Vec:
        if len(y.a) != positions.size:
            raise QError("length")
        if y.t != x.t:
            raise QError("type")
        values: Any = y.a
    elif type_number(y) < 0:
        if -type_number(y) != x.t:
            raise QError("type")
        values = raw_of(y)
    else:
        return None
    out = x.a.copy()
    out[positions] = values
    return Vec(x.t, out, "g" if x.attr == "g" else "")


def _set_key(d: Dict, i: Value, y: Value) -> Value:
    if type(d.k) is Table:
        return _set_row(d, i, y)
    if length(d.k) == 0 and type(d.k) is GList:
        return Dict(collapse([i]), collapse([y]))
    found = key_index(d).get(lookup_key(d.k, i))
    if found is None:
        return Dict(join(d.k, _one(i)), append(d.v, y))
    made = Dict(d.k, _set_one(d.v, found, y))
    made.index = d.index
    return made


def _set_row(d: Dict, key: Value, row: Value) -> Dict:
    """Set one row of a keyed table."""
    from q_runtime.prims.appending import merge_keyed

    if type(key) is Dict:
        key = key.v
    keys = items_of(key) if is_list(key) else [key]
    if type(row) is Dict:
        given = Table(names_in(row.k), [collapse([i]) for i in items_of(row.v)])
    else:
        parts = items_of(row) if is_list(row) else [row]
        if len(parts) != len(d.v.names):
            raise QError("length")
        given = Table(d.v.names, [collapse([p]) for p in parts])
    if len(keys) != len(d.k.names):
        raise QError("length")
    return merge_keyed(d, Dict(Table(d.k.names, [collapse([k]) for k in keys]), given), fills=True)


def _one(x: Value) -> Value:
    return collapse([x])


def append(x: Value, y: Value) -> Value:
    """Append one item to a list of values; a typed vector, empty too, only takes its own type.

    Raises: QError('type').
    """
    if type(x) is Vec:
        if type_number(y) != -x.t:
            raise QError("type", "a value of another type than the dictionary's")
        return Vec(x.t, np.append(x.a, np.array([raw_of(y)], dtype=qt.DTYPES[x.t])))
    if type(x) is GList:
        return GList([*x.items, y]) if x.items else collapse([y])
    raise QError("type")


def _set_in_table(x: Table, i: Value, y: Value) -> Value:
    if type_number(i) == -11:
        n = x.size()
        column = y if is_list(y) else collapse([y] * n)
        if length(column) != n:
            raise QError("length")
        if i.v in x.names:
            cols = [column if name == i.v else c for name, c in zip(x.names, x.cols, strict=True)]
            return Table(x.names, cols)
        return Table([*x.names, i.v], [*x.cols, column])
    if type(y) is not Dict:
        if not is_list(y):
            raise QError("type", "a row is a list or a dictionary")
        if length(y) != len(x.names):
            raise QError("length")
        y = Dict(symbols(x.names), y)
    cols = [
        _set_one(c, i, items_of(index(y, symbols([name])))[0])
        for name, c in zip(x.names, x.cols, strict=True)
    ]
    return Table(x.names, cols)


MISSING = _MISSING
"""Stands for the absent fourth argument of a functional amend."""
