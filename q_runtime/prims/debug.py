"""Backtraces: `.Q.bt`, `.Q.sbt` and the traps that make them, `.Q.trp` and `.Q.trpd`. Source: KX ref/dotq.

A backtrace is a list with an item for each call, the innermost first: `((name;file;line;text);offset)`. Files are not
known, so that the file is empty and the line -1.
"""

from __future__ import annotations

from q_runtime.errors import Frame, QError
from q_runtime.frames import backtrace
from q_runtime.prims.registry import Host, primitive
from q_runtime.values.functions import NIL, is_function
from q_runtime.values.vectors import GList, Value, items_of, raw_of, string, text_of


def _trapped(host: Host, name: str, f: Value, args: list[Value], handler: Value) -> Value:
    """Apply; when q signals, give the handler the error text and the backtrace."""
    depth = host.budget.depth  # type: ignore[attr-defined]
    try:
        return host.apply(f, args)
    except QError as error:
        host.budget.depth = depth  # type: ignore[attr-defined]
        if not is_function(handler):
            return handler
        code, frames = error.code, host.calls(Frame("", -1, f"({name})"), error)
    return host.apply(handler, [string(code), GList([_value_of(f) for f in frames[::-1]])])


def _value_of(frame: Frame) -> Value:
    """Return a call as it stands in a backtrace."""
    return GList([GList([string(frame.name), string(""), -1, string(frame.source)]), frame.at])


def _frame_of(x: Value) -> Frame:
    """Read a call of a backtrace.

    Raises: QError('type') for anything else.
    """
    parts = items_of(x)
    if len(parts) != 2 or type(parts[0]) is not GList or len(parts[0].items) != 4:
        raise QError("type", "not a backtrace")
    name, _, _, text = parts[0].items
    return Frame(text_of(text), raw_of(parts[1]), text_of(name))


@primitive(".Q.trp", 3, host=True)
def trap(host: Host, x: Value, y: Value, z: Value) -> Value:
    """Apply to one argument; on an error apply `z` to its text and the backtrace."""
    return _trapped(host, ".Q.trp", x, [y], z)


@primitive(".Q.trpd", 3, host=True)
def trap_at_depth(host: Host, x: Value, y: Value, z: Value) -> Value:
    """Apply to a list of arguments; on an error apply `z` to its text and the backtrace."""
    return _trapped(host, ".Q.trpd", x, items_of(y) or [NIL], z)


@primitive(".Q.sbt")
def backtrace_text(x: Value) -> Value:
    """Text of a backtrace."""
    if type(x) is not GList:
        raise QError("type", "not a backtrace")
    return string(backtrace([_frame_of(item) for item in x.items]))


@primitive(".Q.bt", host=True)
def print_backtrace(host: Host, x: Value) -> Value:
    """Print the calls that are under way."""
    host.write(backtrace(host.calls()[::-1]))
    return NIL
