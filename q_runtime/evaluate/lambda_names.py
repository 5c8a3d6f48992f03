"""The names in a lambda as `value` lists them: its parameters, its other locals and the globals that it uses.

What this deliberately does not do: the names in lambdas written inside it, which belong to those; the columns of a
query, which are symbols in its parse tree; constants.
"""

from __future__ import annotations

from q_runtime.evaluate.scopes import local_names
from q_runtime.lang import nodes as nd
from q_runtime.lang.keywords import RESERVED
from q_runtime.lang.parser import parse
from q_runtime.lang.walk import children


def names_of(source: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return (parameters, other locals, globals) of the lambda that `source` is; globals as the text meets them.

    Source: KX ref/value, "Lambda".
    """
    node = next((n for n in parse(source) if isinstance(n, nd.LambdaNode)), None)
    if node is None:
        return (), (), ()
    parameters, others = local_names(node)
    found: dict[str, None] = {}
    for statement in node.body:
        _walk(statement, {*parameters, *others}, found)
    return parameters, others, tuple(found)


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
