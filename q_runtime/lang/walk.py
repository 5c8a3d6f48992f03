"""Going through the syntax tree: the parts of a node, and all nodes of a lambda.

What this deliberately does not do: enter a lambda from outside; its nodes are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from q_runtime.lang import nodes as nd

_LEAVES = frozenset({nd.Name, nd.Constant, nd.Verb, nd.Elided})


def _parts_of_assign(node: nd.Assign) -> Sequence[nd.Node]:
    if node.verb is None:
        return (*node.indices, node.value) if node.indices else (node.value,)
    return (*node.indices, node.verb, node.value)


def _parts_of_query(node: nd.Query) -> Sequence[nd.Node]:
    out = [value for _, value in (*node.columns, *(node.by or ()))]
    out += [node.source, *node.where]
    if node.limit is not None:
        out.append(node.limit)
    if node.order is not None:
        out.append(node.order[1])
    return out


_PARTS: dict[type[nd.Node], Callable[[Any], Sequence[nd.Node]]] = {
    **dict.fromkeys(_LEAVES, lambda node: ()),
    nd.Iterated: lambda node: () if node.base is None else (node.base,),
    nd.Monad: attrgetter("function", "argument"),
    nd.Dyad: attrgetter("verb", "left", "right"),
    nd.LeftBound: attrgetter("verb", "left"),
    nd.Composed: attrgetter("outer", "inner"),
    nd.Call: lambda node: (node.function, *node.arguments),
    nd.ListOf: attrgetter("items"),
    nd.Assign: _parts_of_assign,
    nd.PatternAssign: attrgetter("target", "value"),
    nd.Match: lambda node: (node.value, *node.parts),
    nd.Return: lambda node: (node.value,),
    nd.Signal: lambda node: (node.value,),
    nd.Conditional: attrgetter("parts"),
    nd.Control: lambda node: (node.condition, *node.body),
    nd.Block: attrgetter("statements"),
    nd.LambdaNode: attrgetter("body"),
    nd.TableLiteral: lambda node: [value for _, value in (*node.keys, *node.columns)],
    nd.Query: _parts_of_query,
}
"""What returns the direct parts of a node, by its class."""


def children(node: nd.Node) -> Sequence[nd.Node]:
    """Return the direct parts of a node, in the order of its fields."""
    return _PARTS[type(node)](node)


def descend(nodes: Sequence[nd.Node]) -> list[nd.Node]:
    """Return some nodes and all that is in them, each before its parts; lambdas are listed and not entered."""
    out: list[nd.Node] = []
    stack = list(nodes[::-1])
    while stack:
        node = stack.pop()
        out.append(node)
        kind = type(node)
        if kind not in _LEAVES and kind is not nd.LambdaNode:
            stack.extend(_PARTS[kind](node)[::-1])
    return out


def inside(node: nd.LambdaNode) -> list[nd.Node]:
    """Return all nodes of a lambda, each before its parts, without those of the lambdas in it; found once."""
    if node.inside is None:
        node.inside = descend(node.body)
    return node.inside
