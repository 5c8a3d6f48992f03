"""What `value` tells of a function: the code of a primitive, the parts of one made of others, the names of a lambda.

What this deliberately does not do: the byte code of a lambda, whose instructions KX does not document, and the places
in the text that go with it. Looking at those two parts is a gap.
"""

from __future__ import annotations

from typing import Any, NoReturn

from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.prims.compare import matches
from q_runtime.prims.registry import PRIMITIVES, Host
from q_runtime.values.codec import composed
from q_runtime.values.functions import (
    Composition,
    Derived,
    IteratorValue,
    Lambda,
    Nil,
    Prim,
    Projection,
)
from q_runtime.values.opcodes import ALIASES, BINARY, COMPOSED, ITERATORS, NEGATED, UNARY
from q_runtime.values.vectors import GList, Value, string, symbols


class Unknown:
    """A part of a lambda that this engine has not; whatever looks at it meets a gap."""

    __slots__ = ()

    @property
    def t(self) -> NoReturn:
        """No type number."""
        raise UnsupportedFeature("the byte code of a lambda is not supported")


UNKNOWN = Unknown()


def parts_of(host: Host, x: Value) -> Value:
    """Return the value of a function.

    Raises: UnsupportedFeature for a keyword that kdb+ defines by a lambda in k.
    """
    if type(x) is Nil:
        return 0
    if type(x) is IteratorValue:
        return ITERATORS.index(x.glyph)
    if type(x) is Derived:
        return x.f
    if type(x) is Projection:
        return GList([x.f, *x.args[: x.given]])
    if type(x) is Composition:
        return GList([x.f, x.g])
    if type(x) is Lambda:
        return _lambda_parts(host, x)
    if type(x) is Prim:
        return _primitive_parts(host, x)
    raise QError("type")


def _primitive_parts(host: Host, f: Prim) -> Value:
    name = ALIASES.get(f.name, f.name)
    if name in NEGATED:
        return GList([PRIMITIVES["not"], PRIMITIVES[NEGATED[name]]])
    if name in COMPOSED:
        return parts_of(host, composed(name, PRIMITIVES.__getitem__))
    if 106 <= f.t <= 111:
        return PRIMITIVES[f.shown.rstrip("/\\':") or ":"]
    for codes in (BINARY, UNARY):
        if name in codes and (codes is BINARY) == (f.t == 102):
            return codes.index(name)
    raise UnsupportedFeature(f"the value of {f.name} is not supported yet")


def _lambda_parts(host: Host, f: Lambda) -> Value:
    """Byte code, parameters, locals, namespace and globals, the constants, places, name, file, line, text."""
    parameters, others, used, constants = host.lambda_names(f.source)
    space = f.namespace.removeprefix(".")
    name = host.name_of(f)
    return GList(
        [
            UNKNOWN,
            symbols(parameters or f.params or ("x",)),
            symbols(others),
            symbols((space, *used)),
            *_constants(host, f, constants),
            UNKNOWN,
            string(name if name[0] == "." else f"..{name}") if name else GList([]),
            string(""),
            -1,
            string(f.source),
        ]
    )


def _constants(host: Host, f: Lambda, found: tuple[Any, ...]) -> list[Value]:
    """Return the literals of a lambda, each once; those written inside it as functions."""
    out: list[Value] = []
    for one in found:
        value = host.lambda_from(one.source, f.namespace) if hasattr(one, "source") else one
        if not any(matches(value, other) for other in out):
            out.append(value)
    return out
