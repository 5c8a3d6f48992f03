"""The one table of primitives: name or glyph to function.

A primitive is registered with `@primitive(name, ranks...)`. One that applies functions or reads session
state is marked `host=True` and takes a `Host` first, so that primitives never import evaluate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from q_runtime.lang.keywords import INFIX
from q_runtime.values.functions import Prim
from q_runtime.values.vectors import Value


class Host(Protocol):
    """What a primitive may ask of the session that runs it."""

    random: Any
    """Generator of pseudo-random numbers, seeded per session."""

    def apply(self, f: Value, args: Sequence[Value]) -> Value:
        """Apply a function, list or dictionary to arguments."""

    def get_global(self, name: str) -> Value:
        """Read a global variable; QError(name) when there is none."""

    def set_global(self, name: str, value: Value) -> None:
        """Assign a global variable."""

    def evaluate(self, text: str) -> Value:
        """Evaluate q text in the root namespace."""

    def clock(self, what: str) -> Value:
        """Read the clock in the form of `.z.p`, `.z.d` and so on."""

    def display(self, value: Value) -> str:
        """Return the console text of a value."""

    def query_form(self, glyph: str, args: list[Value]) -> Value:
        """Run a functional query: `?` with three to six arguments, or `!` with four."""

    def write(self, text: str) -> None:
        """Write console output."""


PRIMITIVES: dict[str, Prim] = {}


def primitive(
    name: str, *ranks: int, host: bool = False, atomic: bool = False
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Register the decorated function as primitive `name`, callable with any of `ranks` arguments."""

    def register(fn: Callable[..., Value]) -> Callable[..., Value]:
        if name in PRIMITIVES:
            raise ValueError(f"primitive {name!r} is registered twice")
        infix = name in INFIX or not name[0].isalpha()
        PRIMITIVES[name] = Prim(
            name, fn, ranks or (1,), needs_host=host, infix=infix and ranks != (1,), atomic=atomic
        )
        return fn

    return register


def alias(name: str, target: str) -> None:
    """Register `name` as another name of `target`."""
    PRIMITIVES[name] = PRIMITIVES[target]


UNARY_GLYPHS = {
    "+:": "flip", "-:": "neg", "*:": "first", "%:": "reciprocal", "&:": "where", "|:": "reverse",
    "^:": "null", "=:": "group", "<:": "iasc", ">:": "idesc", "$:": "string", ",:": "enlist",
    "#:": "count", "_:": "floor", "~:": "not", "!:": "key", "?:": "distinct", "@:": "type",
    ".:": "value",
}  # fmt: skip
"""The one-argument forms of the operators, by the keyword that does the same."""


def alias_unary_glyphs() -> None:
    """Register `#:` and its like once their keywords are known."""
    for glyph, name in UNARY_GLYPHS.items():
        PRIMITIVES.setdefault(glyph, PRIMITIVES[name])
