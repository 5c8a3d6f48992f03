"""What is in a lambda as `value` lists it: its parameters, its other locals, the globals that it uses, its constants.

What this deliberately does not do: look into lambdas written inside it, whose names are their own, or into the columns
of a query, which are symbols in its parse tree.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from q_runtime.evaluate.scopes import local_names
from q_runtime.lang import nodes as nd
from q_runtime.lang.keywords import RESERVED
from q_runtime.lang.parser import parse
from q_runtime.lang.walk import children

IN_ORDER = (nd.Conditional, nd.Control, nd.Block)
"""Nodes whose parts run from left to right; those of all others run from right to left."""


class LambdaNames(NamedTuple):
    """Parameters, other locals, globals as the text meets them, and the literals as they are evaluated.

    constants: a lambda written inside stands there as its node.
    """

    parameters: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    constants: tuple[Any, ...] = ()


def names_of(source: str) -> LambdaNames:
    """Return what is in the lambda that `source` is. Source: KX ref/value, "Lambda"."""
    node = next((n for n in parse(source) if isinstance(n, nd.LambdaNode)), None)
    if node is None:
        return LambdaNames()
    parameters, others = local_names(node)
    found: dict[str, None] = {}
    for statement in node.body:
        _walk(statement, {*parameters, *others}, found)
    constants = [value for statement in node.body for value in _constants(statement)]
    return LambdaNames(parameters, others, tuple(found), tuple(constants))


def _constants(node: nd.Node) -> list[Any]:
    if isinstance(node, nd.Constant):
        return [node.value]
    if isinstance(node, nd.LambdaNode):
        return [node]
    parts = children(node)
    ordered = parts if isinstance(node, IN_ORDER) else reversed(parts)
    return [value for part in ordered for value in _constants(part)]


def _walk(node: nd.Node, local: set[str], found: dict[str, None]) -> None:
    if isinstance(node, nd.LambdaNode):
        return
    if isinstance(node, (nd.Name, nd.Assign)):
        name = node.name
        is_global = name not in local or (isinstance(node, nd.Assign) and node.is_global)
        if is_global and name not in RESERVED and name != ".z.s":
            found[name] = None
    parts = [node.source] if isinstance(node, nd.Query) else children(node)
    for part in parts:
        _walk(part, local, found)
