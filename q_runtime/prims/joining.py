"""Joining: the operator `,`, appending in place, raze. Sizes are checked before memory is asked for."""

from __future__ import annotations

import numpy as np

from q_runtime.errors import QError
from q_runtime.limits import reserve
from q_runtime.prims.attributes import kept_after_append
from q_runtime.prims.registry import primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table, make_table
from q_runtime.values.enums import is_enum, resolve
from q_runtime.values.vectors import (
    FEW,
    LISTABLE,
    Atom,
    GList,
    Value,
    Vec,
    as_list,
    collapse,
    is_list,
    items_of,
    known_atoms,
    length,
    listed,
    raw_of,
    type_number,
)


@primitive(",", 2)
def join(x: Value, y: Value) -> Value:
    """Join two values into one list; dictionaries and tables merge."""
    cx, cy = type(x), type(y)
    if cx is Vec and cy is not Vec and x.t in LISTABLE:
        made = _join_atoms(x, y)
        if made is not None:
            return made
    if cx is Vec and cy is Vec and x.t == y.t:
        reserve(len(x.a) + len(y.a), x.a.itemsize)
        return Vec(x.t, np.concatenate((x.a, y.a)))
    if cx is Dict or cy is Dict or cx is Table or cy is Table:
        return _join_structures(x, y)
    if cx is Vec and -x.t == type_number(y):
        return Vec(x.t, np.append(x.a, np.array([raw_of(y)], dtype=x.a.dtype)))
    a, b = as_list(x), as_list(y)
    if type(a) is GList and not a.items:
        return b
    if type(b) is GList and not b.items:
        return a
    if is_enum(x) or is_enum(y):
        from q_runtime.prims.enumeration import join_enums

        return join_enums(x, y)
    if type(a) is Vec and type(b) is Vec and a.t == b.t:
        reserve(len(a.a) + len(b.a), a.a.itemsize)
        return Vec(a.t, np.concatenate((a.a, b.a)))
    if type(a) is Vec and not len(a.a) and type(b) is Vec:
        return b
    if type(b) is Vec and not len(b.a) and type(a) is Vec:
        return a
    reserve(length(a) + length(b), 64)
    return GList([*items_of(a), *items_of(b)])


def _join_atoms(x: Vec, y: Value) -> Vec | None:
    """Append an atom to a short vector of its type; None for anything else."""
    if (y.t if type(y) is Atom else type_number(y)) != -x.t:
        return None
    atoms = known_atoms(x)
    if atoms is None:
        if len(x.a) > FEW:
            return None
        atoms = x.atoms
    return listed(x.t, [*atoms, y]) if len(atoms) <= FEW else None


_KEPT_TYPES = frozenset((1, 7, 9, 10))
"""The types that an empty vector keeps as well: compiled code counts on them."""


def append_assign(x: Value, y: Value) -> Value:
    """`x,:y`: join that keeps the type of the vector `x`, unless it is empty.

    Raises: QError('type') for items of another type.
    """
    if type(x) is Table or type(x) is Dict:
        return _append_to_structure(x, y)
    if type(x) is GList and type(y) is Vec and _is_row_of(x, y):
        return GList([*x.items, y])
    if type(x) is Vec:
        if x.t >= qt.FIRST_ENUM or is_enum(y):
            y = _as_kind(x, y)
        ty = abs(type_number(y))
        if ty != x.t and not (is_list(y) and not length(y)):
            if len(x.a) or x.t in _KEPT_TYPES:
                raise QError("type", "appending items of another type")
            return join(x, y)
        if is_list(y) and not length(y):
            return x
        if x.attr:
            made = join(x, y)
            return Vec(made.t, made.a, kept_after_append(x, made))
    return join(x, y)


def _append_to_structure(x: Value, y: Value) -> Value:
    if type(x) is Table or x.is_keyed_table:
        from q_runtime.prims.appending import appended

        return appended(x, y)
    if type(y) is Dict and type(x.v) is Vec and length(y.v) and type_number(y.v) != x.v.t:
        raise QError("type", "values of another type")
    return join(x, y)


def _is_row_of(x: GList, y: Vec) -> bool:
    """Say whether `x` is a matrix of numbers and `y` another row of it."""
    n = len(y.a)
    return (
        y.t not in qt.TEXTS
        and bool(x.items)
        and n > 0
        and all(type(i) is Vec and i.t == y.t and len(i.a) == n for i in x.items)
    )


def _as_kind(x: Vec, y: Value) -> Value:
    """Return `y` enumerated as `x` is, or resolved when `x` is not an enumeration."""
    if x.t < qt.FIRST_ENUM:
        return resolve(y)
    from q_runtime.prims.enumeration import enumerate_as

    return enumerate_as(x.t, y) if not is_list(y) or length(y) else y


def _join_structures(x: Value, y: Value) -> Value:
    if type(x) is Dict and x.is_keyed_table and type(y) in (Dict, Table):
        from q_runtime.prims.appending import appended, merge_keyed

        if type(y) is not Dict or not y.is_keyed_table:
            return appended(x, y)
        return merge_keyed(x, y, fills=False)
    if type(x) is Dict and type(y) is Dict:
        from q_runtime.prims.dictionary import merge_with

        return merge_with(lambda a, b: b, x, y)
    if type(x) is Table and type(y) is Table:
        if x.names != y.names:
            if set(x.names) != set(y.names):
                raise QError("mismatch")
            y = Table(x.names, [y.column(n) for n in x.names])
        return Table(x.names, [join(a, b) for a, b in zip(x.cols, y.cols, strict=True)])
    if type(x) is Table and type(y) is Dict and not y.is_keyed_table:
        return _join_structures(x, make_table(Dict(y.k, collapse_each(y.v))))
    if type(x) is Table and is_list(y):
        if length(y) == 0:
            return x
        return collapse([*x.rows(), *items_of(y)])
    if is_list(x) and type(y) is Table:
        return y if length(x) == 0 else collapse([*items_of(x), *y.rows()])
    if is_list(x) and type(y) is Dict:
        return y if length(x) == 0 else collapse([*items_of(x), y])
    if type(x) is Dict and is_list(y):
        return x if length(y) == 0 else collapse([x, *items_of(y)])
    raise QError("type", "join: a dictionary or table with an atom")


def collapse_each(x: Value) -> Value:
    """Enlist every item."""
    return GList([collapse([item]) for item in items_of(x)])


@primitive("raze")
def raze(x: Value) -> Value:
    """Join the items of a list into one list, one level.

    The rows of a table are dictionaries with the same keys, of which the last row stays.
    """
    if type(x) is Dict:
        return raze(x.v)
    if type(x) is Vec:
        return x
    if type(x) is Table:
        return x.row(x.size() - 1) if x.size() else x
    if type(x) is not GList:
        return collapse([x])
    items = x.items
    if not items:
        return x
    kinds = {item.t for item in items if type(item) is Vec}
    if len(kinds) == 1 and all(type(item) is Vec for item in items):
        (t,) = kinds
        return _joined_vectors(t, items)
    out = items[0]
    if len(items) == 1:
        return as_list(out) if type(out) not in (Dict, Table) else out
    if all(type(item) not in (Dict, Table) for item in items):
        flat: list[Value] = []
        reserve(sum(length(item) for item in items), 64)
        for item in items:
            flat.extend(items_of(item) if is_list(item) else [item])
        if flat:
            return collapse(flat)
        return next((i for i in items if type(i) is Vec), out)
    for item in items[1:]:
        out = join(out, item)
    return out


def _joined_vectors(t: int, items: list[Vec]) -> Vec:
    """Join vectors of type `t`; those that are short and held as atoms are made an array together."""
    arrays: list[np.ndarray] = []
    atoms: list[Value] = []
    n = 0
    for item in items:
        known = known_atoms(item) if t in LISTABLE else None
        if known is not None and len(known) <= FEW:
            atoms += known
            n += len(known)
            continue
        if atoms:
            arrays.append(listed(t, atoms).a)
            atoms = []
        arrays.append(item.a)
        n += len(item.a)
    if not n:
        return items[0]
    reserve(n, qt.DTYPES[t].itemsize)
    if atoms:
        arrays.append(listed(t, atoms).a)
    return Vec(t, np.concatenate(arrays))
