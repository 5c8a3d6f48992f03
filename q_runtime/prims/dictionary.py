"""Dictionaries: `!`, key, value, and the merge that joins and arithmetic share."""

from __future__ import annotations

from collections.abc import Callable

from q_runtime.errors import QError
from q_runtime.prims.enumeration import from_positions
from q_runtime.prims.indexing import key_index, list_keys
from q_runtime.prims.registry import Host, alias, primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.enums import domain_name, is_enum, resolve
from q_runtime.values.functions import Nil, View, is_function
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    collapse,
    is_list,
    items_of,
    length,
    symbols,
    text_of,
    type_number,
)


def merge_with(
    f: Callable[[Value, Value], Value],
    x: Dict,
    y: Dict,
    right_only: Callable[[Value], Value] | None = None,
) -> Dict:
    """Merge two dictionaries: shared keys through `f`, others kept; order of first appearance.

    `right_only` is applied to values whose key only `y` has.
    """
    from q_runtime.prims.joining import join

    at = key_index(x)
    values = list(items_of(x.v)) if length(x.v) else []
    new_keys: list[Value] = []
    seen: dict[object, int] = {}
    y_values = items_of(y.v) if length(y.v) else []
    mixed = type(x.k) is not type(y.k) or (type(x.k) is Vec and x.k.t != y.k.t)
    if mixed and length(x.k) and length(y.k):
        x = Dict(GList(items_of(x.k)), x.v)
        y = Dict(GList(items_of(y.k)), y.v)
        at = key_index(x)
    for key, hashed, value in zip(
        items_of(y.k) if length(y.k) else [], list_keys(y.k), y_values, strict=True
    ):
        place = at.get(hashed, seen.get(hashed))
        if place is None:
            seen[hashed] = len(values)
            values.append(value if right_only is None else right_only(value))
            new_keys.append(key)
        else:
            values[place] = f(values[place], value)
    keys = join(x.k, collapse(new_keys)) if new_keys else x.k
    return Dict(keys, collapse(values) if values else x.v)


@primitive("!", 2, 4, host=True)
def bang(host: Host, x: Value, y: Value, *rest: Value) -> Value:
    """Make a dictionary; key a table by its first columns; `-3!x` and the other internal functions."""
    if rest:
        return host.query_form("!", [x, y, *rest])
    tx = type_number(x)
    if tx in (-7, -6):
        return _internal(host, x if type(x) is int else x.v, y)
    if tx == -11 and x.v:
        return from_positions(x.v, y)
    if not is_list(x) and type(x) is not Table:
        raise QError("type")
    if type(y) is Atom and y.t == -11 and type(x) is Vec and x.t == 11:
        return Dict(x, y)
    if not is_list(y) and type(y) not in (Table, Dict):
        raise QError("type")
    if length(x) != length(y):
        if type(y) is not GList or y.items:
            raise QError("length")
        y = GList([y] * length(x))
    return Dict(x, y)


def _internal(host: Host, n: int, y: Value) -> Value:
    if n in (qt.NULLS[7], qt.NULLS[6]):
        from q_runtime.values.literal import literal

        host.write(literal(y, host.precision) + "\n")
        return y
    if n >= 0 and type(y) is Atom and y.t == -11:
        host.set_global(y.v, key_table(n, host.get_global(y.v)))
        return y
    if type(y) in (Table, Dict) and n >= 0:
        return key_table(n, y)
    if n >= 0:
        raise QError("type")
    from q_runtime.prims.internal import internal

    return internal(host, n, y)


def key_table(n: int, y: Value) -> Value:
    """Key a table by its first `n` columns; 0 removes the keys."""
    table = unkey(y)
    if n == 0:
        return table
    if n >= len(table.names):
        raise QError("length")
    return Dict(Table(table.names[:n], table.cols[:n]), Table(table.names[n:], table.cols[n:]))


def unkey(y: Value) -> Table:
    """Return a table without keys.

    Raises: QError('type') for anything that is not a table.
    """
    if type(y) is Table:
        return y
    if type(y) is Dict and y.is_keyed_table:
        return Table([*y.k.names, *y.v.names], [*y.k.cols, *y.v.cols])
    raise QError("type")


@primitive("key", 1, host=True)
def key(host: Host, x: Value) -> Value:
    """Keys of a dictionary or keyed table; names in a namespace; type name of a vector; til of a number."""
    if type(x) is Dict:
        return x.k
    if is_enum(x):
        return Atom(-11, domain_name(abs(x.t)))
    if type(x) is Vec:
        return Atom(-11, qt.NAMES[x.t])
    if type(x) is Atom and x.t == -11:
        return _key_of_name(host, x.v)
    if -type_number(x) in (1, 4, 5, 6, 7):
        from q_runtime.prims.lists import til

        return til(x)
    raise QError("type")


def _key_of_name(host: Host, name: str) -> Value:
    """Return the namespaces for the empty name, the names in a namespace, or the key of what a name holds."""
    if name[:1] == ":":
        host.refuse("key", "files are not available in this session")
    names = host.namespace_keys(name)
    if names is not None:
        return symbols(names)
    try:
        held = host.get_global(name)
    except QError:
        return GList([])
    return held.k if type(held) is Dict else Atom(-11, name)


@primitive("value", 1, host=True)
def value(host: Host, x: Value) -> Value:
    """Values of a dictionary; the value of a name; the result of text or of a parse list."""
    if type(x) is Dict:
        return x.v
    if is_enum(x):
        return resolve(x)
    if type(x) is Atom and x.t == -11:
        return host.get_global(x.v)
    if (type(x) is Vec and x.t == 10) or (type(x) is Atom and x.t == -10):
        return host.evaluate(text_of(x))
    if (type(x) is GList and x.items) or (type(x) is Vec and x.t == 11 and len(x.a)):
        return host.value_of_list(x)
    if type(x) is View:
        return host.view_parts(x)
    if is_function(x) or type(x) is Nil:
        from q_runtime.prims.anatomy import parts_of

        return parts_of(host, x)
    raise QError("type")


alias("get", "value")
