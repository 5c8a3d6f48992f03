"""Small primitives about values as such: show, type. Text of values is in dotq.py and casting.py."""

from __future__ import annotations

from q_runtime.prims.registry import Host, primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.enums import is_enum
from q_runtime.values.functions import NIL
from q_runtime.values.vectors import Value, type_number


@primitive("show", host=True)
def show(host: Host, x: Value) -> Value:
    """Write the console text of a value; returns the generic null."""
    text = host.display(x)
    host.write(text + "\n" if text else "")
    return NIL


@primitive("type")
def type_(x: Value) -> Value:
    """Type number as a short."""
    from q_runtime.values.vectors import Atom

    t = type_number(x)
    if is_enum(x):
        t = qt.FIRST_ENUM if t > 0 else -qt.FIRST_ENUM
    return Atom(-5, t)
