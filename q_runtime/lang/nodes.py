"""The syntax tree. Every node keeps the offsets of the text it came from.

Plain data: the parser makes nodes, the compiler reads them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Node:
    """Base of all nodes: `start` and `end` are character offsets."""

    start: int
    end: int


@dataclass(slots=True)
class Constant(Node):
    """A literal."""

    value: Any


@dataclass(slots=True)
class Name(Node):
    """A variable or keyword used as a noun."""

    name: str


@dataclass(slots=True)
class Verb(Node):
    """An operator, or a keyword that is written infix."""

    name: str


@dataclass(slots=True)
class Iterated(Node):
    """A term with an iterator behind it: a verb. `base` is None for a bare iterator."""

    glyph: str
    base: Node | None


@dataclass(slots=True)
class Elided(Node):
    """An argument left out."""


@dataclass(slots=True)
class Monad(Node):
    """Juxtaposition: `function argument`."""

    function: Node
    argument: Node


@dataclass(slots=True)
class Dyad(Node):
    """Infix: `left verb right`."""

    verb: Node
    left: Node
    right: Node


@dataclass(slots=True)
class LeftBound(Node):
    """`left verb` with nothing on the right: a projection."""

    verb: Node
    left: Node


@dataclass(slots=True)
class Composed(Node):
    """`f g` where `g` still waits for its argument: a composition."""

    outer: Node
    inner: Node


@dataclass(slots=True)
class Call(Node):
    """`function[argument;...]`."""

    function: Node
    arguments: list[Node]


@dataclass(slots=True)
class ListOf(Node):
    """`(a;b;...)`."""

    items: list[Node]


@dataclass(slots=True)
class Assign(Node):
    """`target:value`. `verb` is the operator of a compound assignment; `is_global` marks `::`."""

    name: str
    indices: list[Node]
    """Index expressions of `x[i;j]:v`; empty for a plain assignment."""
    verb: Node | None
    value: Node
    is_global: bool
    indexed: bool = False
    at: int = 0
    """Offset of the operator or the colon."""


@dataclass(slots=True)
class PatternAssign(Node):
    """`pattern:value`: takes the value apart and binds the names in the pattern."""

    target: Node
    value: Node
    is_global: bool = False


@dataclass(slots=True)
class Match(Node):
    """`:[x;pattern;result;...;default]`: the result behind the first pattern that `x` matches."""

    value: Node
    parts: list[Node]


@dataclass(slots=True)
class Return(Node):
    """`:value` at the head of an expression."""

    value: Node


@dataclass(slots=True)
class Signal(Node):
    """`'value` at the head of an expression."""

    value: Node


@dataclass(slots=True)
class Conditional(Node):
    """`$[c;a;b;...]` with three or more parts."""

    parts: list[Node]


@dataclass(slots=True)
class Control(Node):
    """`if`, `do` or `while` with its condition and body."""

    word: str
    condition: Node
    body: list[Node]


@dataclass(slots=True)
class Block(Node):
    """`[a;b;c]` standing alone, or a sequence of statements; the value is the last one's."""

    statements: list[Node]


@dataclass(slots=True)
class LambdaNode(Node):
    """A lambda: its text, parameters (None when implicit) and body."""

    source: str
    parameters: list[str] | None
    body: list[Node]
    names: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """Parameters and other locals, once they were looked for."""
    is_checked: bool = False
    """Whether what kdb+ refuses while reading was looked for, here and in the lambdas inside."""
    inside: list[Node] | None = None
    """All nodes of the body, once they were listed (see walk.inside)."""


@dataclass(slots=True)
class TableLiteral(Node):
    """`([] a:..; b:..)`, with key columns before the bracket's end."""

    keys: list[tuple[str, Node]]
    columns: list[tuple[str, Node]]


@dataclass(slots=True)
class Query(Node):
    """`select`, `exec`, `update` or `delete`."""

    word: str
    columns: list[tuple[str, Node]]
    by: list[tuple[str, Node]] | None
    source: Node
    where: list[Node] = field(default_factory=list)
    distinct: bool = False
    limit: Node | None = None
    order: tuple[bool, Node] | None = None
    """Order in brackets: whether it descends, and the expression."""
    named_columns: frozenset[int] = frozenset()
    """Places of the columns that were given a name with `:`."""
    named_by: frozenset[int] = frozenset()
    text: str = ""
