"""Tables: literals, xkey xcol xcols xasc xdesc xgroup ungroup, meta cols keys tables, fby.

Rows are added in appending.py, tables are joined in joins.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.amend import as_kind
from q_runtime.prims.dictionary import key_table, unkey
from q_runtime.prims.enumeration import is_foreign_key
from q_runtime.prims.lists import first, take
from q_runtime.prims.registry import Host, primitive
from q_runtime.prims.setops import group_positions
from q_runtime.prims.sorting import grade
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table, repeat
from q_runtime.values.enums import base_type, domain_name
from q_runtime.values.functions import Nil, Prim
from q_runtime.values.vectors import (
    CHARS,
    Atom,
    GList,
    Value,
    Vec,
    collapse,
    empty,
    is_list,
    items_of,
    length,
    names_in,
    raw_of,
    symbols,
    take_rows,
    type_number,
    vector,
)


def is_column(x: Value) -> bool:
    """Say whether a value is a column by itself: a list, or a table (a list of records)."""
    return is_list(x) or type(x) is Table


def table_literal(names: list[str], columns: list[Value], n_keys: int) -> Value:
    """Build a table from the columns of a literal, a keyed one from two tables; atoms are repeated in each.

    Raises: QError('length'); QError('rank') for a table without a list.
    """
    if n_keys == len(names) and names:
        return Dict(symbols(names), collapse(columns))
    value = _table_of(names[n_keys:], columns[n_keys:])
    if not n_keys:
        return value
    key = _table_of(names[:n_keys], columns[:n_keys])
    if key.size() != value.size():
        raise QError("length", "the keys and their values differ in number")
    return Dict(key, value)


def _table_of(names: list[str], columns: list[Value]) -> Table:
    sizes = {length(c) for c in columns if is_column(c)}
    if len(sizes) > 1:
        raise QError("length")
    if not sizes:
        raise QError("rank" if columns else "type")
    (n,) = sizes
    return Table(names, [c if is_column(c) else repeat(c, n) for c in columns])


def table_maker(names: list[str], n_keys: int) -> Prim:
    """Return the function from the columns of a table or dictionary literal to its value."""
    return Prim("([])", lambda *columns: table_literal(names, list(columns), n_keys), (len(names),))


def by_name(host: Host, y: Value, f: Callable[[Value], Value]) -> Value:
    """Apply `f` to a table; to one given by name in place, and return the name."""
    if type(y) is Atom and y.t == -11:
        host.set_global(y.v, f(host.get_global(y.v)))
        return y
    return f(y)


def named(host: Host, x: Value) -> Value:
    """Return the value of a name, any other value as it is."""
    return host.get_global(x.v) if type(x) is Atom and x.t == -11 else x


@primitive("xkey", 2, host=True)
def xkey(host: Host, x: Value, y: Value) -> Value:
    """Table keyed by the named columns."""
    return by_name(host, y, lambda table: _keyed_by(x, table))


def _keyed_by(x: Value, y: Value) -> Value:
    names = names_in(x) if length(x) else []
    table = unkey(y)
    rest = [n for n in table.names if n not in names]
    ordered = Table([*names, *rest], [table.column(n) for n in [*names, *rest]])
    return key_table(len(names), ordered) if names else ordered


@primitive("xcol", 2)
def xcol(x: Value, y: Value) -> Value:
    """Table with its first columns renamed, or by a dictionary of names."""
    table = unkey(y)
    if type(x) is Dict:
        swap = dict(zip(names_in(x.k), names_in(x.v), strict=True))
        names = [swap.get(n, n) for n in table.names]
    else:
        given = names_in(x)
        if len(given) > len(table.names):
            raise QError("length")
        names = [*given, *table.names[len(given) :]]
    made = Table(names, table.cols)
    return key_table(len(y.k.names), made) if type(y) is Dict else made


@primitive("xcols", 2)
def xcols(x: Value, y: Value) -> Value:
    """Table with the named columns first."""
    names = names_in(x)
    if type(y) is not Table:
        raise QError("type")
    ordered = [*names, *(n for n in y.names if n not in names)]
    return Table(ordered, [y.column(n) for n in ordered])


def _sorted_by(x: Value, y: Value, *, descending: bool) -> Value:
    table = unkey(y)
    if len(set(table.names)) != len(table.names):
        raise QError("dup", "two columns of one name")
    order = np.arange(table.size())
    for name in reversed(names_in(x)):
        order = order[grade(take_rows(table.column(name), order), descending=descending)]
    made = table.take(order)
    names = names_in(x)
    if names and not descending:
        at = made.names.index(names[0])
        column = made.cols[at]
        made.cols[at] = (
            Vec(column.t, column.a, "s") if type(column) is Vec else GList(items_of(column), "s")
        )
    return key_table(len(y.k.names), made) if type(y) is Dict else made


@primitive("xasc", 2, host=True)
def xasc(host: Host, x: Value, y: Value) -> Value:
    """Table sorted ascending by the named columns."""
    return by_name(host, y, lambda table: _sorted_by(x, table, descending=False))


@primitive("xdesc", 2, host=True)
def xdesc(host: Host, x: Value, y: Value) -> Value:
    """Table sorted descending by the named columns."""
    return by_name(host, y, lambda table: _sorted_by(x, table, descending=True))


@primitive("xgroup", 2)
def xgroup(x: Value, y: Value) -> Value:
    """Table keyed by the named columns, the others as lists per key."""
    table = unkey(y)
    names = names_in(x)
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
        sizes = {length(items_of(c)[i]) for c in table.cols if type(c) is GList}
        if len(sizes) > 1:
            raise QError("length")
        counts.append(max(sizes, default=1))
    from q_runtime.prims.joining import raze

    rows = np.repeat(np.arange(table.size()), counts)
    return Table(
        table.names, [raze(c) if type(c) is GList else take_rows(c, rows) for c in table.cols]
    )


def type_letter(x: Value) -> str:
    """Return the letter of a value's type: a capital for an atom and for a list that begins with a vector.

    Blank for other lists, dictionaries of atoms, tables and functions.
    """
    t = type_number(x)
    t = base_type(t) if is_foreign_key(x) else t
    if t < 0:
        return qt.LETTERS[min(-t, qt.FIRST_ENUM)].upper()
    if 0 < t < 77:
        return qt.LETTERS[t]
    inner = type_number(first(x)) if type(x) in (GList, Dict) else 0
    return qt.LETTERS.get(inner, " ").upper() if inner > 0 else " "


@primitive(".Q.ty")
def letter(x: Value) -> Value:
    """Letter of a value's type, as `meta` shows it for a column; a capital for an atom."""
    return CHARS[ord(type_letter(x))]


@primitive("meta", 1, host=True)
def meta(host: Host, x: Value) -> Value:
    """Keyed table of column names, type letters, foreign keys and attributes."""
    table = unkey(named(host, x))
    values = Table(
        ["t", "f", "a"],
        [
            vector(10, [ord(type_letter(c)) for c in table.cols]),
            symbols([domain_name(c.t) if is_foreign_key(c) else "" for c in table.cols]),
            symbols([getattr(c, "attr", "") for c in table.cols]),
        ],
    )
    return Dict(Table(["c"], [symbols(table.names)]), values)


@primitive("cols", 1, host=True)
def cols(host: Host, x: Value) -> Value:
    """Column names of a table."""
    return symbols(unkey(named(host, x)).names)


@primitive("keys", 1, host=True)
def keys(host: Host, x: Value) -> Value:
    """Names of the key columns of a table."""
    table = named(host, x)
    unkey(table)
    return symbols(table.k.names) if type(table) is Dict else empty(11)


@primitive("tables", 1, host=True)
def tables(host: Host, x: Value) -> Value:
    """Names of the tables in a namespace, sorted; those of the root for an empty list or `::`."""
    is_root = type(x) is Nil or (is_list(x) and not length(x))
    if not is_root and not (type(x) is Atom and x.t == -11):
        raise QError("type")
    space = "." if is_root or x.v in ("", ".") else x.v
    prefix = "" if space == "." else space + "."
    found = []
    for name in filter(None, host.namespace_keys(space) or []):
        try:
            held = host.get_global(prefix + name)
        except QError:
            continue
        if type(held) is Table or (type(held) is Dict and held.is_keyed_table):
            found.append(name)
    return symbols(sorted(found))


@primitive("fby", 2, host=True)
def fby(host: Host, x: Value, y: Value) -> Value:
    """`(f;x) fby y`: `f` of the items of `x` in each group of `y`, back at every item's place.

    Either may be a table, of which rows are the items. `f` of no items gives the type of the result.
    """
    if type(x) is not GList or len(x.items) != 2:
        raise QError("type")
    f, values = x.items
    if any(type(side) is not Table and not is_list(side) for side in (values, y)):
        raise QError("type")
    if length(values) != length(y):
        raise QError("length")
    made = take(length(y), host.apply(f, (take(0, values),)))
    if not is_list(made):
        raise QError("type")
    is_vector = type(made) is Vec
    out: Any = made.a.copy() if is_vector else list(made.items)
    for positions in group_positions(y)[1]:
        part = host.apply(f, (take_rows(values, positions),))
        part = as_kind(made, part) if is_vector else part
        if is_list(part) and length(part) != len(positions):
            raise QError("length")
        if is_vector and abs(type_number(part)) != made.t:
            raise QError("type", "a group gave another type than no items give")
        if is_vector:
            out[positions] = part.a if type(part) is Vec else raw_of(part)
            continue
        items = items_of(part) if is_list(part) else [part] * len(positions)
        for place, item in zip(positions.tolist(), items, strict=True):
            out[place] = item
    return Vec(made.t, out) if is_vector else collapse(out)
