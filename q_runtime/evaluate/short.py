"""Primitives on short vectors of a type that the compiler knows: their atoms are moved about, and no array is made.

Each function gives what its primitive gives, and leaves to it all vectors that are not held as a few atoms.
"""

from __future__ import annotations

from q_runtime.prims.joining import join
from q_runtime.prims.lists import drop
from q_runtime.values.vectors import FEW, Value, Vec, read_atoms

_new = Vec.__new__


def append_atom(x: Vec, y: Value) -> Vec:
    """`x,y` for a vector of booleans, longs, floats or chars and an atom of its type."""
    try:
        atoms = read_atoms(x)
    except AttributeError:
        return join(x, y)
    if len(atoms) > FEW:
        return join(x, y)
    made = _new(Vec)
    made.t, made.attr, made.atoms = x.t, "", [*atoms, y]
    return made


def drop_items(n: int, x: Vec) -> Vec:
    """`n _ x` for a long that is not null and a vector of booleans, longs, floats or chars."""
    try:
        atoms = read_atoms(x)
    except AttributeError:
        return drop(n, x)
    if len(atoms) > FEW:
        return drop(n, x)
    made = _new(Vec)
    made.t, made.attr, made.atoms = x.t, "", atoms[n:] if n >= 0 else atoms[:n]
    return made


HELPERS = {"append_atom": append_atom, "drop_items": drop_items}
"""Globals that compiled code refers to."""
