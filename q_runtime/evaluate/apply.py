"""Application of any value to arguments: functions, projections, compositions, lists and dictionaries.

`Applier` is the part of the interpreter that knows how; iterators.py handles derived functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from q_runtime.errors import QError
from q_runtime.evaluate.iterators import IteratorApplier
from q_runtime.limits import Budget
from q_runtime.prims.indexing import index, index_at_depth, index_dict
from q_runtime.prims.registry import PRIMITIVES, Connections
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.functions import (
    HOLE,
    MOST_ARGUMENTS,
    NIL,
    Composition,
    Derived,
    IteratorValue,
    Lambda,
    Nil,
    Prim,
    Projection,
    missing_arguments,
    negated_operator,
)
from q_runtime.values.vectors import (
    FEW,
    Atom,
    GList,
    Value,
    Vec,
    item_at,
    known_atoms,
    raw_of,
)


class Applier(IteratorApplier):
    """Applies values. Needs `budget` and `get_global` of the interpreter."""

    budget: Budget
    connections: Connections | None
    get_global: Callable[[str], Value]
    apply_char: Callable[[str, Sequence[Value]], Value]
    write: Callable[[str], None]
    refuse: Callable[..., NoReturn]

    def at(self, f: Value, x: Value, depth: int | None = None) -> Value:
        """Apply `f` to one argument, or index it by one index.

        depth: how deep the caller is nested, when that is another depth than the budget's.
        """
        c = type(f)
        if c is Vec:
            if type(x) is int:
                atoms = known_atoms(f)
                if atoms is None:
                    if 0 <= x < len(f.a):
                        return item_at(f, x) if len(f.a) > FEW else f.atoms[x]
                elif 0 <= x < len(atoms):
                    return atoms[x]
                from q_runtime.prims.indexing import missing_item

                return missing_item(f)
            return index(f, x)
        if c is Lambda and f.rank == 1:
            return f.fn(x, depth)
        if c is GList:
            if type(x) is int and 0 <= x < len(f.items):
                return f.items[x]
            return index(f, x)
        if c is Dict:
            return index_dict(f, x)
        if c is Table:
            return index(f, x)
        return self.apply(f, (x,), depth)

    def apply(self, f: Value, args: Sequence[Value], depth: int | None = None) -> Value:
        """Apply `f` to arguments; fewer than it takes give a projection.

        depth: how deep the caller is nested, when that is another depth than the budget's.
        Raises: QError('rank') for too many.
        """
        if type(f) is Lambda and len(args) == f.rank:
            return f.fn(*args, depth)
        if depth is None:
            return self._apply(f, args)
        budget = self.budget
        outer, budget.depth = budget.depth, depth
        made = self._apply(f, args)
        budget.depth = outer
        return made

    def _apply(self, f: Value, args: Sequence[Value]) -> Value:
        c = type(f)
        n = len(args)
        if c is Lambda:
            if n < f.rank:
                return Projection(f, (*args, *(HOLE,) * (f.rank - n)), n)
            raise QError("rank", f"{n} arguments for a function of {f.rank}")
        if c is Prim:
            return self._primitive(f, args)
        if c is Derived:
            return self.iterate(f.glyph, f.f, tuple(args))
        if c is Projection:
            return self._projection(f, args)
        if c is Composition:
            missing = missing_arguments(f, n)
            if missing:
                return Projection(f, (*args, *(HOLE,) * missing), n)
            return self.at(f.f, self.apply(f.g, args))
        return self._data(f, args)

    def _primitive(self, f: Prim, args: Sequence[Value]) -> Value:
        n = len(args)
        if n in f.ranks or (f.name == "enlist" and n):
            return f.fn(self, *args) if f.needs_host else f.fn(*args)
        if n < f.rank:
            return Projection(f, (*args, *(HOLE,) * (f.rank - n)), n)
        raise QError("rank", f"{f.name} does not take {n} arguments")

    def _projection(self, f: Projection, args: Sequence[Value]) -> Value:
        if len(args) > f.rank:
            raise QError("rank", f"{len(args)} arguments for a projection of {f.rank}")
        if len(args) < f.rank or HOLE in args:
            return Projection(f, (*args, *(HOLE,) * (f.rank - len(args))), len(args))
        while type(f) is Projection:
            left = iter(args)
            args = tuple(next(left) if a is HOLE else a for a in f.args)
            f = f.f
        return self.apply(f, args)

    def _data(self, f: Value, args: Sequence[Value]) -> Value:
        """Index data, or apply what a symbol names."""
        c = type(f)
        if c is Nil or f is HOLE:
            if len(args) != 1:
                raise QError("rank")
            return args[0]
        if c is Atom and f.t == -11:
            return self.apply(self.get_global(f.v), args)
        if c is Atom and f.t == -10:
            return self.apply_char(chr(f.v), args)
        if c is IteratorValue:
            return compose(*args) if f.glyph == "'" and len(args) > 1 else Derived(f.glyph, args[0])
        if c is Vec or c is GList or c is Dict or c is Table:
            if len(args) == 1:
                return index(f, args[0])
            if len(args) > MOST_ARGUMENTS:
                raise QError("rank", f"{len(args)} indices")
            return index_at_depth(self, f, list(args))
        if c is int or (c is Atom and f.t == -6):
            if len(args) == 1 and raw_of(f) == 0:
                return self.apply(PRIMITIVES["value"], args)
            if self.connections is not None and len(args) == 1 and not -3 < raw_of(f) < 3:
                return self.send_to(raw_of(f), args[0])
            if n_args_is_text(args):
                return self.print_text(f, args[0])
        raise QError("type", "this value cannot be applied")

    def send_to(self, handle: int, message: Value) -> Value:
        """Send a message through a connection; one with a minus sign waits for no answer."""
        assert self.connections is not None
        if handle > 0:
            return self.connections.ask(handle, message)
        self.connections.tell(-handle, message)
        return NIL

    def print_text(self, f: Value, text: Value) -> Value:
        """Write text to the console through one of its handles; no other handle is open.

        Raises: QError('access') for any other handle.
        """
        from q_runtime.values.vectors import items_of, text_of

        handle = raw_of(f)
        if handle not in (1, 2, -1, -2):
            self.refuse(f"handle {handle}")
        end = "\n" if handle < 0 else ""
        lines = items_of(text) if type(text) is GList else [text]
        self.write("".join(text_of(line) + end for line in lines))
        return f

    def project(self, f: Value, args: tuple[Value, ...]) -> Value:
        """Fix some arguments of `f`; HOLE marks the others.

        Raises: QError('rank') for more arguments than `f` takes.
        """
        c = type(f)
        if c in (Vec, GList, Dict, Table):
            return index_at_depth(self, f, [NIL if a is HOLE else a for a in args])
        if c is Atom and f.t == -11:
            return self.project(self.get_global(f.v), args)
        if c is Projection:
            if len(args) > f.rank:
                raise QError("rank")
            if HOLE not in args and len(args) == f.rank:
                return self._projection(f, args)
            return Projection(f, (*args, *(HOLE,) * (f.rank - len(args))), len(args))
        if c is Lambda or (c is Prim and f.name != "enlist"):
            bound = f.rank if c is Lambda else max(f.ranks)
            if len(args) > bound:
                raise QError("rank", f"{len(args)} arguments for a function of {bound}")
            if len(args) < f.rank:
                return Projection(f, (*args, *(HOLE,) * (f.rank - len(args))), len(args))
        elif c is Nil or c not in (Prim, Derived, Composition, IteratorValue):
            raise QError("type" if c is not Nil else "rank", "this value cannot be projected")
        if HOLE not in args:
            return Projection(f, (*args, HOLE), len(args))
        return Projection(f, args)


def n_args_is_text(args: Sequence[Value]) -> bool:
    """Say whether the only argument is a string or a list of strings."""
    if len(args) != 1:
        return False
    x = args[0]
    if type(x) is GList:
        return bool(x.items) and all(type(i) is Vec and i.t == 10 for i in x.items)
    return (type(x) is Vec and x.t == 10) or (type(x) is Atom and x.t == -10)


def truth(x: Value) -> bool:
    """Return the truth of a condition.

    Raises: QError('type') unless `x` is an atom of a numeric, char or temporal type.
    """
    c = type(x)
    if c is bool or c is int or c is float:
        return x != 0
    if c is Atom and x.t not in (-11, -2):
        return x.v != 0
    raise QError("type", "a condition must be a boolean or a number")


def times(x: Value) -> int:
    """Return the count of a `do` loop.

    Raises: QError('type') unless `x` is an integer atom.
    """
    c = type(x)
    if c is int or c is bool:
        return int(x)
    if c is Atom and -7 <= x.t <= -4:
        return 0 if x.v < 0 else x.v
    raise QError("type", "do needs a number of times")


def signal(x: Value) -> Value:
    """Signal `x` as an error: a symbol, a string or a char.

    Raises: QError always; 'stype when `x` is none of these.
    """
    c = type(x)
    if (c is Atom and x.t == -11) or (c is Vec and x.t == 10):
        from q_runtime.values.vectors import text_of

        raise QError(text_of(x))
    raise QError("stype", "an error must be a symbol or a string")


def compose(*functions: Value) -> Value:
    """Compose functions: the last is applied first."""
    out = functions[-1]
    for f in reversed(functions[:-1]):
        operator = negated_operator(f, out)
        out = Composition(f, out) if operator is None else PRIMITIVES[operator]
    return out


def derive(glyph: str, f: Value) -> Value:
    """Apply an iterator to a value, giving a derived function."""
    return Derived(glyph, f)
