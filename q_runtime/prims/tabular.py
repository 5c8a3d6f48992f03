"""Tables: literals, upsert, insert, xkey, xcol, xcols, xasc, xdesc, xgroup, ungroup, meta, lj ij uj."""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.dictionary import key_table, unkey
from q_runtime.prims.enumeration import is_foreign_key
from q_runtime.prims.indexing import key_index, list_keys, take_or_null
from q_runtime.prims.lists import join
from q_runtime.prims.registry import Host, primitive
from q_runtime.prims.setops import group_positions
from q_runtime.prims.sorting import grade
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table, make_table, repeat
from q_runtime.values.enums import base_type, domain_name
from q_runtime.values.functions import Prim
from q_runtime.values.vectors import (
    CHARS,
    Atom,
    GList,
    Value,
    Vec,
    collapse,
    is_list,
    items_of,
    length,
    symbols,
    take_rows,
    type_number,
    vector,
)


def table_literal(names: list[str], columns: list[Value], n_keys: int) -> Value:
    """Build a table from the columns of a literal; atoms are repeated.

    Raises: QError('length').
    """
    if n_keys == len(names) and names:
        return Dict(symbols(names), collapse(columns))
    sizes = {length(c) for c in columns if is_list(c)}
    if len(sizes) > 1:
        raise QError("length")
    if not sizes:
        raise QError("rank" if columns else "type")
    (n,) = sizes
    cols = [c if is_list(c) else repeat(c, n) for c in columns]
    if n_keys:
        return Dict(Table(names[:n_keys], cols[:n_keys]), Table(names[n_keys:], cols[n_keys:]))
    return Table(names, cols)


def table_maker(names: list[str], n_keys: int) -> Prim:
    """Return the function from the columns of a table or dictionary literal to its value."""
    return Prim("([])", lambda *columns: table_literal(names, list(columns), n_keys), (len(names),))


def _names(x: Value) -> list[str]:
    if type(x) is Atom and x.t == -11:
        return [x.v]
    if type(x) is Vec and x.t == 11:
        return x.a.tolist()
    raise QError("type")


def upsert_row(d: Dict, keys: Value, row: Value) -> Dict:
    """Set one row of a keyed table."""
    key_parts = items_of(keys) if is_list(keys) else [keys]
    row_parts = items_of(row.v) if type(row) is Dict else items_of(row) if is_list(row) else [row]
    names = [*d.k.names, *d.v.names]
    one = Table(names, [collapse([p]) for p in [*key_parts, *row_parts]])
    return upsert_tables(d, key_table(len(d.k.names), one))


def upsert_tables(x: Dict, y: Dict) -> Dict:
    """Merge two keyed tables: rows of `y` replace or follow those of `x`."""
    if type(y.k) is not Table or x.k.names != y.k.names:
        raise QError("mismatch")
    at = dict(key_index(x))
    cols = [list(items_of(c)) for c in x.v.cols]
    new: list[int] = []
    n = x.k.size()
    right = [items_of(y.v.column(name)) for name in x.v.names]
    for i, key in enumerate(list_keys(y.k)):
        place = at.get(key)
        if place is None:
            at[key] = n + len(new)
            new.append(i)
            for col, values in zip(cols, right, strict=True):
                col.append(values[i])
        else:
            for col, values in zip(cols, right, strict=True):
                col[place] = values[i]
    keys = join(x.k, y.k.take(np.array(new, dtype=np.int64))) if new else x.k
    return Dict(
        keys,
        Table(x.v.names, [collapse(c) if c else o for c, o in zip(cols, x.v.cols, strict=True)]),
    )


@primitive("xkey", 2)
def xkey(x: Value, y: Value) -> Value:
    """Table keyed by the named columns."""
    names = _names(x) if length(x) else []
    table = unkey(y)
    rest = [n for n in table.names if n not in names]
    ordered = Table([*names, *rest], [table.column(n) for n in [*names, *rest]])
    return key_table(len(names), ordered) if names else ordered


@primitive("xcol", 2)
def xcol(x: Value, y: Value) -> Value:
    """Table with its first columns renamed, or by a dictionary of names."""
    table = unkey(y)
    if type(x) is Dict:
        swap = dict(zip(_names(x.k), _names(x.v), strict=True))
        names = [swap.get(n, n) for n in table.names]
    else:
        given = _names(x)
        if len(given) > len(table.names):
            raise QError("length")
        names = [*given, *table.names[len(given) :]]
    made = Table(names, table.cols)
    return key_table(len(y.k.names), made) if type(y) is Dict else made


@primitive("xcols", 2)
def xcols(x: Value, y: Value) -> Value:
    """Table with the named columns first."""
    names = _names(x)
    if type(y) is not Table:
        raise QError("type")
    ordered = [*names, *(n for n in y.names if n not in names)]
    return Table(ordered, [y.column(n) for n in ordered])


def _sorted_by(x: Value, y: Value, *, descending: bool) -> Value:
    table = unkey(y)
    order = np.arange(table.size())
    for name in reversed(_names(x)):
        order = order[grade(take_rows(table.column(name), order), descending=descending)]
    made = table.take(order)
    names = _names(x)
    if names and not descending:
        at = made.names.index(names[0])
        if type(made.cols[at]) is Vec:
            column = made.cols[at]
            made.cols[at] = Vec(column.t, column.a, "s" if len(names) == 1 else "p")
    return key_table(len(y.k.names), made) if type(y) is Dict else made


@primitive("xasc", 2)
def xasc(x: Value, y: Value) -> Value:
    """Table sorted ascending by the named columns."""
    return _sorted_by(x, y, descending=False)


@primitive("xdesc", 2)
def xdesc(x: Value, y: Value) -> Value:
    """Table sorted descending by the named columns."""
    return _sorted_by(x, y, descending=True)


@primitive("xgroup", 2)
def xgroup(x: Value, y: Value) -> Value:
    """Table keyed by the named columns, the others as lists per key."""
    table = unkey(y)
    names = _names(x)
    keys = Table(names, [table.column(n) for n in names])
    firsts, rows = group_positions(keys)
    rest = [n for n in table.names if n not in names]
    cols: list[Value] = [GList([take_rows(table.column(n), r) for r in rows]) for n in rest]
    return Dict(keys.take(firsts), Table(rest, cols))


@primitive("ungroup")
def ungroup(x: Value) -> Value:
    """Table with a row for each item of its list columns."""
    table = unkey(x)
    if not table.size():
        return table
    counts = []
    for i in range(table.size()):
        sizes = [length(items_of(c)[i]) for c in table.cols if type(c) is GList]
        counts.append(max(sizes, default=1))
    from q_runtime.prims.lists import raze

    rows = np.repeat(np.arange(table.size()), counts)
    return Table(
        table.names, [raze(c) if type(c) is GList else take_rows(c, rows) for c in table.cols]
    )


@primitive("meta")
def meta(x: Value) -> Value:
    """Keyed table of column names, type letters, foreign keys and attributes."""
    table = unkey(x)
    letters = []
    for column in table.cols:
        t = type_number(column)
        t = base_type(t) if is_foreign_key(column) else t
        if t == 0 and length(column) and 0 < type_number(items_of(column)[0]) < 20:
            letters.append(CHARS[ord(qt.LETTERS[type_number(items_of(column)[0])].upper())])
        else:
            letters.append(CHARS[ord(qt.LETTERS[t])])
    values = Table(
        ["t", "f", "a"],
        [
            vector(10, [c.v for c in letters]),
            symbols([domain_name(c.t) if is_foreign_key(c) else "" for c in table.cols]),
            symbols([getattr(c, "attr", "") for c in table.cols]),
        ],
    )
    return Dict(Table(["c"], [symbols(table.names)]), values)


@primitive("lj", 2)
def lj(x: Value, y: Value) -> Value:
    """Left join: columns of keyed table `y` for the rows of `x`; `y` wins where a key is found."""
    if not (type(y) is Dict and y.is_keyed_table):
        raise QError("type")
    table = unkey(x)
    keys = Table(y.k.names, [table.column(n) for n in y.k.names])
    at = key_index(y)
    n = y.k.size()
    places = np.array([at.get(k, n) for k in list_keys(keys)], dtype=np.int64)
    found = places < n
    names, cols = list(table.names), list(table.cols)
    for name, column in zip(y.v.names, y.v.cols, strict=True):
        taken = take_or_null(column, places)
        if name in names:
            i = names.index(name)
            if not found.all():
                old, new = items_of(cols[i]), items_of(taken)
                taken = collapse([b if f else a for f, a, b in zip(found, old, new, strict=True)])
            cols[i] = taken
        else:
            names.append(name)
            cols.append(taken)
    made = Table(names, cols)
    return key_table(len(x.k.names), made) if type(x) is Dict else made


@primitive("ij", 2)
def ij(x: Value, y: Value) -> Value:
    """Inner join: rows of `x` whose key is in keyed table `y`."""
    if not (type(y) is Dict and y.is_keyed_table):
        raise QError("type")
    table = unkey(x)
    keys = Table(y.k.names, [table.column(n) for n in y.k.names])
    at = key_index(y)
    rows = np.array([i for i, k in enumerate(list_keys(keys)) if k in at], dtype=np.int64)
    return lj(table.take(rows), y)


@primitive("uj", 2)
def uj(x: Value, y: Value) -> Value:
    """Union join: rows of both tables, missing columns null."""
    if type(x) is not Table or type(y) is not Table:
        raise QError("type")
    names = [*x.names, *(n for n in y.names if n not in x.names)]
    nothing = np.full(y.size(), -1, dtype=np.int64), np.full(x.size(), -1, dtype=np.int64)
    cols = []
    for name in names:
        left = x.column(name) if name in x.names else take_or_null(y.column(name), nothing[1])
        right = y.column(name) if name in y.names else take_or_null(x.column(name), nothing[0])
        cols.append(join(left, right))
    return Table(names, cols)


def _upsert(x: Value, y: Value) -> Value:
    if type(x) is Dict:
        if not x.is_keyed_table:
            return join(x, y)
        if type(y) is Dict and y.is_keyed_table:
            return upsert_tables(x, y)
        if type(y) is Dict:
            y = make_table(Dict(y.k, GList([collapse([i]) for i in items_of(y.v)])))
        if is_list(y):
            names = [*x.k.names, *x.v.names]
            y = _rows_table(names, y)
        return upsert_tables(x, key_table(len(x.k.names), y))
    if is_list(y) and not (type(y) is GList and y.items and type(y.items[0]) is Dict):
        y = _rows_table(x.names, y)
    return join(x, y)


def _rows_table(names: list[str], y: Value) -> Table:
    parts = items_of(y)
    if len(parts) != len(names):
        raise QError("length")
    if any(is_list(p) and not (type(p) is Vec and p.t == 10) for p in parts):
        return make_table(Dict(symbols(names), GList(parts)))
    return Table(names, [collapse([p]) for p in parts])


@primitive("upsert", 2, host=True)
def upsert(host: Host, x: Value, y: Value) -> Value:
    """Add rows; in a keyed table rows of a known key replace the old ones."""
    if type(x) is Atom and x.t == -11:
        host.set_global(x.v, _upsert(host.get_global(x.v), y))
        return x
    if type(x) in (Dict, Table):
        return _upsert(x, y)
    raise QError("type")


@primitive("insert", 2, host=True)
def insert(host: Host, x: Value, y: Value) -> Value:
    """Add rows to a table given by name; returns their positions."""
    if type(x) is not Atom or x.t != -11:
        raise QError("type")
    old = host.get_global(x.v)
    n = length(old)
    if type(old) is Dict:
        made = _upsert(old, y)
        if length(made) == n:
            raise QError("insert", "the key is there already")
    else:
        made = _upsert(old, y)
    host.set_global(x.v, made)
    return Vec(7, np.arange(n, length(made), dtype=np.int64))


@primitive("fby", 2, host=True)
def fby(host: Host, x: Value, y: Value) -> Value:
    """`(f;x) fby y`: `f` of the items of `x` in each group of `y`, back at every item's place."""
    if type(x) is not GList or len(x.items) != 2:
        raise QError("type")
    f, values = x.items
    if not is_list(values) or not is_list(y):
        raise QError("type")
    if length(values) != length(y):
        raise QError("length")
    _, rows = group_positions(y)
    out: list[Value] = [0] * length(y)
    for positions in rows:
        made = host.apply(f, (take_rows(values, positions),))
        parts = items_of(made) if is_list(made) else [made] * len(positions)
        for place, part in zip(positions.tolist(), parts, strict=True):
            out[place] = part
    return collapse(out) if out else values
