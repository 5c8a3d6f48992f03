"""Compilation of local variables: what is known of them, and vectors that are read and changed item by item.

The first call of a lambda says what its arguments are like; code for such arguments is compiled, with a test at its
start that sends other arguments to the general code. What is known of a local is what all its assignments have in
common: when code was written under an assumption that a later assignment breaks, the function is compiled again.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from q_runtime.evaluate import shapes
from q_runtime.evaluate.codegen import (
    Operand,
    allowance_name,
    atoms_name,
    python_name,
)
from q_runtime.evaluate.scalars import ScalarCompiler
from q_runtime.evaluate.shapes import ANY, COUNT, ITEM, LISTS, LONGS, NULLS, TYPES, Shape
from q_runtime.lang import nodes as nd

FAR = 1 << 62
"""A position that no list has."""
_ENDS = {"first": "0", "last": "-1"}


def uses(nodes: list[nd.Node]) -> tuple[set[str], set[str]]:
    """Of all nodes of a lambda, return the variables used item by item, and those assigned more than once."""
    by_item: set[str] = set()
    assigned: set[str] = set()
    varying: set[str] = set()
    for node in nodes:
        kind = type(node)
        if kind is nd.Monad or kind is nd.Call:
            if type(node.function) is nd.Name:  # type: ignore[attr-defined]
                by_item.add(node.function.name)  # type: ignore[attr-defined]
        elif kind is nd.Assign:
            name = node.name  # type: ignore[attr-defined]
            (varying if name in assigned else assigned).add(name)
            if node.indexed or node.verb is not None:  # type: ignore[attr-defined]
                by_item.add(name)
    return by_item, varying


def fetch_atoms(name: str) -> list[str]:
    """The lines that fetch the atoms of the vector that a local holds."""
    atoms, vector = atoms_name(name), python_name(name)
    return [
        f"try: {atoms} = {vector}.atoms",
        f"except AttributeError: {atoms} = atoms_of({vector})",
    ]


class LocalCompiler(ScalarCompiler):
    """What ExpressionCompiler needs for variables."""

    is_local: frozenset[str]
    params: frozenset[str]
    shapes: dict[str, Shape]
    """What is known of each local so far."""
    assumed: dict[str, Shape]
    """What was known of them when this compilation began."""
    assigned: set[str]
    """Locals that certainly have a value at this point."""
    unset: set[str]
    """Locals that may be read before they have a value: then they are empty."""
    was_read: set[str]
    is_stable: bool
    varying: set[str]
    """Variables that are assigned more than once."""
    by_item: set[str]
    """Locals whose atoms are kept beside them while they hold a vector."""

    @abstractmethod
    def enter(self) -> None:
        """Write what must come before the first call."""

    @abstractmethod
    def applied(self, function: str, arguments: list[str]) -> str:
        """Return the code that applies a value to arguments, and says how deep it is nested."""

    @abstractmethod
    def put(self, variable: str, mark: int, value: Operand, node: nd.Node) -> None:
        """Write the assignment of a value that the lines from `mark` on compute, and that nothing else will read."""

    @abstractmethod
    def constant(self, value: Any) -> str:
        """Return the Python variable that holds a constant."""

    def learn(self, name: str, shape: Shape) -> Shape:
        """Take note of an assignment; returns what is known of the local now."""
        if name in self.varying and shape.kind in LONGS:
            shape = shapes.varied(shape)
        old = self.shapes.get(name)
        new = shapes.joined(old, shape)
        if new != old:
            if name in self.was_read:
                self.is_stable = False
                if name in self.assumed and new.kind == self.assumed[name].kind:
                    new = shapes.widened(new)
            self.shapes[name] = new
        return new

    def peek(self, name: str) -> Shape:
        """What is known of a local that is read now."""
        self.was_read.add(name)
        if name not in self.assigned:
            self.unset.add(name)
            return self.learn(name, ANY)
        return self.shapes.get(name, ANY)

    def local(self, name: str) -> Operand:
        """Read a local as a whole: from here on others may see the vector that it holds."""
        shape = self.peek(name)
        if self.is_kept(name):
            self.emit(f"{allowance_name(name)} = 0")
        return Operand(python_name(name), shape, is_variable=True)

    def is_kept(self, name: str) -> bool:
        """Say whether the atoms of a local are kept beside it here."""
        return name in self.by_item and self.shapes.get(name, ANY).kind in TYPES

    def disown(self) -> None:
        """Let others see all locals."""
        for name in sorted(self.by_item & self.is_local):
            if name in self.assigned and self.peek(name).kind in TYPES:
                self.emit(f"{allowance_name(name)} = 0")

    def assign_local(self, node: nd.Assign, value: Operand, mark: int | None = None) -> None:
        """Write the assignment of a whole value; with `mark`, of one that the lines since then made for it alone."""
        name = node.name
        if mark is None:
            self.emit(f"{python_name(name)} = {value.code}", node)
        else:
            self.put(python_name(name), mark, value, node)
        self.learn(name, value.shape)
        self.assigned.add(name)
        if self.is_kept(name):
            self.was_read.add(name)
            for line in fetch_atoms(name):
                self.emit(line, node)
            self.emit(f"{allowance_name(name)} = 0")

    # -- items

    def item(self, node: nd.Node, name: str, index: Operand) -> Operand | None:
        """Read one item of a local vector; None when it is not known to be one."""
        if name not in self.is_local or index.kind not in LONGS:
            return None
        kind = self.peek(name).kind
        if not self.is_kept(name):
            return None
        atoms = atoms_name(name)
        null = "NULL_" + kind
        out = self.temp()
        bound = "" if index.shape.is_low else f" if {index.code} >= 0 else {null}"
        self.emit("try:")
        self.emit(f" {out} = {atoms}[{index.code}]{bound}", node)
        self.emit(f"except IndexError: {out} = {null}", node)
        return Operand(out, ITEM[kind])

    def item_of_row(self, node: nd.Node, name: str, operands: list[Operand]) -> Operand | None:
        """Read `x[i;j]` of a local list of vectors; None when the indices are not known to be longs."""
        if name not in self.is_local or any(o.kind not in LONGS for o in operands):
            return None
        if self.peek(name).kind or self.is_kept(name):
            return None
        x, out = python_name(name), self.temp()
        i, j = operands
        self.enter()
        places = [
            o.code if o.shape.is_low else f"{o.code} if {o.code} >= 0 else {FAR}" for o in operands
        ]
        read = f"{out} = {x}.items[{places[0]}].atoms[{places[1]}]"
        depth = self.writer.indent
        if name in self.params:
            self.emit(f"if type({x}) is GList:")
            self.writer.indent += 1
        self.emit("try:")
        self.emit(f" {read}", node)
        slow = f"{out} = {self.applied(x, [i.code, j.code])}"
        self.emit(f"except (AttributeError, IndexError): {slow}", node)
        self.writer.indent = depth
        if name in self.params:
            self.emit(f"else: {slow}", node)
        return Operand(out)

    def of_whole(self, node: nd.Node, name: str, argument: nd.Node) -> Operand | None:
        """`count`, `first` and `last` of a local vector; None when it is not known to be one."""
        if not isinstance(argument, nd.Name) or argument.name not in self.is_local:
            return None
        if name != "count" and name not in _ENDS:
            return None
        kind = self.peek(argument.name).kind
        if not self.is_kept(argument.name):
            return None
        atoms = atoms_name(argument.name)
        if name == "count":
            return self.store(f"len({atoms})", node, COUNT)
        return self.store(f"{atoms}[{_ENDS[name]}] if {atoms} else NULL_{kind}", node, ITEM[kind])

    def append_item(self, node: nd.Assign, value: Operand) -> Operand | None:
        """`x,:y` for a local vector; None when it is not known to be one."""
        name = node.name
        if name not in self.is_local:
            return None
        kind = self.peek(name).kind
        if not self.is_kept(name):
            return None
        vector, atoms, allowance = python_name(name), atoms_name(name), allowance_name(name)
        slow = f"{vector}, {atoms}, {allowance} = own_join({vector}, {atoms}, {allowance}, {value.code})"
        if LISTS.get(value.kind) == kind:
            self.emit(f"if {allowance}: {allowance} -= 1; {atoms}.append({value.code})", node)
            self.emit(f"else: {slow}", node)
        else:
            self.emit(slow, node)
        return Operand(vector, Shape(kind), is_variable=True)

    def set_item(self, node: nd.Assign, index: Operand, value: Operand) -> bool:
        """`x[i]:y` for a local vector of values like `y`; False when it is not known to be one."""
        name = node.name
        if name not in self.is_local or index.kind not in LONGS:
            return False
        kind = self.peek(name).kind
        if not self.is_kept(name) or LISTS.get(value.kind) != kind:
            return False
        vector, atoms, allowance = python_name(name), atoms_name(name), allowance_name(name)
        i = index.code
        slow = f"{vector}, {atoms}, {allowance} = own_set(rt, {vector}, {atoms}, {i}, {value.code})"
        test = allowance if index.shape.is_low else f"{allowance} and {i} >= 0"
        self.emit(f"try: {atoms}[{i} if {test} else {FAR}] = {value.code}", node)
        self.emit(f"except IndexError: {slow}", node)
        return True

    # -- the start of a function

    def entry_guard(self, params: tuple[str, ...]) -> list[str]:
        """The lines that send arguments of another kind to the general code, and fetch the atoms of vectors."""
        tests: list[str] = []
        lines: list[str] = []
        for name in params:
            kind = self.assumed.get(name, ANY).kind
            variable = python_name(name)
            if kind in TYPES:
                tests.append(f"type({variable}) is Vec and {variable}.t == {TYPES[kind]}")
                if name in self.by_item:
                    lines += fetch_atoms(name)
                    lines.append(f"{allowance_name(name)} = 0")
            elif kind == "char":
                tests.append(f"type({variable}) is Atom and {variable}.t == -10")
            elif kind:
                tests.append(f"type({variable}) is {'int' if kind == 'long' else kind}")
        if not tests:
            return []
        arguments = ", ".join(map(python_name, params))
        return [f"if not ({' and '.join(tests)}): return rt.general(f, ({arguments},), d)", *lines]


HELPERS = {"NULL_" + kind: null for kind, null in NULLS.items()}
"""Globals that code written here refers to."""
