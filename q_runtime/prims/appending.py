"""Adding rows: what `,:`, upsert and insert share.

A row is a list, a dictionary or a table's row. `upsert` and `,:` take one row or a list of rows and fill what a
row lacks with nulls; `insert` takes one row or a list of columns and lacks nothing.
"""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.amend import as_kind
from q_runtime.prims.attributes import kept_after_append
from q_runtime.prims.dictionary import key_table, unkey
from q_runtime.prims.indexing import key_index, list_keys, places_of_rows, take_or_null
from q_runtime.prims.joining import join
from q_runtime.prims.registry import Host, primitive
from q_runtime.values.dicts import Dict, Table, make_table
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    collapse,
    is_list,
    items_of,
    length,
    longs,
    symbols,
    type_number,
)


def append_column(old: Value, new: Value) -> Value:
    """Append items to a column.

    Raises: QError('type') for items of another type than a vector's; QError('cast').
    """
    if not length(new):
        return old
    if type(old) is GList:
        return join(old, new) if old.items else new
    new = as_kind(old, new)
    if type(new) is not Vec or new.t != old.t:
        raise QError("type", "a column of another type")
    made = Vec(old.t, np.concatenate((old.a, new.a)))
    if old.attr:
        made.attr = kept_after_append(old, made)
    return made


def replace_at(old: Value, rows: np.ndarray, fresh: Value) -> Value:
    """Return a column with the items at some rows replaced by those of `fresh`.

    Raises: QError('type') for items of another type than a vector's; QError('cast').
    """
    if not len(rows):
        return old
    if type(old) is Vec:
        fresh = as_kind(old, fresh)
        if type(fresh) is not Vec or fresh.t != old.t:
            raise QError("type", "items of another type than the column's")
        out = old.a.copy()
        out[rows] = fresh.a
        return Vec(old.t, out, "g" if old.attr == "g" else "")
    items = list(items_of(old))
    for row, item in zip(rows.tolist(), items_of(fresh), strict=True):
        items[row] = item
    return collapse(items)


def _nulls(column: Value, n: int) -> Value:
    """Return `n` items that stand for nothing in a column."""
    if type(column) is GList and not column.items:
        return GList([GList([])] * n)
    return take_or_null(column, np.full(n, -1, dtype=np.int64))


def append_table(x: Table, y: Table, *, fills: bool) -> Table:
    """Append the rows of `y`; with `fills` a column that `y` lacks gets nulls.

    Raises: QError('mismatch') for a column that `x` lacks.
    """
    if any(n not in x.names for n in y.names) or (not fills and len(x.names) != len(y.names)):
        raise QError("mismatch")
    n = y.size()
    columns = []
    for name, column in zip(x.names, x.cols, strict=True):
        new = y.column(name) if name in y.names else _nulls(column, n)
        columns.append(append_column(column, new))
    return Table(x.names, columns)


def merge_keyed(x: Dict, y: Dict, *, fills: bool) -> Dict:
    """Merge keyed tables: rows of `y` replace those of the same key or follow.

    With `fills` a column that `y` lacks stays as it is, null in new rows. Raises: QError('mismatch').
    """
    if y.k.names != x.k.names:
        if set(y.k.names) != set(x.k.names):
            raise QError("mismatch")
        y = Dict(Table(x.k.names, [y.k.column(n) for n in x.k.names]), y.v)
    if any(n not in x.v.names for n in y.v.names) or (
        not fills and len(x.v.names) != len(y.v.names)
    ):
        raise QError("mismatch")
    fresh, rows = places_of_rows(x, y.k)
    has_new = bool(len(fresh))
    keys = append_table(x.k, y.k.take(fresh), fills=False) if has_new else x.k
    columns = []
    for name, column in zip(x.v.names, x.v.cols, strict=True):
        wide = column
        if has_new:
            added = (
                take_or_null(y.v.column(name), fresh)
                if name in y.v.names
                else _nulls(column, len(fresh))
            )
            wide = append_column(column, added)
        columns.append(replace_at(wide, rows, y.v.column(name)) if name in y.v.names else wide)
    return Dict(keys, Table(x.v.names, columns))


def row_table(d: Dict) -> Table:
    """Return a record as a table of one row."""
    if type(d.k) is not Vec or d.k.t != 11:
        raise QError("type")
    return make_table(Dict(d.k, GList([collapse([i]) for i in items_of(d.v)])))


def _one_row(names: list[str], parts: list[Value]) -> Table:
    if len(parts) != len(names):
        raise QError("length")
    return Table(names, [collapse([p]) for p in parts])


def rows_table(names: list[str], y: Value) -> Table:
    """Return a row, or a list of rows, as a table with those columns.

    Raises: QError('length') unless every row has one item for each column.
    """
    parts = items_of(y)
    if not parts or not all(is_list(p) or type(p) is Dict for p in parts):
        return _one_row(names, parts)
    if len(names) == 1 and len(parts) == 1 and not is_list(parts[0]):
        return _one_row(names, parts)
    rows = []
    for part in parts:
        if type(part) is Dict:
            rows.append([items_of(row_table(part).column(n))[0] for n in names])
        elif length(part) != len(names):
            raise QError("length")
        else:
            rows.append(items_of(part))
    return Table(names, [collapse([row[j] for row in rows]) for j in range(len(names))])


def columns_table(names: list[str], y: Value) -> Table:
    """Return a row, or a list of columns, as a table with those columns.

    Raises: QError('length').
    """
    parts = items_of(y)
    if len(parts) != len(names):
        raise QError("length")
    if not is_list(parts[0]):
        return _one_row(names, parts)
    return make_table(Dict(symbols(names), GList(parts)))


def appended(x: Value, y: Value) -> Value:
    """Return a table or keyed table with rows added, as upsert and `,:` do."""
    names = unkey(x).names
    if type(y) is Dict and not y.is_keyed_table:
        y = row_table(y)
    elif is_list(y):
        if not length(y):
            return x
        y = rows_table(names, y)
    elif type(y) not in (Table, Dict):
        if len(names) != 1:
            raise QError("length" if type_number(y) < 0 else "type")
        y = _one_row(names, [y])
    if type(x) is Table:
        return append_table(x, unkey(y), fills=True)
    if type(y) is Table:
        lacking = [n for n in x.k.names if n not in y.names]
        if lacking:
            raise QError("mismatch")
        ordered = [*x.k.names, *(n for n in y.names if n not in x.k.names)]
        y = Table(ordered, [y.column(n) for n in ordered])
        y = Dict(
            Table(ordered[: len(x.k.names)], y.cols[: len(x.k.names)]),
            Table(ordered[len(x.k.names) :], y.cols[len(x.k.names) :]),
        )
    return merge_keyed(x, y, fills=True)


def _is_table(x: Value) -> bool:
    return type(x) is Table or (type(x) is Dict and x.is_keyed_table)


def _defined(host: Host, name: str) -> Value | None:
    try:
        return host.get_global(name)
    except QError:
        return None


@primitive("upsert", 2, host=True)
def upsert(host: Host, x: Value, y: Value) -> Value:
    """Add rows; in a keyed table rows of a known key replace the old ones. Source: KX ref/upsert."""
    if type(x) is Atom and x.t == -11:
        old = _defined(host, x.v)
        if old is None and _is_table(y):
            host.set_global(x.v, y)
            return x
        held = host.get_global(x.v)
        if type(held) is Dict and held.attr == "s" and type(y) is Dict and not _is_table(held):
            raise QError("step", "a step function cannot be changed in place")
        host.set_global(x.v, _upserted(held, y))
        return x
    return _upserted(x, y)


def _upserted(x: Value, y: Value) -> Value:
    if _is_table(x):
        return appended(x, y)
    if type(x) is Dict and type(y) is Dict:
        return join(x, y)
    if is_list(x) and not length(x) and type(y) is Table:
        return y
    if is_list(x):
        return join(x, y)
    raise QError("type")


@primitive("insert", 2, host=True)
def insert(host: Host, x: Value, y: Value) -> Value:
    """Add rows to a table given by name; returns their positions. Source: KX ref/insert.

    Raises: QError('insert') for a key that the table has already; QError('mismatch'), QError('length'),
    QError('type').
    """
    if type(x) is not Atom or x.t != -11:
        raise QError("type")
    old = _defined(host, x.v)
    if old is None and _is_table(y):
        host.set_global(x.v, y)
        return longs(range(length(y)))
    if old is None:
        raise QError(x.v, "not defined")
    if not _is_table(old):
        raise QError("type")
    n = length(old)
    names = unkey(old).names
    if type(y) is Dict and not y.is_keyed_table:
        y = row_table(y)
    elif is_list(y):
        y = columns_table(names, y)
    elif not _is_table(y):
        raise QError("type")
    table = unkey(y)
    if set(table.names) != set(names):
        raise QError("mismatch")
    if type(old) is Table:
        made: Value = append_table(old, table, fills=False)
    else:
        keyed = key_table(len(old.k.names), Table(names, [table.column(n) for n in names]))
        have = key_index(old)
        keys = list_keys(keyed.k)
        if any(k in have for k in keys) or len(set(keys)) != len(keys):
            raise QError("insert", "the key is there already")
        made = merge_keyed(old, keyed, fills=False)
    host.set_global(x.v, made)
    return longs(np.arange(n, length(made), dtype=np.int64))
