"""Syntax tree to q parse tree: what `parse` returns.

A parse tree is a list whose first item is applied to the others; a symbol is a variable, a list of one item that
item itself. Evaluating one is the business of tree_eval.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from q_runtime.errors import UnsupportedFeature
from q_runtime.evaluate.checks import check_body
from q_runtime.lang import nodes as nd
from q_runtime.lang.parser import parse
from q_runtime.prims.registry import CONSTANTS, PRIMITIVES, UNARY_GLYPHS
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict
from q_runtime.values.functions import HOLE, NIL, IteratorValue, Prim
from q_runtime.values.opcodes import NEGATED
from q_runtime.values.vectors import (
    CHARS,
    GList,
    Value,
    collapse,
    empty,
    symbol,
    symbols,
    type_number,
)

MakeLambda = Callable[[nd.LambdaNode], Value]

SEQUENCE = CHARS[ord(";")]
"""Head of a tree whose items are evaluated one after another."""


class TreeMaker:
    """Turns nodes into trees. `make_lambda` builds the value of a lambda node."""

    def __init__(self, make_lambda: MakeLambda) -> None:
        self.make_lambda = make_lambda

    def statements(self, nodes: Sequence[nd.Node]) -> Value:
        """Return the tree of several statements, of one without the sequence around it."""
        if len(nodes) == 1:
            return self.tree(nodes[0])
        return collapse([SEQUENCE, *(self.tree(n) for n in nodes)])

    def tree(self, node: nd.Node) -> Value:
        """Return the tree of one node.

        Raises: UnsupportedFeature for a node that has none yet.
        """
        make = getattr(self, "of_" + type(node).__name__, None)
        if make is None:
            raise UnsupportedFeature(
                f"the parse tree of {type(node).__name__} is not supported yet"
            )
        return make(node)

    def of_Constant(self, node: nd.Constant) -> Value:
        """A literal; symbols are enlisted, for a bare symbol is a variable."""
        return quoted(node.value) if abs(type_number(node.value)) == 11 else node.value

    def of_Name(self, node: nd.Name) -> Value:
        """A keyword's value, or a variable as a symbol."""
        return PRIMITIVES.get(node.name) or CONSTANTS.get(node.name) or symbol(node.name)

    def of_Verb(self, node: nd.Verb) -> Value:
        """An operator; `>=` is the composition of `not` and `<`."""
        plain = NEGATED.get(node.name)
        if plain is not None:
            return GList([IteratorValue("'"), PRIMITIVES["not"], PRIMITIVES[plain]])
        return self.of_Name(nd.Name(node.start, node.end, node.name))

    def of_Elided(self, node: nd.Elided) -> Value:
        """Nothing."""
        return NIL

    def of_Iterated(self, node: nd.Iterated) -> Value:
        """The iterator applied to its value."""
        iterator = IteratorValue(node.glyph)
        return iterator if node.base is None else GList([iterator, self.tree(node.base)])

    def of_Monad(self, node: nd.Monad) -> Value:
        """`f x`."""
        return collapse([self.tree(node.function), self.tree(node.argument)])

    def of_Dyad(self, node: nd.Dyad) -> Value:
        """`x f y`."""
        return collapse([self.tree(part) for part in (node.verb, node.left, node.right)])

    def of_LeftBound(self, node: nd.LeftBound) -> Value:
        """`x f`."""
        return collapse([self.tree(node.verb), self.tree(node.left)])

    def of_Composed(self, node: nd.Composed) -> Value:
        """`f g` where `g` waits for its argument."""
        return GList([IteratorValue("'"), self.tree(node.outer), self.tree(node.inner)])

    def of_Call(self, node: nd.Call) -> Value:
        """`f[x;y]`; an argument left out among several is a hole."""
        arguments = [self.argument(a, len(node.arguments)) for a in node.arguments]
        return collapse([self.tree(node.function), *arguments])

    def argument(self, node: nd.Node, n: int) -> Value:
        """Return the tree of one of `n` arguments."""
        if isinstance(node, nd.Elided):
            return HOLE if n > 1 else NIL
        return self.tree(node)

    def of_ListOf(self, node: nd.ListOf) -> Value:
        """`(a;b)`: enlist applied to the items; `()` is a constant."""
        if not node.items:
            return GList([])
        items = [self.argument(item, len(node.items)) for item in node.items]
        return collapse([PRIMITIVES["enlist"], *items])

    def of_Assign(self, node: nd.Assign) -> Value:
        """`a:x`, `a::x`, `a[i]:x` and assignment through an operator, headed by its one-argument form."""
        target: Value = symbol(node.name)
        if node.indexed:
            indices = [self.argument(i, len(node.indices)) for i in node.indices]
            target = collapse([target, *indices])
        head: Value = NIL if node.is_global else PRIMITIVES[":"]
        if node.verb is not None:
            head = unary_form(self.tree(node.verb))
        return collapse([head, target, self.tree(node.value)])

    def of_PatternAssign(self, node: nd.PatternAssign) -> Value:
        """`(a;b):x`."""
        head: Value = NIL if node.is_global else PRIMITIVES[":"]
        return collapse([head, self.tree(node.target), self.tree(node.value)])

    def of_Return(self, node: nd.Return) -> Value:
        """`:x`."""
        return collapse([PRIMITIVES[":"], self.tree(node.value)])

    def of_Signal(self, node: nd.Signal) -> Value:
        """`'x`."""
        return GList([IteratorValue("'"), self.tree(node.value)])

    def of_Conditional(self, node: nd.Conditional) -> Value:
        """`$[c;a;b]`."""
        return collapse([PRIMITIVES["$"], *(self.tree(part) for part in node.parts)])

    def of_Control(self, node: nd.Control) -> Value:
        """`if`, `do`, `while`: the word as a symbol."""
        parts = [node.condition, *node.body]
        return collapse([symbol(node.word), *(self.tree(part) for part in parts)])

    def of_Block(self, node: nd.Block) -> Value:
        """`(x)` is `x`; `[a;b]` is a sequence."""
        return self.statements(node.statements)

    def of_LambdaNode(self, node: nd.LambdaNode) -> Value:
        """A lambda is a constant."""
        return self.make_lambda(node)

    def of_TableLiteral(self, node: nd.TableLiteral) -> Value:
        """`([] a:x)`: flip of a dictionary; with keys one table keyed by another."""
        if node.keys and not node.columns:
            return self.dictionary(node.keys)
        values = self.flipped(node.columns)
        if not node.keys:
            return values
        return GList([PRIMITIVES["!"], self.flipped(node.keys), values])

    def flipped(self, columns: list[tuple[str, nd.Node]]) -> Value:
        """Return the tree of `flip names!values`."""
        return GList([PRIMITIVES["flip"], self.dictionary(columns)])

    def dictionary(self, columns: list[tuple[str, nd.Node]]) -> Value:
        """Return the tree of `names!values`."""
        names = quoted(symbols([name for name, _ in columns]))
        values = collapse([PRIMITIVES["enlist"], *(self.tree(value) for _, value in columns)])
        return GList([PRIMITIVES["!"], names, values])

    # -- queries

    def of_Query(self, node: nd.Query) -> Value:
        """A query as its functional form `?[t;c;b;a]` or `![t;c;b;a]`."""
        wheres = [self.tree(w) for w in node.where]
        parts: list[Value] = [
            PRIMITIVES["!" if node.word in ("update", "delete") else "?"],
            self.tree(node.source),
            quoted(collapse(wheres)) if wheres else GList([]),
            self.grouping(node),
            self.aggregates(node),
        ]
        if node.limit is not None or node.order is not None:
            parts.append(qt.LONG_INF if node.limit is None else self.tree(node.limit))
        if node.order is not None:
            descends, column = node.order
            grade = PRIMITIVES[">:" if descends else "<:"]
            parts.append(quoted(collapse([grade, self.tree(column)])))
        return GList(parts)

    def grouping(self, node: nd.Query) -> Value:
        """Return the fourth item of a functional form."""
        if node.by is not None:
            if node.word == "exec" and len(node.by) == 1 and not node.named_by:
                return alone(self.tree(node.by[0][1]))
            return self.named(node.by)
        return GList([]) if node.word == "exec" else node.distinct

    def aggregates(self, node: nd.Query) -> Value:
        """Return the fifth item of a functional form."""
        if node.word == "delete":
            names = [name for name, _ in node.columns]
            return quoted(symbols(names)) if names else empty(11)
        if not node.columns:
            return GList([])
        if node.word == "exec" and len(node.columns) == 1 and not node.named_columns:
            return alone(self.tree(node.columns[0][1]))
        return self.named(node.columns)

    def named(self, columns: list[tuple[str, nd.Node]]) -> Value:
        """Return a dictionary from column name to tree."""
        return Dict(
            symbols([name for name, _ in columns]),
            collapse([self.tree(value) for _, value in columns]),
        )


def quoted(x: Value) -> Value:
    """Enlist a value, so that evaluation gives it back."""
    return collapse([x])


def alone(tree: Value) -> Value:
    """Enlist a tree that is the whole of a phrase, unless it is an atom that stands for itself."""
    return tree if -99 < type_number(tree) < 0 and type_number(tree) != -11 else quoted(tree)


def unary_form(f: Value) -> Value:
    """Return the one-argument form of an operator: `+:` for `+`."""
    if type(f) is Prim and f.name + ":" in UNARY_GLYPHS:
        return PRIMITIVES[f.name + ":"]
    return f


def parse_tree(text: str, make_lambda: MakeLambda) -> Value:
    """Return the parse tree of q text.

    Raises: QSyntaxError; QError('assign') for an assignment to a reserved name.
    """
    nodes = parse(text)
    for node in nodes:
        check_body(node)
    return TreeMaker(make_lambda).statements(nodes)
