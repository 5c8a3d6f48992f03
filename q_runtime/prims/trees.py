"""Parse trees as q code meets them: parse, eval and reval. The work is done by the host's evaluator."""

from __future__ import annotations

from q_runtime.errors import QError
from q_runtime.prims.registry import PRIMITIVES, Host, primitive
from q_runtime.values.vectors import GList, Value, string, text_of, type_number


@primitive("parse", host=True)
def parse(host: Host, x: Value) -> Value:
    """Parse tree of text; of a command, `system` and the command without its backslash."""
    if abs(type_number(x)) != 10:
        raise QError("type", "parse takes a string")
    text = text_of(x)
    if text[:1] == "\\":
        return GList([PRIMITIVES["system"], string(text[1:])])
    return host.parse_tree(text)


@primitive("eval", host=True)
def evaluate(host: Host, x: Value) -> Value:
    """Value of a parse tree."""
    return host.evaluate_tree(x)


@primitive("reval", host=True)
def restricted(host: Host, x: Value) -> Value:
    """Value of a parse tree that may not change a global."""
    return host.evaluate_tree(x, can_update=False)
