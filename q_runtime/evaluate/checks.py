"""What kdb+ refuses while reading a lambda, before running it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from q_runtime.errors import QError, span_of
from q_runtime.evaluate.lambda_names import IN_ORDER
from q_runtime.evaluate.scopes import bound_names, local_names
from q_runtime.lang import nodes as nd
from q_runtime.lang.keywords import RESERVED
from q_runtime.lang.walk import children, descend, inside

MAX_GLOBALS = 110
MAX_CONSTANTS = 240
"""Limits of one lambda. Source: KX basics/errors."""
MAX_BRANCH = 65025
"""Byte codes that a branch may leap over. Source: KX basics/errors."""
_ASSIGNING = frozenset({nd.Assign, nd.PatternAssign})
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
    """Raise for a name that a lambda makes a local after it has read or set it as a global.

    What comes before is told by the order of evaluation, as `value` of a lambda lists its globals.
    Raises: QError(name), at the local assignment.
    """
    parameters, others = local_names(node)
    if not others:
        return
    local = set(parameters)
    global_: set[str] = set()
    waiting: list[tuple[nd.Node, bool]] = [(part, False) for part in reversed(node.body)]
    while waiting:
        here, has_value = waiting.pop()
        kind = type(here)
        if kind is nd.Name:
            if here.name not in local:  # type: ignore[attr-defined]
                global_.add(here.name)  # type: ignore[attr-defined]
        elif kind in _ASSIGNING and has_value:
            _assign_in_scope(here, local, global_, node)
        elif kind is not nd.LambdaNode:
            if kind in _ASSIGNING:
                waiting.append((here, True))
            if kind is nd.Query:
                parts: Sequence[nd.Node] = [here.source]  # type: ignore[attr-defined]
            elif kind is nd.PatternAssign:
                parts = [here.value]  # type: ignore[attr-defined]
            else:
                parts = children(here)
            if kind is nd.Match:
                local.update(bound_names(here))  # type: ignore[arg-type]
            waiting += [(part, False) for part in (reversed(parts) if kind in IN_ORDER else parts)]


def _assign_in_scope(
    here: nd.Node, local: set[str], global_: set[str], whole: nd.LambdaNode
) -> None:
    """Take note of an assignment whose value has been evaluated."""
    if not isinstance(here, nd.Assign):
        names, makes_local = bound_names(here), not here.is_global  # type: ignore[arg-type,attr-defined]
    else:
        names = [here.name]
        makes_local = not (here.is_global or here.indexed or here.verb or "." in here.name)
    for name in names:
        if name in local:
            continue
        if not makes_local:
            global_.add(name)
        elif name in global_:
            place = span_of(whole.source, here.start - whole.start, here.end - whole.start)
            raise QError(name, "a global before", place)
        else:
            local.add(name)


def check_target(name: str) -> None:
    """Raise for a name that cannot be assigned.

    Raises: QError('assign').
    """
    if name in RESERVED:
        raise QError("assign", f"{name} is reserved")
