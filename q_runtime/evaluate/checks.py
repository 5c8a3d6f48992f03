"""What kdb+ refuses while reading a lambda, before running it."""

from __future__ import annotations

from itertools import chain

from q_runtime.errors import QError, span_of
from q_runtime.evaluate.scopes import bound_names, local_names
from q_runtime.lang import nodes as nd
from q_runtime.lang.keywords import RESERVED
from q_runtime.lang.walk import children, descend, inside

MAX_GLOBALS = 110
MAX_CONSTANTS = 240
"""Limits of one lambda. Source: KX basics/errors."""
MAX_BRANCH = 65025
"""Byte codes that a branch may leap over. Source: KX basics/errors."""
_CHECKED = frozenset(
    {nd.Assign, nd.PatternAssign, nd.Match, nd.LambdaNode, nd.Control, nd.Conditional}
)


def check_body(node: nd.Node, text: str = "") -> None:
    """Raise for an assignment to a reserved name, or a lambda past a limit, anywhere in `node`.

    text: what `node` was read from, if that is known; the error then names its place there.
    Raises: QError with 'assign, 'locals, 'globals, 'limit or 'branch.
    """
    waiting = [node]
    checked: list[nd.LambdaNode] = []
    while waiting:
        whole = waiting.pop()
        if isinstance(whole, nd.LambdaNode):
            if whole.is_checked:
                continue
            checked.append(whole)
            parts = [whole, *inside(whole)]
        else:
            parts = descend([whole])
        for here in parts:
            if type(here) not in _CHECKED:
                continue
            if here is not whole and isinstance(here, nd.LambdaNode):
                waiting.append(here)
                continue
            try:
                _check(here)
            except QError as error:
                if text:
                    inner = error.span
                    start = here.start + inner.start if inner else here.start
                    end = here.start + inner.end if inner else here.end
                    error.text, error.span = text, span_of(text, start, end)
                raise
    for here in checked:
        here.is_checked = True


def _check(here: nd.Node) -> None:
    """Check one node by itself."""
    if isinstance(here, nd.Assign):
        check_target(here.name)
    elif isinstance(here, (nd.PatternAssign, nd.Match)):
        for name in bound_names(here):
            check_target(name)
    elif isinstance(here, nd.LambdaNode):
        for name in here.parameters or ():
            check_target(name)
        check_size(here)
        if "::" in here.source:
            check_scopes(here)
    elif isinstance(here, (nd.Control, nd.Conditional)) and here.end - here.start > MAX_BRANCH:
        check_branches(here)


def check_size(node: nd.LambdaNode) -> None:
    """Raise for a lambda with more names or different literals than kdb+ has codes for.

    Raises: QError with 'locals, 'globals or 'limit.
    """
    known = set(chain(*local_names(node)))
    nodes = inside(node)
    if len(nodes) <= MAX_GLOBALS:
        return
    read: set[str] = set()
    constants: set[str] = set()
    for here in nodes:
        if isinstance(here, (nd.Name, nd.Assign)):
            read.add(here.name)
        elif isinstance(here, nd.Constant):
            constants.add(repr(here.value))
        elif isinstance(here, nd.LambdaNode):
            constants.add(here.source)
    if len(read - known - RESERVED) > MAX_GLOBALS:
        raise QError("globals", f"more than {MAX_GLOBALS} globals in a lambda")
    if len(constants) > MAX_CONSTANTS:
        raise QError("limit", f"more than {MAX_CONSTANTS} constants in a lambda")


def check_branches(node: nd.Control | nd.Conditional) -> None:
    """Raise for a control whose parts are surely longer than a branch can be.

    Every name, literal and operator is a byte code at least, and so is the end of every statement; kdb+, which has
    longer ones too, refuses some that pass here.
    Raises: QError('branch').
    """
    codes = len(descend([node])) - 1 + len(children(node))
    if codes > MAX_BRANCH:
        raise QError("branch", f"a branch over more than {MAX_BRANCH} byte codes")


def check_scopes(node: nd.LambdaNode) -> None:
    """Raise for a name that a lambda assigns as a global and then as a local.

    Raises: QError(name), at the local assignment.
    """
    local = set(local_names(node)[0])
    global_: set[str] = set()
    for statement in node.body:
        whole = [here for here in descend([statement]) if isinstance(here, nd.Assign)]
        whole = [here for here in whole if not here.indexed and here.verb is None]
        for here in sorted(whole, key=lambda here: here.start, reverse=True):
            if here.is_global and here.name not in local:
                global_.add(here.name)
            elif not here.is_global and here.name in global_:
                place = span_of(node.source, here.start - node.start, here.end - node.start)
                raise QError(here.name, "assigned as a global before", place)
            elif not here.is_global:
                local.add(here.name)


def check_target(name: str) -> None:
    """Raise for a name that cannot be assigned.

    Raises: QError('assign').
    """
    if name in RESERVED:
        raise QError("assign", f"{name} is reserved")
