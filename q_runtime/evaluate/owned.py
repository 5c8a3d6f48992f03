"""Vectors that one function owns: changed in place, item by item, while nobody else can see them.

Compiled code keeps, beside a variable that holds a vector, the list of its atoms and an allowance: how many changes may
still be made in place. The allowance is zero from the moment at which the vector itself is read for any other purpose;
the next change then makes a private copy. A vector that is owned has no array, so that none can be out of date.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from q_runtime.limits import reserve
from q_runtime.prims.amend import amend
from q_runtime.prims.joining import append_assign
from q_runtime.values.vectors import (
    FEW,
    MOST_ATOMS,
    Atom,
    Value,
    Vec,
    item_at,
    known_atoms,
    length,
    listed,
    type_number,
)

_ALLOWANCE = 1024
_ITEM_BYTES = 40
Owned = tuple[Value, Sequence[Value], int]
"""A vector, its atoms, and how many changes may be made to them in place."""


class LazyAtoms:
    """Reads the atoms of a vector that is too long to be kept as a list."""

    __slots__ = ("vector",)

    def __init__(self, vector: Vec) -> None:
        self.vector = vector

    def __len__(self) -> int:
        return len(self.vector.a)

    def __getitem__(self, i: int) -> Value:
        n = len(self.vector.a)
        if not -n <= i < n:
            raise IndexError
        return item_at(self.vector, i % n)

    def __setitem__(self, i: int, value: Value) -> None:
        """Raise IndexError: these atoms are not owned."""
        raise IndexError


def atoms_of(x: Value) -> Any:
    """Return the atoms of a vector, to be read one by one."""
    found = known_atoms(x)
    if found is not None:
        return found
    return x.atoms if len(x.a) <= MOST_ATOMS else LazyAtoms(x)


def own_join(x: Vec, atoms: Any, allowance: int, y: Value) -> Owned:
    """`x,:y` for any `y`."""
    if allowance:
        c = type(y)
        if c is Atom and y.t == -x.t:
            atoms.append(y)
            return x, atoms, allowance - 1
        if c is Vec and y.t == x.t:
            known = known_atoms(y)
            if known is not None and len(known) <= allowance:
                atoms += known
                return x, atoms, allowance - len(known)
    more = _more(x.t, y)
    if more is None:
        made = append_assign(x, y)
        return made, atoms_of(made), 0
    n = len(atoms)
    if len(more) <= allowance:
        atoms.extend(more)
        return x, atoms, allowance - len(more)
    if type(atoms) is LazyAtoms:
        made = append_assign(x, y)
        return made, atoms_of(made), 0
    reserve(n + n + len(more), _ITEM_BYTES)
    made = listed(x.t, [*atoms, *more])
    return made, made.atoms, max(_ALLOWANCE, n)


def _more(t: int, y: Value) -> list[Value] | None:
    """The atoms that `y` adds to a vector of type `t`; None for another type, or for very many."""
    if type_number(y) == -t:
        return [y]
    if type(y) is Vec and y.t == t and length(y) <= FEW:
        return y.atoms
    return None


def own_set(host: Any, x: Vec, atoms: Any, i: Value, y: Value) -> Owned:
    """`x[i]:y` for an atom of the vector's type, when the vector is not owned or `i` is out of range."""
    n = len(atoms)
    if type(atoms) is LazyAtoms or type(i) is not int or not 0 <= i < n:
        made = amend(host, x, (i,), None, y)
        return made, atoms_of(made), 0
    reserve(n, _ITEM_BYTES)
    copied = list(atoms)
    copied[i] = y
    return listed(x.t, copied), copied, max(_ALLOWANCE, n)
