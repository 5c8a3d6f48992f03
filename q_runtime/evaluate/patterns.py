"""Patterns: what may stand left of the colon in `(a;b):x`, in a parameter list, and in `:[x;p;r;...;d]`.

A pattern is read from the syntax tree once and matched against values at run time. Matching takes a value
apart, binds names to parts of it, and gives the value back, with the parts that filters have changed.
Assigning the names is the compiler's work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from q_runtime.errors import QError, QSyntaxError
from q_runtime.lang import nodes as nd
from q_runtime.prims.registry import PRIMITIVES
from q_runtime.prims.setops import find
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.functions import HOLE
from q_runtime.values.vectors import (
    Atom,
    Value,
    collapse,
    is_list,
    items_of,
    length,
    symbols,
    type_number,
)

Apply = Callable[[Value, Value], Value]


class Mismatch(QError):
    """A value that does not have the form of a pattern; `:[...]` goes on to its next pattern."""


@dataclass
class Plan:
    """A pattern with the places that it binds and the expressions that it filters by."""

    pattern: Pattern
    targets: list[nd.Name | nd.Call] = field(default_factory=list)
    filters: list[nd.Node] = field(default_factory=list)

    def match(
        self, value: Value, filters: Sequence[Value], apply: Apply
    ) -> tuple[Value, list[Value]]:
        """Match `value`; returns it as filtered, and what each target is bound to.

        Raises: Mismatch('match'), Mismatch('type'), Mismatch('length'); what a filter signals.
        """
        bound: list[Value] = [HOLE] * len(self.targets)
        return self.pattern.match(value, Matching(filters, apply, bound)), bound

    def attempt(
        self, value: Value, filters: Sequence[Value], apply: Apply
    ) -> tuple[Value, list[Value]] | None:
        """Match `value` like `match`; None when it does not have the form."""
        try:
            return self.match(value, filters, apply)
        except Mismatch:
            return None


@dataclass
class Matching:
    """One match under way."""

    filters: Sequence[Value]
    apply: Apply
    bound: list[Value]


class Pattern:
    """Base of the patterns, and the empty one, which anything matches."""

    def match(self, value: Value, under: Matching) -> Value:
        """Match a value and return it, as filtered."""
        return value


@dataclass
class Bound(Pattern):
    """A name, or an indexed name: bound to the value."""

    slot: int

    def match(self, value: Value, under: Matching) -> Value:
        under.bound[self.slot] = value
        return value


@dataclass
class Exactly(Pattern):
    """A constant, which only the same value matches."""

    constant: Value

    def match(self, value: Value, under: Matching) -> Value:
        if not PRIMITIVES["~"].fn(self.constant, value):
            raise Mismatch("match", "the value is another than the constant of the pattern")
        return value


@dataclass
class Filtered(Pattern):
    """`pattern:filter`: a symbol checks the type, a function is applied before the match."""

    inner: Pattern
    slot: int

    def match(self, value: Value, under: Matching) -> Value:
        by = under.filters[self.slot]
        if type(by) is Atom and by.t == -11:
            check_type(by.v, value)
            return self.inner.match(value, under)
        return self.inner.match(under.apply(by, value), under)


@dataclass
class Items(Pattern):
    """`(p;q;...)`: a list of just so many items."""

    items: list[Pattern]

    def match(self, value: Value, under: Matching) -> Value:
        if not is_list(value) and type(value) is not Table:
            raise Mismatch("type", "the pattern is a list, the value is not")
        if length(value) != len(self.items):
            raise Mismatch("length", f"{len(self.items)} in the pattern, {length(value)} given")
        old = items_of(value)
        new = match_each(self.items, old, under)
        return value if new is old else collapse(new)


@dataclass
class Entries(Pattern):
    """`keys!pattern` or `([name:pattern])`: some entries of a dictionary, found by their keys."""

    keys: Value
    values: Pattern

    def match(self, value: Value, under: Matching) -> Value:
        if type(value) is not Dict:
            raise Mismatch("type", "the pattern is a dictionary, the value is not")
        places = find(value.k, self.keys)
        where = items_of(places) if is_list(places) else [places]
        if any(place == length(value.k) for place in where):
            raise Mismatch("match", "the dictionary lacks a key of the pattern")
        entries = items_of(value.v)
        old = collapse([entries[place] for place in where])
        new = self.values.match(old, under)
        if new is old:
            return value
        entries = list(entries)
        for place, item in zip(where, items_of(new), strict=True):
            entries[place] = item
        return Dict(value.k, collapse(entries))


@dataclass
class Sides(Pattern):
    """`p!q`: the keys and the values of a dictionary, each as a whole."""

    keys: Pattern
    values: Pattern

    def match(self, value: Value, under: Matching) -> Value:
        if type(value) is not Dict:
            raise Mismatch("type", "the pattern is a dictionary, the value is not")
        values = self.values.match(value.v, under)
        return Dict(self.keys.match(value.k, under), values)


@dataclass
class Columns(Pattern):
    """`([]name:pattern)`: some columns of a table."""

    names: list[str]
    columns: list[Pattern]

    def match(self, value: Value, under: Matching) -> Value:
        if type(value) is not Table:
            raise Mismatch("type", "the pattern is a table, the value is not")
        if any(name not in value.names for name in self.names):
            raise Mismatch("match", "the table lacks a column of the pattern")
        old = [value.column(name) for name in self.names]
        new = match_each(self.columns, old, under)
        if new is old:
            return value
        made = dict(zip(value.names, value.cols, strict=True))
        made.update(zip(self.names, new, strict=True))
        return Table(value.names, list(made.values()))


@dataclass
class Flipped(Pattern):
    """`flip pattern`: matches the flipped value."""

    inner: Pattern

    def match(self, value: Value, under: Matching) -> Value:
        flip = PRIMITIVES["flip"].fn
        old = flip(value)
        new = self.inner.match(old, under)
        return value if new is old else flip(new)


def match_each(patterns: list[Pattern], values: list[Value], under: Matching) -> list[Value]:
    """Match values one by one, the last first; returns the same list when no filter changed one."""
    made = list(values)
    for i in range(len(patterns) - 1, -1, -1):
        made[i] = patterns[i].match(values[i], under)
    if all(new is old for new, old in zip(made, values, strict=True)):
        return values
    return made


def check_type(letter: str, value: Value) -> None:
    """Refuse a value whose type is not that of a type letter: lower case an atom, upper case a vector.

    Raises: Mismatch('type').
    """
    number = qt.TYPE_OF_LETTER.get(letter.lower())
    if number is None:
        raise Mismatch("type", f"`{letter} is not the letter of a type")
    wanted = -number if letter.islower() else number
    if type_number(value) != wanted:
        raise Mismatch("type", f"the pattern takes the type {letter}")


# -- reading


def read_pattern(node: nd.Node) -> Plan:
    """Read the pattern that an expression stands for.

    Raises: QSyntaxError for an expression that cannot be one.
    """
    plan = Plan(Pattern())
    plan.pattern = _read(node, plan)
    return plan


def target_name(target: nd.Name | nd.Call) -> str:
    """Return the variable that a target of a pattern assigns."""
    node = target if isinstance(target, nd.Name) else target.function
    assert isinstance(node, nd.Name)
    return node.name


def _read(node: nd.Node, plan: Plan) -> Pattern:
    if isinstance(node, nd.Elided):
        return Pattern()
    if isinstance(node, nd.Constant):
        return Exactly(node.value)
    if isinstance(node, nd.Name):
        return _target(node, plan)
    if isinstance(node, nd.Call) and isinstance(node.function, nd.Name):
        return _target(node, plan)
    if isinstance(node, nd.Block) and len(node.statements) == 1:
        return _read(node.statements[0], plan)
    if isinstance(node, nd.ListOf):
        return Items([_read(item, plan) for item in node.items])
    if isinstance(node, nd.TableLiteral):
        return _table(node, plan)
    filtered = _filtered(node, plan)
    if filtered is not None:
        return filtered
    if isinstance(node, nd.Monad) and isinstance(node.function, nd.Name):
        if node.function.name == "flip":
            return Flipped(_read(node.argument, plan))
    if isinstance(node, (nd.Dyad, nd.LeftBound)) and isinstance(node.verb, nd.Verb):
        if node.verb.name == "!":
            right = node.right if isinstance(node, nd.Dyad) else nd.Elided(node.end, node.end)
            values = _read(right, plan)
            if isinstance(node.left, nd.Constant):
                return Entries(node.left.value, values)
            return Sides(_read(node.left, plan), values)
    raise QSyntaxError("nyi", "no pattern")


def _filtered(node: nd.Node, plan: Plan) -> Pattern | None:
    """Read `pattern:filter`, or `:filter` for a part without a name; None for anything else."""
    if isinstance(node, nd.Return):
        inner = Pattern()
    elif isinstance(node, nd.PatternAssign):
        inner = _read(node.target, plan)
    elif isinstance(node, nd.Assign) and node.verb is None:
        name = nd.Name(node.start, node.start + len(node.name), node.name)
        inner = _target(
            nd.Call(node.start, node.end, name, node.indices) if node.indexed else name, plan
        )
    else:
        return None
    plan.filters.append(node.value)
    return Filtered(inner, len(plan.filters) - 1)


def _target(node: nd.Name | nd.Call, plan: Plan) -> Pattern:
    plan.targets.append(node)
    return Bound(len(plan.targets) - 1)


def _table(node: nd.TableLiteral, plan: Plan) -> Pattern:
    keys = [_read(value, plan) for _, value in node.keys]
    key_names = [name for name, _ in node.keys]
    if not node.columns:
        return Entries(symbols(key_names), Items(keys))
    columns = Columns(
        [name for name, _ in node.columns], [_read(value, plan) for _, value in node.columns]
    )
    return Sides(Columns(key_names, keys), columns) if keys else columns
