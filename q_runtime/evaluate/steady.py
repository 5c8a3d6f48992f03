"""Globals that a lambda only reads, and that nothing can change while it runs.

A lambda that calls no other function and assigns no global sees the same globals from its start to its end. Code is
then compiled for globals like those that the first call finds, as it is for arguments: their kind is known, and the
items of a vector, list or dictionary are fetched when the global is a new value, not at every reading. A test at the
start of the code compares each such global with the value of the last time, and sends the call to the general code
when there is one of another kind.

What this deliberately does not do: keep anything of a global for lambdas that call functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from q_runtime.evaluate import shapes
from q_runtime.evaluate.codegen import Operand
from q_runtime.evaluate.locals import FAR, LocalCompiler
from q_runtime.evaluate.owned import atoms_of
from q_runtime.evaluate.shapes import ANY, ITEM, LONGS, TYPES, Shape
from q_runtime.lang import nodes as nd
from q_runtime.prims.indexing import index, index_at_depth, index_dict
from q_runtime.prims.registry import PRIMITIVES
from q_runtime.values.dicts import Dict
from q_runtime.values.vectors import GList, Value, Vec, items_of

Steady = tuple[tuple[str, Shape], ...]
"""Full names of globals and what is known of them."""

UNSEEN = object()
"""Stands for a global that was not looked at yet; no global is it."""
_LIST = "list"
_ROWS = " rows"
"""Ends the kind of a list of vectors, all of the kind before it."""
_OF = " to "
"""Stands between the kinds of the keys and the values of a dictionary."""
_KEYS = {7: "long", 10: "char"}
_READ = (*ITEM.values(), Shape("int"))
_KINDS = {shape.kind for shape in _READ} | set(TYPES)
"""What a global may be when it is read as a whole and something shall be known of it."""
_STEERED = (nd.Query, nd.Iterated, nd.PatternAssign, nd.Match)
"""Nodes that may call functions."""


def shape_of_global(x: Value) -> Shape:
    """What code may rely on for a global that has this value; ANY for values that are not worth it."""
    c = type(x)
    if c is GList:
        kinds = {shapes.shape_of(item).kind if type(item) is Vec else "" for item in x.items}
        kind = kinds.pop() if len(kinds) == 1 else ""
        return Shape(kind + _ROWS if kind else _LIST)
    if c is Dict:
        if type(x.k) is not Vec or x.k.t not in _KEYS or x.attr or (x.k.t == 7 and x.k.has_nulls):
            return ANY
        values = shapes.shape_of(x.v).kind if type(x.v) is Vec else ""
        return Shape(_KEYS[x.k.t] + _OF + values)
    return shapes.shape_of(x)


def hold(value: Value, kind: str) -> tuple[Any, Any]:
    """Return a global of a certain kind and its contents, to be read one by one; (UNSEEN, None) for another kind."""
    if value is None or shape_of_global(value).kind != kind:
        return UNSEEN, None
    if kind in TYPES:
        return value, atoms_of(value)
    if type(value) is GList:
        return value, value.items
    if type(value) is Dict:
        pairs = zip(reversed(items_of(value.k)), reversed(items_of(value.v)), strict=True)
        return value, dict(pairs)
    return value, value


def candidates(
    nodes: list[nd.Node], is_local: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]] | None:
    """Of all nodes of a lambda, return the names of globals that it reads, and those that it applies to something.

    None when the lambda certainly calls functions or assigns a global, so that none of them is steady.
    """
    read: set[str] = set()
    applied: set[str] = set()
    for node in nodes:
        if isinstance(node, _STEERED):
            return None
        if isinstance(node, nd.Assign) and (node.is_global or node.name not in is_local):
            return None
        if isinstance(node, nd.Assign) and node.verb is not None and not _is_pure(node.verb):
            return None
        function = _function_of(node)
        if function is not None:
            if not isinstance(function, (nd.Name, nd.Verb)):
                return None
            name = function.name
            if name not in is_local:
                if name not in PRIMITIVES:
                    applied.add(name)
                elif not _is_pure(function):
                    return None
        elif (
            isinstance(node, nd.Name) and node.name not in is_local and node.name not in PRIMITIVES
        ):
            read.add(node.name)
    read |= applied
    if any(name.startswith(".") for name in read):
        return None
    return frozenset(read), frozenset(applied)


def _is_pure(function: nd.Node) -> bool:
    """Say whether a node is a primitive that can call nothing."""
    prim = PRIMITIVES.get(function.name) if isinstance(function, (nd.Name, nd.Verb)) else None
    return prim is not None and not prim.needs_host


def _function_of(node: nd.Node) -> nd.Node | None:
    if isinstance(node, (nd.Monad, nd.Call)):
        return node.function
    return node.verb if isinstance(node, nd.Dyad) else None


def steady_globals(
    names: frozenset[str],
    applied: frozenset[str],
    globals_: Mapping[str, Value],
    full_name: Callable[[str], str],
) -> Steady:
    """Return what is known of the globals that a lambda reads, now; nothing when it applies a function."""
    found: list[tuple[str, Shape]] = []
    for name in sorted(names):
        full = full_name(name)
        value = globals_.get(full)
        if value is None:
            return ()
        shape = shape_of_global(value)
        if name in applied and (not shape.kind or shape in _READ):
            return ()
        if shape.kind:
            found.append((full, shape))
    return tuple(found)


class SteadyCompiler(LocalCompiler):
    """What ExpressionCompiler needs for globals that are only read."""

    steady: dict[str, Shape]
    """What is known of globals, by full name."""
    places: dict[str, int]
    """The numbers of those that were read so far."""

    def steady_variables(self, full: str) -> tuple[str, str]:
        """Return the Python variables of a steady global and of its contents."""
        place = self.places.setdefault(full, len(self.places))
        return f"g{place}", f"l{place}"

    def steady_whole(self, full: str) -> Operand:
        """Read a steady global as a whole."""
        shape = self.steady[full]
        return Operand(self.steady_variables(full)[0], shape if shape.kind in _KINDS else ANY)

    def steady_item(self, node: nd.Node, full: str, index: Operand) -> Operand:
        """Read the item of a steady vector, list or dictionary under one index."""
        kind = self.steady[full].kind
        whole, contents = self.steady_variables(full)
        i = index.code
        keys, _, values = kind.partition(_OF)
        if values or kind.endswith(_OF):
            if keys != ("long" if index.kind in LONGS else index.kind):
                return self.store(f"index_dict({whole}, {i})", node, ANY)
            other = f"NULL_{values}" if values in TYPES else f"index_dict({whole}, {i})"
            code = f"{contents}[{i}] if {i} in {contents} else {other}"
            return self.store(code, node, ITEM.get(values, ANY))
        if index.kind not in LONGS:
            return self.store(f"index({whole}, {i})", node, ANY)
        out = self.temp()
        other = f"NULL_{kind}" if kind in TYPES else f"index({whole}, {i})"
        bound = "" if index.shape.is_low else f" if {i} >= 0 else {other}"
        self.emit("try:")
        self.emit(f" {out} = {contents}[{i}]{bound}", node)
        self.emit(f"except IndexError: {out} = {other}", node)
        row = kind.removesuffix(_ROWS)
        return Operand(out, ITEM.get(kind) or (Shape(row) if row in TYPES else ANY))

    def steady_item_of_row(
        self, node: nd.Node, full: str, operands: list[Operand]
    ) -> Operand | None:
        """Read `x[i;j]` of a steady list of vectors; None when it is not known to be one."""
        row = self.steady[full].kind.removesuffix(_ROWS)
        if row not in TYPES or row == self.steady[full].kind:
            return None
        if any(o.kind not in LONGS for o in operands):
            return None
        whole, contents = self.steady_variables(full)
        out = self.temp()
        i, j = (
            o.code if o.shape.is_low else f"{o.code} if {o.code} >= 0 else {FAR}" for o in operands
        )
        indices = ", ".join(o.code for o in operands)
        self.emit("try:")
        self.emit(f" {out} = {contents}[{i}].atoms[{j}]", node)
        slow = f"{out} = index_at_depth(rt, {whole}, [{indices}])"
        self.emit(f"except (AttributeError, IndexError): {slow}", node)
        return Operand(out, ITEM[row])

    def steady_guard(self, arguments: str) -> list[str]:
        """The lines that send a call to the general code when a global is of another kind."""
        lines: list[str] = []
        for full in self.places:
            whole, contents = self.steady_variables(full)
            kind = self.steady[full].kind
            lines += [
                f"if G.get({full!r}) is not {whole}:",
                f" {whole}, {contents} = hold(G.get({full!r}), {kind!r})",
                f" if {contents} is None: return rt.general(f, ({arguments},), d)",
            ]
        return lines

    def steady_cells(self) -> list[str]:
        """The Python variables that outlast a call."""
        return [name for full in self.places for name in self.steady_variables(full)]


HELPERS = {
    "UNSEEN": UNSEEN,
    "hold": hold,
    "index": index,
    "index_at_depth": index_at_depth,
    "index_dict": index_dict,
}
"""Globals that code written here refers to."""
