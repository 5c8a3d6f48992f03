"""Joins of tables: lj ljf ij ijf uj ujf ej pj, as-of joins aj aj0 ajf ajf0 asof, window joins wj wj1.

The key columns of an as-of join are compared for equality but for the last, of which the last row not above is
taken. Source: KX basics/joins.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.appending import append_column, replace_at
from q_runtime.prims.dictionary import key_table, unkey
from q_runtime.prims.indexing import (
    key_index,
    list_keys,
    places_of_rows,
    require_kinds,
    take_or_null,
)
from q_runtime.prims.joining import join
from q_runtime.prims.registry import Host, primitive
from q_runtime.prims.setops import fill
from q_runtime.prims.sorting import bin_, binr
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.functions import NIL
from q_runtime.values.vectors import (
    GList,
    Value,
    Vec,
    collapse,
    is_list,
    items_of,
    length,
    names_in,
    take_rows,
)


def _keyed(y: Value) -> Dict:
    if not (type(y) is Dict and y.is_keyed_table):
        raise QError("type", "expected a keyed table")
    return y


def _pick(table: Table, names: list[str]) -> Table:
    return Table(names, [table.column(n) for n in names])


def _places(table: Table, y: Dict) -> np.ndarray:
    """Return, for each row of `table`, the row of keyed table `y` with its key, -1 when there is none."""
    keys = _pick(table, y.k.names)
    require_kinds(y.k.cols, keys.cols)
    at = key_index(y)
    return np.array([at.get(k, -1) for k in list_keys(keys)], dtype=np.int64)


def _with_columns(
    table: Table, y: Table, places: np.ndarray, merge: Callable[[Value, Value], Value]
) -> Table:
    """Add the columns of `y` at the rows `places` (-1: none); `merge` meets an old column where one is found."""
    names, cols = list(table.names), list(table.cols)
    found = np.flatnonzero(places >= 0)
    for name, column in zip(y.names, y.cols, strict=True):
        if name not in names:
            names.append(name)
            cols.append(take_or_null(column, places))
            continue
        i = names.index(name)
        fresh = merge(take_rows(cols[i], found), take_rows(column, places[found]))
        cols[i] = fresh if len(found) == len(places) else replace_at(cols[i], found, fresh)
    return Table(names, cols)


def _second(_: Value, new: Value) -> Value:
    return new


def _rekey(x: Value, made: Table) -> Value:
    return key_table(len(x.k.names), made) if type(x) is Dict else made


def _left_join(x: Value, y: Value, merge: Callable[[Value, Value], Value]) -> Value:
    y = _keyed(y)
    table = unkey(x)
    return _rekey(x, _with_columns(table, y.v, _places(table, y), merge))


@primitive("lj", 2)
def lj(x: Value, y: Value) -> Value:
    """Left join: columns of keyed table `y` for the rows of `x`; `y` wins where a key is found."""
    return _left_join(x, y, _second)


@primitive("ljf", 2)
def ljf(x: Value, y: Value) -> Value:
    """Left join in which a null of `y` does not replace what `x` has."""
    return _left_join(x, y, fill)


def _inner_join(x: Value, y: Value, merge: Callable[[Value, Value], Value]) -> Value:
    y = _keyed(y)
    table = unkey(x)
    places = _places(table, y)
    rows = np.flatnonzero(places >= 0)
    return _rekey(x, _with_columns(table.take(rows), y.v, places[rows], merge))


@primitive("ij", 2)
def ij(x: Value, y: Value) -> Value:
    """Inner join: rows of `x` whose key is in keyed table `y`."""
    return _inner_join(x, y, _second)


@primitive("ijf", 2)
def ijf(x: Value, y: Value) -> Value:
    """Inner join in which a null of `y` does not replace what `x` has."""
    return _inner_join(x, y, fill)


@primitive("pj", 2)
def pj(x: Value, y: Value) -> Value:
    """Plus join: left join that adds; what is not found counts as zero."""
    from q_runtime.prims.arith import add

    y = _keyed(y)
    table = unkey(x)
    places = _places(table, y)
    names, cols = list(table.names), list(table.cols)
    for name, column in zip(y.v.names, y.v.cols, strict=True):
        taken = fill(0, take_or_null(column, places))
        if name in names:
            i = names.index(name)
            cols[i] = add(cols[i], taken)
        else:
            names.append(name)
            cols.append(taken)
    return _rekey(x, Table(names, cols))


def _union(x: Table, y: Table) -> Table:
    names = [*x.names, *(n for n in y.names if n not in x.names)]
    nothing = np.full(y.size(), -1, dtype=np.int64), np.full(x.size(), -1, dtype=np.int64)
    cols = []
    for name in names:
        left = x.column(name) if name in x.names else take_or_null(y.column(name), nothing[1])
        right = y.column(name) if name in y.names else take_or_null(x.column(name), nothing[0])
        cols.append(join(left, right))
    return Table(names, cols)


def _union_keyed(x: Dict, y: Dict, merge: Callable[[Value, Value], Value]) -> Dict:
    """Union join of keyed tables: rows of `y` update those of the same key or follow."""
    if x.k.names != y.k.names:
        raise QError("mismatch")
    fresh, rows = places_of_rows(x, y.k)
    n = x.k.size()
    keys = Table(
        x.k.names,
        [append_column(a, take_rows(b, fresh)) for a, b in zip(x.k.cols, y.k.cols, strict=True)],
    )
    wide = np.concatenate((np.arange(n), np.full(len(fresh), -1, dtype=np.int64)))
    names = [*x.v.names, *(m for m in y.v.names if m not in x.v.names)]
    cols = []
    for name in names:
        if name not in y.v.names:
            cols.append(take_or_null(x.v.column(name), wide))
            continue
        given = y.v.column(name)
        if name in x.v.names:
            base = take_or_null(x.v.column(name), wide)
            cols.append(replace_at(base, rows, merge(take_rows(base, rows), given)))
        else:
            back = np.full(n + len(fresh), -1, dtype=np.int64)
            back[rows] = np.arange(len(rows))
            cols.append(take_or_null(given, back))
    return Dict(keys, Table(names, cols))


def _union_join(x: Value, y: Value, merge: Callable[[Value, Value], Value]) -> Value:
    if type(x) is Table and type(y) is Table:
        return _union(x, y)
    return _union_keyed(_keyed(x), _keyed(y), merge)


@primitive("uj", 2)
def uj(x: Value, y: Value) -> Value:
    """Union join: rows of both tables, missing columns null; keyed rows of `y` update those of `x`."""
    return _union_join(x, y, _second)


@primitive("ujf", 2)
def ujf(x: Value, y: Value) -> Value:
    """Union join in which a null of `y` does not replace what `x` has."""
    return _union_join(x, y, fill)


@primitive("ej", 3)
def ej(c: Value, x: Value, y: Value) -> Value:
    """Equi-join on the columns `c`: a row for each pair of matching rows, `y` winning in shared columns."""
    names = names_in(c)
    left, right = unkey(x), unkey(y)
    rows: dict[object, list[int]] = {}
    for i, key in enumerate(list_keys(_pick(right, names))):
        rows.setdefault(key, []).append(i)
    pairs = [
        (i, j) for i, key in enumerate(list_keys(_pick(left, names))) for j in rows.get(key, ())
    ]
    places = np.array([j for _, j in pairs], dtype=np.int64)
    table = left.take(np.array([i for i, _ in pairs], dtype=np.int64))
    rest = [n for n in right.names if n not in names]
    return _with_columns(table, _pick(right, rest), places, _second)


# -- as-of joins


def as_of_rows(left: Table, right: Table, *, inclusive: bool = True) -> np.ndarray:
    """Return, for each row of `left`, the last row of `right` that agrees and is not above it; -1 for none.

    All columns but the last must be equal. With `inclusive` False, the first row that is not below; the
    number of rows in the group's end when there is none is given as a position past the table.
    Raises: QError('length') for a table without columns; QError('type') for a last column of lists.
    """
    if not left.names:
        raise QError("length")
    *same, last = left.names
    require_kinds([right.column(name) for name in left.names], left.cols)
    groups = _groups(right, same)
    out = np.full(left.size(), -1, dtype=np.int64)
    probes = items_of(left.column(last))
    column = right.column(last)
    sorted_parts: dict[object, Value] = {}
    for i, key in enumerate(_group_keys(left, same)):
        rows = groups.get(key)
        if rows is None:
            continue
        part = sorted_parts.get(key)
        if part is None:
            part = sorted_parts[key] = take_rows(column, rows)
        place = bin_(part, probes[i]) if inclusive else binr(part, probes[i])
        if is_list(place):
            raise QError("type", "a column of lists has no order to join as of")
        if 0 <= place < len(rows):
            out[i] = rows[place]
    return out


def _group_keys(table: Table, names: list[str]) -> list[object]:
    if not names:
        return [()] * table.size()
    return list_keys(_pick(table, names)) if len(names) > 1 else list_keys(table.column(names[0]))


def _groups(table: Table, names: list[str]) -> dict[object, np.ndarray]:
    """Return the rows of each different key, in order."""
    rows: dict[object, list[int]] = {}
    for i, key in enumerate(_group_keys(table, names)):
        rows.setdefault(key, []).append(i)
    return {key: np.array(places, dtype=np.int64) for key, places in rows.items()}


def _as_of(c: Value, x: Value, y: Value, *, takes_time: bool, fills: bool) -> Value:
    names = names_in(c)
    left, right = unkey(x), unkey(y)
    places = as_of_rows(_pick(left, names), _pick(right, names))
    dropped = names[:-1] if takes_time else names
    rest = [n for n in right.names if n not in dropped]
    made = _with_columns(left, _pick(right, rest), places, fill if fills else _second)
    return _rekey(x, made)


def _as_of_keyword(name: str, *, takes_time: bool, fills: bool) -> None:
    def keyword(c: Value, x: Value, y: Value) -> Value:
        return _as_of(c, x, y, takes_time=takes_time, fills=fills)

    of = "the row of `y`" if takes_time else "`x`"
    keyword.__doc__ = f"As-of join on the columns `c`; the last of them comes from {of}."
    primitive(name, 3)(keyword)


for _name, _takes_time, _fills in (
    ("aj", False, False),
    ("aj0", True, False),
    ("ajf", False, True),
    ("ajf0", True, True),
):
    _as_of_keyword(_name, takes_time=_takes_time, fills=_fills)


@primitive("asof", 2)
def asof(x: Value, y: Value) -> Value:
    """The other columns of `x` as of the keys in `y`, a dictionary or a table."""
    table = unkey(x)
    probe = y
    if type(y) is Dict and not y.is_keyed_table:
        probe = Table(names_in(y.k), [collapse([i]) for i in items_of(y.v)])
    probe = unkey(probe)
    places = as_of_rows(probe, _pick(table, probe.names))
    rest = _pick(table, [n for n in table.names if n not in probe.names])
    made = take_or_null(rest, places)
    return made if type(y) is Table else made.row(0)


# -- window joins


def _window_join(host: Host, w: Value, c: Value, x: Value, y: Value, *, prevailing: bool) -> Value:
    names = names_in(c)
    table = unkey(x)
    if type(y) is not GList or len(y.items) < 2 or type(w) is not GList or len(w.items) != 2:
        raise QError("type")
    if not names:
        raise QError("length", "a column to join on is missing")
    if any(type(side) is not Vec and length(side) for side in w.items):
        raise QError("type", "a window begins and ends at an atom")
    right = unkey(y.items[0])
    starts, ends = (items_of(side) for side in w.items)
    n = table.size()
    if len(starts) != n or len(ends) != n:
        raise QError("length")
    groups = _groups(right, names[:-1])
    times = {key: take_rows(right.column(names[-1]), rows) for key, rows in groups.items()}
    nothing = np.empty(0, dtype=np.int64)
    windows = []
    for i, key in enumerate(_group_keys(table, names[:-1])):
        rows = groups.get(key)
        if rows is None:
            windows.append(nothing)
            continue
        end = bin_(times[key], ends[i]) + 1
        start = max(0, bin_(times[key], starts[i])) if prevailing else binr(times[key], starts[i])
        windows.append(rows[start:end])
    out_names, out_cols = list(table.names), list(table.cols)
    for pair in y.items[1:]:
        name, made = _aggregate(host, pair, right, windows)
        if name in table.names:
            out_cols[table.names.index(name)] = made
        else:
            out_names.append(name)
            out_cols.append(made)
    return _rekey(x, Table(out_names, out_cols))


def _aggregate(
    host: Host, pair: Value, right: Table, windows: list[np.ndarray]
) -> tuple[str, Value]:
    """Apply one `(f;c0;...)` to each window; the result is named after its last column."""
    if not is_list(pair) or length(pair) < 2:
        raise QError("type")
    f, *columns = items_of(pair)
    names = [names_in(c)[0] for c in columns]
    given = [right.column(n) for n in names]
    if f is NIL:
        return names[-1], collapse([take_rows(given[0], rows) for rows in windows])
    made = [host.apply(f, [take_rows(g, rows) for g in given]) for rows in windows]
    return names[-1], collapse(made)


@primitive("wj", 4, host=True)
def wj(host: Host, w: Value, c: Value, x: Value, y: Value) -> Value:
    """Window join: aggregates of the rows of `y` within each window, the one before its start included."""
    return _window_join(host, w, c, x, y, prevailing=True)


@primitive("wj1", 4, host=True)
def wj1(host: Host, w: Value, c: Value, x: Value, y: Value) -> Value:
    """Window join: aggregates of the rows of `y` that arrive within each window."""
    return _window_join(host, w, c, x, y, prevailing=False)
