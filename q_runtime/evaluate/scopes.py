"""Names: the global variables of a session and which names are local in a lambda.

Globals are kept flat under their full names (`x`, `.a.b`); a namespace is read as a dictionary of the
names below it. A lambda sees its own locals and the globals, never the locals of a lambda around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from q_runtime.errors import QError, QSyntaxError, UnsupportedFeature
from q_runtime.evaluate.patterns import read_pattern
from q_runtime.evaluate.views import Views
from q_runtime.lang import nodes as nd
from q_runtime.lang.walk import children, inside
from q_runtime.prims.registry import PRIMITIVES
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.functions import NIL
from q_runtime.values.vectors import (
    Value,
    Vec,
    collapse,
    items_of,
    length,
    symbol,
    symbols,
    type_number,
)

PARTS = frozenset(
    "year month mm week dd date timestamp timespan time minute second hh uu ss datetime".split()
)
"""What dot notation reads from a date or time."""
MAX_LOCALS = 109
"""Locals of one lambda besides its parameters; with 110 of them kdb+ refuses it. Source: KX basics/errors."""


class Globals:
    """The global variables of one session.

    find_member: gives a member of a built-in namespace by full name, or None.
    member_names: gives the short names in a built-in namespace.
    evaluate: runs a text in a namespace; views need it.
    """

    def __init__(
        self,
        find_member: Callable[[str], Value | None],
        member_names: Callable[[str], list[str]],
        evaluate: Callable[[str, str], Value],
    ) -> None:
        self.values: dict[str, Value] = {}
        self.views = Views(self.values, evaluate)
        self.namespace = ""
        """The current namespace: empty for the root, else like `.a`."""
        self._assigned: set[str] = set()
        """Namespaces that were assigned as dictionaries, and so lack the entry that the others begin with."""
        self._find_member = find_member
        self._member_names = member_names

    def full_name(self, name: str, namespace: str | None = None) -> str:
        """Return the name under which `name` is stored."""
        space = self.namespace if namespace is None else namespace
        return name if not space or name[:1] == "." else f"{space}.{name}"

    def get(self, name: str) -> Value:
        """Read a variable or a namespace by its full name.

        Raises: QError(name) when it is not defined.
        """
        found = self.values.get(name)
        if found is not None:
            return found
        if name in self.views.by_name:
            return self.views.value(self.views.by_name[name])
        if name and name[0] == ".":
            member = self._find_member(name)
            if member is not None:
                return member
            made = self.namespace_dict(name)
            if made is not None:
                return made
        if "." in name[1:]:
            head, _, tail = name.rpartition(".")
            if head in self.values:
                return _member(self.values[head], tail, name)
        if f".q.{name}" in self.values:
            raise UnsupportedFeature("words that q code defines in .q are not supported")
        raise QError(name, "not defined")

    def find(self, name: str) -> Value | None:
        """Read a variable by its full name, None when it is not defined."""
        if name in self.views.by_name and name not in self.values:
            return self.get(name)
        return self.values.get(name)

    def held(self, name: str) -> Value:
        """Return what a name stands for in its namespace: a variable's value, or a view as such."""
        found = self.values.get(name)
        return self.views.by_name[name] if found is None else found

    def _all_names(self) -> list[str]:
        return [*self.values, *self.views.names()] if self.views.by_name else list(self.values)

    def keys_of(self, space: str) -> list[str] | None:
        """Return the keys of a namespace as a dictionary; the list of namespaces for the empty name."""
        names = self.names_in(space)
        if names is None or space in ("", ".") or space in self._assigned:
            return names
        return ["", *names]

    def names_in(self, space: str) -> list[str] | None:
        """Return the names in a namespace, members first; None when there is none.

        `.` is the root, and the empty name stands for the list of namespaces.
        """
        if not space:
            return self.spaces()
        if space == ".":
            return [name for name in self._all_names() if "." not in name]
        prefix = space + "."
        names = dict.fromkeys(self._member_names(space))
        for name in self._all_names():
            if name.startswith(prefix):
                names[name[len(prefix) :].partition(".")[0]] = None
        return list(names) or None

    def spaces(self) -> list[str]:
        """Return the names of the namespaces below the root: kdb+'s own, then those that q code made."""
        names = dict.fromkeys("qQhjo")
        for name in self.values:
            if name[0] == ".":
                names[name[1:].partition(".")[0]] = None
        names.pop("z", None)
        return list(names)

    def namespace_dict(self, space: str) -> Dict | None:
        """Return a namespace as a dictionary, None when there is none."""
        names = self.names_in(space)
        if names is None:
            return None
        if space == ".":
            return Dict(symbols(names), collapse([self.held(name) for name in names]))
        values = [self.get(f"{space}.{name}") for name in names]
        if space in self._assigned:
            return Dict(symbols(names), collapse(values))
        return Dict(symbols(["", *names]), collapse([NIL, *values]))

    def set(self, name: str, value: Value) -> None:
        """Assign a variable by its full name; a dictionary assigned to a namespace becomes its variables.

        Raises: UnsupportedFeature for another meaning of a keyword.
        """
        head, _, tail = name.rpartition(".")
        if head == ".q" and self._find_member(name) is not None:
            raise UnsupportedFeature("redefinition of a keyword is not supported")
        if not tail or (not head and name[0] == "."):
            is_names = type(value) is Dict and type(value.k) is Vec and value.k.t == 11
            if is_names and (length(value.k) or name == "."):
                self._set_namespace(name, value)
                return
        elif head in self.values and type(self.values[head]) is Dict:
            held = self.values.pop(head)
            self.set(head, join_dicts(held, Dict(symbols([tail]), collapse([value]))))
            return
        self.values[name] = value
        if self.views.by_name:
            self.views.by_name.pop(name, None)
            self.views.invalidate(name)

    def _set_namespace(self, space: str, value: Dict) -> None:
        """Make the variables of a namespace those of a dictionary; `.` is the root."""
        prefix = "" if space == "." else space + "."
        gone = [name for name in self._all_names() if name.startswith(prefix) and name[0] != "."]
        if prefix:
            gone = [name for name in self._all_names() if name.startswith(prefix)]
        self.delete(gone)
        names = value.k.a.tolist()
        for key, item in zip(names, items_of(value.v), strict=True):
            if key:
                self.set(prefix + key, item)
        if prefix and "" not in names:
            self._assigned.add(space)
        else:
            self._assigned.discard(space)

    def restore(self, before: dict[str, Value]) -> bool:
        """Bring back the variables of an earlier moment; say whether any had changed."""
        now = self.values
        changed = now.keys() != before.keys() or any(now[n] is not v for n, v in before.items())
        if changed:
            now.clear()
            now.update(before)
        return changed

    def delete(self, names: Iterable[str]) -> None:
        """Remove variables; unknown names are ignored."""
        for name in names:
            self.values.pop(name, None)
            self.views.by_name.pop(name, None)


def join_dicts(x: Dict, y: Dict) -> Dict:
    """Return `x` with the entries of `y` put in or replaced."""
    return PRIMITIVES[","].fn(x, y)


def _member(x: Value, key: str, name: str) -> Value:
    """Return what `x.key` means: an entry, a column, or a part of a date or time.

    Raises: QError(name) when there is no such thing.
    """
    if type(x) is Table and key in x.names:
        return x.column(key)
    if abs(type_number(x)) in qt.TEMPORAL and key in PARTS:
        return PRIMITIVES["$"].fn(symbol(key), x)
    if type(x) is Dict and getattr(x.k, "t", 0) == 11 and key in x.k.a.tolist():
        from q_runtime.values.dicts import items_of_one

        return items_of_one(x.v, x.k.a.tolist().index(key))
    raise QError(name, "not defined")


_SCOPED = frozenset({nd.Query, nd.PatternAssign, nd.Match})
"""Nodes in which not every name is one that the lambda reads."""


def _note_target(node: nd.Assign, assigned: dict[str, None], reads: set[str]) -> None:
    """Note what an assignment says of its variable: that it is a local, or that it is read and changed."""
    if not node.is_global and "." not in node.name:
        if node.indexed or node.verb is not None:
            reads.add(node.name)
        else:
            assigned[node.name] = None


def _walk(node: nd.Node, out: dict[str, None], reads: set[str]) -> None:
    """Collect names assigned locally (in order) and names read, not entering inner lambdas.

    What the clauses of a query read makes no implicit parameter; its table does. Source: KX basics/qsql.
    """
    if isinstance(node, nd.Name):
        reads.add(node.name)
        return
    if isinstance(node, nd.LambdaNode):
        return
    if isinstance(node, nd.Query):
        masked: set[str] = set()
        for child in children(node):
            _walk(child, out, reads if child is node.source else masked)
        reads.update(name for name in masked if name not in ("y", "z"))
        return
    if isinstance(node, nd.Assign):
        _note_target(node, out, reads)
    if isinstance(node, nd.PatternAssign):
        if not node.is_global:
            out.update(dict.fromkeys(bound_names(node)))
        _walk(node.value, out, reads)
        for by in read_pattern(node.target).filters:
            _walk(by, out, reads)
        return
    if isinstance(node, nd.Match):
        out.update(dict.fromkeys(bound_names(node)))
    for child in children(node):
        _walk(child, out, reads)


def bound_names(node: nd.PatternAssign | nd.Match) -> list[str]:
    """Return the names without a namespace that the patterns of `node` bind."""
    patterns = [node.target] if isinstance(node, nd.PatternAssign) else node.parts[:-1:2]
    return [
        target.name
        for pattern in patterns
        for target in read_pattern(pattern).targets
        if isinstance(target, nd.Name) and "." not in target.name
    ]


def local_names(node: nd.LambdaNode) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (parameters, other locals) of a lambda.

    Raises: QSyntaxError('locals') past the limit of kdb+.
    """
    if node.names is None:
        node.names = _names_of(node)
    return node.names


def _names_of(node: nd.LambdaNode) -> tuple[tuple[str, ...], tuple[str, ...]]:
    assigned: dict[str, None] = {}
    reads: set[str] = set()
    if _SCOPED.isdisjoint(map(type, inside(node))):
        for here in inside(node):
            kind = type(here)
            if kind is nd.Name:
                reads.add(here.name)  # type: ignore[attr-defined]
            elif kind is nd.Assign:
                _note_target(here, assigned, reads)  # type: ignore[arg-type]
    else:
        for statement in node.body:
            _walk(statement, assigned, reads)
    if node.parameters is not None:
        parameters = tuple(node.parameters)
    else:
        used = [n for n in ("x", "y", "z") if n in reads or n in assigned]
        parameters = ("x", "y", "z")[: "xyz".index(used[-1]) + 1] if used else ()
    others = tuple(n for n in assigned if n not in parameters)
    if len(others) > MAX_LOCALS:
        raise QSyntaxError("locals", f"more than {MAX_LOCALS} local variables")
    return parameters, others


_PLAIN = frozenset({nd.LambdaNode, nd.Name, nd.Constant, nd.Verb})
_ASSIGNING = frozenset({nd.Assign, nd.PatternAssign, nd.Match})


def assigns(node: nd.Node) -> bool:
    """Say whether evaluating `node` may assign a local variable or leave the function."""
    kind = type(node)
    if kind in _PLAIN:
        return False
    return kind in _ASSIGNING or any(map(assigns, children(node)))


def unsupported(feature: str) -> UnsupportedFeature:
    """Build the error for q that the compiler does not know."""
    return UnsupportedFeature(f"{feature} is not supported yet")
