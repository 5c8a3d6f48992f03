"""Making and changing enumerations: `$` and `?` and `!` with a domain's name on the left, and fkeys."""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.prims.joining import join
from q_runtime.prims.registry import Host, primitive
from q_runtime.prims.setops import distinct, find
from q_runtime.values import qtypes as qt
from q_runtime.values.cast import widen_array
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.enums import (
    domain_name,
    domain_value,
    domains,
    enum_vector,
    is_enum,
    members,
    resolve,
)
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    as_list,
    collapse,
    is_list,
    length,
    raw_of,
    symbols,
    type_number,
)


def enumerate_in(name: str, y: Value) -> Value:
    """Return values as an enumeration over the global `name`.

    A null is in every domain. Raises: QError('cast') for a value that the domain lacks; QError('type') for a
    domain that is not a list or a keyed table.
    """
    if is_list(y) and not length(y):
        return enum_vector(name, [])
    if domains().read(name) is None:
        raise QError("type", f"{name} is not a type and not a domain")
    t = domains().number(name)
    if type_number(y) in (t, -t):
        return y
    return enumerate_as(t, y)


def enumerate_as(t: int, y: Value) -> Value:
    """Return values as an enumeration of the type number `t`."""
    found = members(t)
    if found is None:
        raise QError("type", "this cannot be the domain of an enumeration")
    places = find(found, resolve(y))
    n = length(found)
    if type(places) is int:
        return Atom(-t, _checked(np.array([places]), y, n).item())
    if type(places) is not Vec:
        raise QError("type")
    return Vec(t, _checked(places.a, y, n))


def _checked(places: np.ndarray, y: Value, n: int) -> np.ndarray:
    absent = places >= n
    if absent.any():
        if abs(type_number(y)) == 11:
            raws = np.atleast_1d(y.a if type(y) is Vec else np.array([y.v], dtype=object))
            absent = absent & (raws != "")
        if absent.any():
            raise QError("cast", "a value that the domain does not have")
        places = np.where(places >= n, qt.LONG_NULL, places)
    return places.astype(np.int64)


def extend(host: Host, name: str, y: Value) -> Value:
    """Enumerate symbols over the global `name`, which first gets those it lacks. Source: KX ref/enum-extend."""
    y = resolve(y)
    if abs(type_number(y)) != 11 and not (type(y) is GList and not y.items):
        raise QError("type")
    old = domains().read(name)
    if old is None or (type(old) is GList and not old.items):
        old = symbols([])
    if type(old) is not Vec or old.t != 11:
        raise QError("type")
    have = set(old.a.tolist())
    new = [s for s in distinct(as_list(y)).a.tolist() if s not in have] if length(y) else []
    if new or domains().read(name) is not old:
        made = join(old, symbols(new))
        host.set_global(name, Vec(11, made.a, old.attr if old.attr in ("u", "g") else ""))
    made_of = enumerate_in(name, y)
    if type(y) is Vec and type(made_of) is Vec and y.attr and _keeps(y.attr, made_of.a):
        return Vec(made_of.t, made_of.a, y.attr)
    return made_of


def _keeps(attr: str, places: np.ndarray) -> bool:
    return attr != "s" or bool((places[1:] >= places[:-1]).all())


def from_positions(name: str, y: Value) -> Value:
    """Return positions (or another enumeration) as an enumeration over the global `name`, defined or not."""
    t = domains().number(name)
    if is_enum(y):
        return Vec(t, y.a) if type(y) is Vec else Atom(-t, y.v)
    if abs(type_number(y)) not in (5, 6, 7):
        raise QError("type")
    if type(y) is Vec:
        return Vec(t, widen_array(y.t, y.a, 7))
    return Atom(-t, int(raw_of(y)))


def is_foreign_key(column: Value) -> bool:
    """Say whether a column refers to a table."""
    if not is_enum(column):
        return False
    target = domain_value(abs(column.t))
    return type(target) is Table or (type(target) is Dict and target.is_keyed_table)


@primitive("fkeys")
def fkeys(x: Value) -> Value:
    """Dictionary from the foreign-key columns of a table to the tables that they refer to."""
    from q_runtime.prims.dictionary import unkey

    if type(x) is Atom and x.t == -11:
        found = domains().read(x.v)
        if found is None:
            raise QError(x.v, "not defined")
        x = found
    table = unkey(x)
    pairs = [
        (name, domain_name(column.t))
        for name, column in zip(table.names, table.cols, strict=True)
        if is_foreign_key(column)
    ]
    return Dict(symbols([n for n, _ in pairs]), symbols([d for _, d in pairs]))


def join_enums(x: Value, y: Value) -> Value:
    """Join where a side is an enumeration: kept with its own kind, else resolved to symbols.

    Two atoms of different kinds make a general list.
    """
    if abs(type_number(x)) == abs(type_number(y)):
        a, b = as_list(x), as_list(y)
        return Vec(a.t, np.concatenate((a.a, b.a)))
    if type(x) is not Vec and type(y) is not Vec:
        return (
            collapse([x, y])
            if not is_list(x) and not is_list(y)
            else GList([*_items(x), *_items(y)])
        )
    return join(resolve(x), resolve(y))


def _items(x: Value) -> list[Value]:
    return x.items if type(x) is GList else [x]
