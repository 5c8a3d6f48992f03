"""Dictionaries and tables (a keyed table is a dictionary from a table to a table).

Structure only: lookup, joins and queries are primitives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    collapse,
    items_of,
    length,
    symbols,
    take_rows,
)


class Dict:
    """A dictionary: `k` and `v` are lists (or tables) of the same length."""

    __slots__ = ("attr", "index", "k", "v")
    t = 99

    def __init__(self, k: Value, v: Value, attr: str = "") -> None:
        self.k = k
        self.v = v
        self.attr = attr
        """"s" for a step function: a missing key finds the last one below it."""
        self.index: dict[Any, int] | None = None

    def size(self) -> int:
        """Return the number of entries."""
        return length(self.k)

    @property
    def is_keyed_table(self) -> bool:
        """Whether both sides are tables."""
        return type(self.k) is Table and type(self.v) is Table

    @classmethod
    def collapse_rows(cls, items: Sequence[Value]) -> Value | None:
        """Turn dictionaries with one and the same symbol key list into a table."""
        first = items[0]
        if type(first.k) is not Vec or first.k.t != 11 or not len(first.k.a):
            return None
        names = first.k.a.tolist()
        for d in items:
            if type(d) is not Dict or type(d.k) is not Vec or d.k.t != 11:
                return None
            if d.k.a.tolist() != names:
                return None
        rows = [items_of(d.v) for d in items]
        return Table(names, [collapse([row[j] for row in rows]) for j in range(len(names))])


class Table:
    """A table: column names and columns, lists of one length."""

    __slots__ = ("attr", "cols", "names")
    t = 98

    def __init__(self, names: list[str], cols: list[Value], attr: str = "") -> None:
        self.names = names
        self.cols = cols
        self.attr = attr

    def size(self) -> int:
        """Return the number of rows."""
        return length(self.cols[0]) if self.cols else 0

    def take(self, indices: np.ndarray) -> Table:
        """Select rows by position."""
        return Table(self.names, [take_rows(c, indices) for c in self.cols])

    def row(self, i: int) -> Dict:
        """Return row `i` as a dictionary; `i` must be in range."""
        return Dict(symbols(self.names), collapse([items_of_one(c, i) for c in self.cols]))

    def rows(self) -> list[Value]:
        """Return all rows as dictionaries."""
        columns = [items_of(c) for c in self.cols]
        keys = symbols(self.names)
        return [Dict(keys, collapse([c[i] for c in columns])) for i in range(self.size())]

    def column(self, name: str) -> Value:
        """Return a column by name.

        Raises: QError(name) when there is none.
        """
        try:
            return self.cols[self.names.index(name)]
        except ValueError:
            raise QError(name, "no such column") from None


class TableAbroad:
    """A table whose columns are held elsewhere, under a name: what `flip` makes of ``(,`a)!`t``.

    It can be shown and passed on. To read it is to find out what its name stands for, which queries do.
    """

    __slots__ = ("names", "place")
    t = 98

    def __init__(self, names: Vec, place: Atom) -> None:
        self.names = names
        self.place = place

    def size(self) -> int:
        """Raise: no part of it is in memory."""
        raise UnsupportedFeature("a table that is not in memory cannot be read")

    def rows(self) -> list[Value]:
        """Raise: no part of it is in memory."""
        raise UnsupportedFeature("a table that is not in memory cannot be read")


def items_of_one(x: Value, i: int) -> Value:
    """Return item `i` of a list, in range."""
    from q_runtime.values.vectors import item_at

    if type(x) is Vec:
        return item_at(x, i)
    if type(x) is GList:
        return x.items[i]
    if type(x) is not Table:
        raise QError("type", "not a list")
    return x.row(i)


def make_table(d: Dict) -> Table:
    """Flip a column dictionary into a table; atoms are repeated to the length of the lists.

    Raises: QError('type') unless keys are symbols and some value is a list; QError('length').
    """
    if type(d.k) is not Vec or d.k.t != 11:
        raise QError("type", "flip: column names must be symbols")
    values = items_of(d.v)
    sizes = {length(v) for v in values if type(v) in (Vec, GList, Table)}
    if not sizes:
        raise QError("rank" if values else "length", "flip: a column must be a list")
    if len(sizes) > 1:
        raise QError("length", "flip: columns differ in length")
    (n,) = sizes
    cols = [v if type(v) in (Vec, GList, Table) else repeat(v, n) for v in values]
    return Table(d.k.a.tolist(), cols)


def repeat(x: Value, n: int) -> Value:
    """Repeat an atom (or any value) `n` times as a list."""
    c = type(x)
    if c is int or c is float or c is bool or c is Atom:
        one = collapse([x])
        return Vec(one.t, np.repeat(one.a, n))
    return GList([x] * n)
