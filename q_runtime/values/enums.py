"""Enumerations: vectors of positions in a global list or table, their domain.

An enumeration is an ordinary vector of longs whose type number (20 and up) stands for the domain's name in
the session that runs on this thread; so everything that only moves items keeps the domain. `type` shows 20h
for all of them. Does not make enumerations from symbols: see prims/enumeration.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    collapse,
    items_of,
    length,
    make_atom,
    symbols,
)


class Domains:
    """The domain names of one session; `read` gives the value of a global, None when there is none."""

    def __init__(self, read: Callable[[str], Value | None]) -> None:
        self.names: list[str] = []
        self.read = read

    def number(self, name: str) -> int:
        """Return the type number that stands for a domain name."""
        if name not in self.names:
            if len(self.names) >= qt.N_ENUMS:
                raise QError("elim", "more than 57 enumeration domains")
            self.names.append(name)
        return qt.FIRST_ENUM + self.names.index(name)


_active = threading.local()


def activate(domains: Domains | None) -> None:
    """Make `domains` those of the session that runs on this thread."""
    _active.domains = domains


def domains() -> Domains:
    """Return the domains of the session that runs on this thread."""
    found: Domains | None = getattr(_active, "domains", None)
    if found is None:
        raise UnsupportedFeature("an enumeration outside its session")
    return found


def is_enum(x: Value) -> bool:
    """Say whether `x` is an enumeration, atom or vector."""
    c = type(x)
    return (c is Vec and x.t >= qt.FIRST_ENUM) or (c is Atom and x.t <= -qt.FIRST_ENUM)


def domain_name(t: int) -> str:
    """Return the name of the domain that a type number stands for."""
    return domains().names[t - qt.FIRST_ENUM]


def domain_value(t: int) -> Value | None:
    """Return the current value of a domain, None when its name is not defined."""
    return domains().read(domain_name(t))


def members(t: int) -> Value | None:
    """Return the list that positions refer to: the domain, or the keys of a keyed table.

    None for a plain table (a link) or a name without a value.
    """
    value = domain_value(t)
    if type(value) is Dict and type(value.k) is Table:
        return value.k.cols[0] if len(value.k.cols) == 1 else value.k
    return value if type(value) in (Vec, GList) else None


def base_type(t: int) -> int:
    """Return the type that items of type `t` have when they are resolved."""
    if not qt.FIRST_ENUM <= t < 77:
        return t
    found = members(t)
    if found is None:
        return 7 if type(domain_value(t)) is Table else 11
    return found.t if type(found) is Vec else (11 if type(found) is GList else 7)


def resolve_array(t: int, a: np.ndarray) -> tuple[int, np.ndarray]:
    """Return the type and the array of the items that positions `a` stand for; shape kept."""
    if t < qt.FIRST_ENUM:
        return t, a
    found = members(t)
    if type(found) is GList and not found.items:
        found = symbols([])
    if type(found) is not Vec:
        return 7, a
    if found.t >= qt.FIRST_ENUM:
        inner, array = resolve_array(found.t, found.a)
        found = Vec(inner, array)
    flat = np.atleast_1d(a)
    out = np.empty(flat.shape, dtype=qt.DTYPES[found.t])
    good = (flat >= 0) & (flat < len(found.a))
    out[good] = found.a[flat[good]]
    out[~good] = qt.NULLS[found.t]
    return found.t, out.reshape(a.shape)


def resolve(x: Value) -> Value:
    """Return the items that an enumeration stands for; any other value as it is."""
    if not is_enum(x):
        return x
    t = abs(x.t)
    found = members(t)
    if type(found) is Table:
        rows = [_row(found, i) for i in ([x.v] if type(x) is Atom else x.a.tolist())]
        return rows[0] if type(x) is Atom else collapse(rows)
    if type(x) is Vec:
        return Vec(*resolve_array(t, x.a))
    base, array = resolve_array(t, np.array(x.v, dtype=np.int64))
    return make_atom(base, array.item())


def _row(keys: Table, i: int) -> Value:
    if not 0 <= i < length(keys):
        raise UnsupportedFeature("a null in a foreign key of several columns")
    return collapse([items_of(c)[i] for c in keys.cols])


def resolve_deep(x: Value) -> Value:
    """Resolve the enumerations anywhere in a value."""
    c = type(x)
    if c is GList:
        return GList([resolve_deep(i) for i in x.items])
    if c is Dict:
        return Dict(resolve_deep(x.k), resolve_deep(x.v))
    if c is Table:
        return Table(x.names, [resolve_deep(col) for col in x.cols])
    return resolve(x)


def enum_vector(name: str, positions: Any) -> Vec:
    """Build an enumeration over a domain from positions."""
    return Vec(domains().number(name), np.asarray(positions, dtype=np.int64))
