"""What kdb+ refuses while reading a lambda, before running it."""

from __future__ import annotations

from q_runtime.errors import QError
from q_runtime.evaluate.scopes import bound_names, children
from q_runtime.lang import nodes as nd
from q_runtime.lang.keywords import RESERVED


def check_body(node: nd.Node) -> None:
    """Raise for an assignment to a reserved name anywhere in `node`.

    Raises: QError('assign').
    """
    stack = [node]
    while stack:
        here = stack.pop()
        if isinstance(here, nd.Assign):
            check_target(here.name)
        elif isinstance(here, (nd.PatternAssign, nd.Match)):
            for name in bound_names(here):
                check_target(name)
        elif isinstance(here, nd.LambdaNode):
            for name in here.parameters or ():
                check_target(name)
        stack.extend(children(here))


def check_target(name: str) -> None:
    """Raise for a name that cannot be assigned.

    Raises: QError('assign').
    """
    if name in RESERVED:
        raise QError("assign", f"{name} is reserved")
