"""Text forms of values: show, .Q.s, .Q.s1, and parsing kept apart in casting."""

from __future__ import annotations

from q_runtime.errors import UnsupportedFeature
from q_runtime.prims.registry import Host, primitive
from q_runtime.values import qtypes as qt
from q_runtime.values.enums import is_enum
from q_runtime.values.functions import NIL
from q_runtime.values.literal import literal
from q_runtime.values.vectors import CHARS, Value, string, type_number


@primitive("show", host=True)
def show(host: Host, x: Value) -> Value:
    """Write the console text of a value; returns the generic null."""
    text = host.display(x)
    host.write(text + "\n" if text else "")
    return NIL


@primitive(".Q.s", host=True)
def console_text(host: Host, x: Value) -> Value:
    """Console text of a value as a string."""
    text = host.display(x)
    return string(text + "\n" if text else "")


@primitive(".Q.s1")
def one_line(x: Value) -> Value:
    """One-line text of a value, as q source where there is such a form."""
    return string(literal(x))


@primitive(".Q.ty")
def type_letter(x: Value) -> Value:
    """Letter of a value's type: lower case for a vector, capital for a list of such vectors."""
    t = type_number(x)
    if 0 < t < 20:
        return CHARS[ord(qt.LETTERS[t])]
    return CHARS[32]


@primitive("type")
def type_(x: Value) -> Value:
    """Type number as a short."""
    from q_runtime.values.vectors import Atom

    t = type_number(x)
    if is_enum(x):
        t = qt.FIRST_ENUM if t > 0 else -qt.FIRST_ENUM
    return Atom(-5, t)


@primitive("parse")
def parse(x: Value) -> Value:
    """Parse tree of text."""
    raise UnsupportedFeature("parse is not supported yet")


@primitive("eval")
def evaluate(x: Value) -> Value:
    """Evaluate a parse tree."""
    raise UnsupportedFeature("eval is not supported yet")


@primitive(".Q.f", 2)
def fixed(x: Value, y: Value) -> Value:
    """A number as text with `x` decimal places."""
    from q_runtime.prims.lists import integer
    from q_runtime.values.vectors import collapse, is_list, items_of, raw_of

    if is_list(y):
        return collapse([fixed(x, i) for i in items_of(y)])
    return string(f"{raw_of(y):.{integer(x, '.Q.f')}f}")


@primitive(".Q.fmt", 3)
def formatted(x: Value, y: Value, z: Value) -> Value:
    """A number as text `x` wide with `y` decimal places."""
    from q_runtime.prims.lists import integer
    from q_runtime.values.vectors import collapse, is_list, items_of, text_of

    if is_list(z):
        return collapse([formatted(x, y, i) for i in items_of(z)])
    return string(text_of(fixed(y, z)).rjust(integer(x, ".Q.fmt")))
