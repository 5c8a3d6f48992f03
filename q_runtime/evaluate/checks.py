"""What kdb+ refuses while reading a lambda, before running it."""

from __future__ import annotations

from q_runtime.errors import QError, span_of
from q_runtime.evaluate.scopes import bound_names, children, local_names
from q_runtime.lang import nodes as nd
from q_runtime.lang.keywords import RESERVED

MAX_GLOBALS = 110
MAX_CONSTANTS = 240
"""Limits of one lambda. Source: KX basics/errors."""
MAX_BRANCH = 65025
"""Byte codes that a branch may leap over. Source: KX basics/errors."""
_FEW_CHARS = 250
"""A shorter text has not so many different names: of one letter there are 52."""
_CHECKED = frozenset(
    {nd.Assign, nd.PatternAssign, nd.Match, nd.LambdaNode, nd.Control, nd.Conditional}
)


def check_body(node: nd.Node, text: str = "") -> None:
    """Raise for an assignment to a reserved name, or a lambda past a limit, anywhere in `node`.

    text: what `node` was read from, if that is known; the error then names its place there.
    Raises: QError with 'assign, 'locals, 'globals, 'limit or 'branch.
    """
    stack = [node]
    checked: list[nd.LambdaNode] = []
    while stack:
        here = stack.pop()
        if type(here) not in _CHECKED:
            stack.extend(children(here))
            continue
        if isinstance(here, nd.LambdaNode):
            if here.is_checked:
                continue
            checked.append(here)
        try:
            _check(here)
        except QError as error:
            if text:
                inner = error.span
                start = here.start + inner.start if inner else here.start
                end = here.start + inner.end if inner else here.end
                error.text, error.span = text, span_of(text, start, end)
            raise
        stack.extend(children(here))
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
        if len(here.source) > _FEW_CHARS:
            check_size(here)
        else:
            local_names(here)
        if "::" in here.source:
            check_scopes(here)
    elif isinstance(here, (nd.Control, nd.Conditional)) and here.end - here.start > MAX_BRANCH:
        check_branches(here)


def check_size(node: nd.LambdaNode) -> None:
    """Raise for a lambda with more names or different literals than kdb+ has codes for.

    Raises: QError with 'locals, 'globals or 'limit.
    """
    parameters, others = local_names(node)
    known = {*parameters, *others}
    read: set[str] = set()
    constants: set[str] = set()
    stack: list[nd.Node] = list(node.body)
    while stack:
        here = stack.pop()
        if isinstance(here, nd.Name) and here.name not in RESERVED:
            read.add(here.name)
        elif isinstance(here, nd.Assign):
            read.add(here.name)
        if isinstance(here, nd.Constant):
            constants.add(repr(here.value))
        elif isinstance(here, nd.LambdaNode):
            constants.add(here.source)
        if not isinstance(here, nd.LambdaNode):
            stack.extend(children(here))
    if len(read - known) > MAX_GLOBALS:
        raise QError("globals", f"more than {MAX_GLOBALS} globals in a lambda")
    if len(constants) > MAX_CONSTANTS:
        raise QError("limit", f"more than {MAX_CONSTANTS} constants in a lambda")


def check_branches(node: nd.Control | nd.Conditional) -> None:
    """Raise for a control whose parts are surely longer than a branch can be.

    Every name, literal and operator is a byte code at least, and so is the end of every statement; kdb+, which has
    longer ones too, refuses some that pass here.
    Raises: QError('branch').
    """
    stack = list(children(node))
    codes = len(stack)
    while stack:
        here = stack.pop()
        codes += 1
        if not isinstance(here, nd.LambdaNode):
            stack.extend(children(here))
    if codes > MAX_BRANCH:
        raise QError("branch", f"a branch over more than {MAX_BRANCH} byte codes")


def check_scopes(node: nd.LambdaNode) -> None:
    """Raise for a name that a lambda assigns as a global and then as a local.

    Raises: QError(name), at the local assignment.
    """
    local = set(local_names(node)[0])
    global_: set[str] = set()
    for statement in node.body:
        found = sorted(_assignments(statement), key=lambda here: here.start, reverse=True)
        for here in found:
            if here.is_global and here.name not in local:
                global_.add(here.name)
            elif not here.is_global and here.name in global_:
                place = span_of(node.source, here.start - node.start, here.end - node.start)
                raise QError(here.name, "assigned as a global before", place)
            elif not here.is_global:
                local.add(here.name)


def _assignments(statement: nd.Node) -> list[nd.Assign]:
    """Return the assignments of whole variables in a statement, not those in lambdas."""
    out: list[nd.Assign] = []
    stack = [statement]
    while stack:
        here = stack.pop()
        if isinstance(here, nd.Assign) and not here.indexed and here.verb is None:
            out.append(here)
        if not isinstance(here, nd.LambdaNode):
            stack.extend(children(here))
    return out


def check_target(name: str) -> None:
    """Raise for a name that cannot be assigned.

    Raises: QError('assign').
    """
    if name in RESERVED:
        raise QError("assign", f"{name} is reserved")
