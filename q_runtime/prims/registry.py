"""The one table of primitives: name or glyph to function.

A primitive is registered with `@primitive(name, ranks...)`. One that applies functions or reads session
state is marked `host=True` and takes a `Host` first, so that primitives never import evaluate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol

from q_runtime.errors import Frame, QError
from q_runtime.lang.keywords import INFIX
from q_runtime.prims.kforms import shown_of, type_of
from q_runtime.values.functions import Prim, View
from q_runtime.values.vectors import CHARS, Value


class Connections(Protocol):
    """Connections to other q processes, by handle; a host that grants them gives the session one of these."""

    def open(self, target: Value) -> int:
        """Connect as `hopen` says; QError('hop. ...') when that fails."""

    def close(self, handle: int) -> None:
        """Close a connection."""

    def ask(self, handle: int, message: Value) -> Value:
        """Send a message and return the answer."""

    def tell(self, handle: int, message: Value) -> None:
        """Send a message to which no answer comes."""

    def listen(self, place: str) -> int:
        """Listen at a place as the command `p` says; return the port, 0 for none."""


Names = tuple[str, ...]


class Host(Protocol):
    """What a primitive may ask of the session that runs it."""

    random: Any
    """Generator of pseudo-random numbers, seeded per session."""

    precision: int
    """Significant digits of a float on the console."""

    connections: Connections | None
    """Connections to other processes, where the host grants them."""

    def apply(self, f: Value, args: Sequence[Value]) -> Value:
        """Apply a function, list or dictionary to arguments."""

    def get_global(self, name: str) -> Value:
        """Read a global variable; QError(name) when there is none."""

    def set_global(self, name: str, value: Value) -> None:
        """Assign a global variable."""

    def evaluate(self, text: str) -> Value:
        """Evaluate q text in the root namespace."""

    def parse_tree(self, text: str) -> Value:
        """Return the parse tree of q text."""

    def evaluate_tree(self, tree: Value, *, can_update: bool = True) -> Value:
        """Evaluate a parse tree; QError('noupdate') when it changes a global and may not."""

    def view_parts(self, view: View) -> Value:
        """Return the value, the tree, the dependencies and the text of a view."""

    def view_names(self) -> list[str]:
        """Return the names of the views, sorted."""

    def view_text(self, name: str) -> str:
        """Return the text of a view; QError('view') when there is none."""

    def run_command(self, text: str) -> Value:
        """Run a console command (without its backslash)."""

    def value_of_list(self, x: Value) -> Value:
        """Apply the first item of a list to the others, as `value` does."""

    def clock(self, what: str) -> Value:
        """Read `.z.p`, `.z.d` and so on."""

    def refuse(self, word: str, detail: str = "") -> NoReturn:
        """Note that q code asked for something outside the session, and signal 'access."""

    def namespace_keys(self, name: str) -> list[str] | None:
        """Return the keys of a namespace; None when there is no such namespace."""

    def lambda_names(self, source: str) -> tuple[Names, Names, Names, tuple[Any, ...]]:
        """Return the parameters, the other locals, the globals and the constants of the lambda that a text is."""

    def name_of(self, f: Value) -> str:
        """Return the full name of the first variable that holds a function; empty where none does."""

    def lambda_from(self, source: str, namespace: str = "") -> Value:
        """Make a function of its source text."""

    def display(self, value: Value) -> str:
        """Return the console text of a value."""

    def query_form(self, glyph: str, args: list[Value]) -> Value:
        """Run a functional query: `?` with three to six arguments, or `!` with four."""

    def calls(self, trap: Frame | None = None, error: QError | None = None) -> list[Frame]:
        """Return the calls under way, the outermost first, and behind a trap those that led to the error it caught."""

    def write(self, text: str) -> None:
        """Write console output."""


PRIMITIVES: dict[str, Prim] = {}
"""Operators and keywords, known when text is compiled."""

MEMBERS: dict[str, Prim] = {}
"""Members of the built-in namespaces, such as `.Q.f`, by full name: globals that q code may replace."""

CONSTANTS: dict[str, Value] = {"csv": CHARS[ord(",")]}
"""Keywords that are not functions."""


def is_member_name(name: str) -> bool:
    """Say whether a primitive is named like a member of a namespace."""
    return name[:1] == "." and name[1:2].isalpha()


def primitive(
    name: str, *ranks: int, host: bool = False, atomic: bool = False
) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Register the decorated function as primitive `name`, callable with any of `ranks` arguments."""

    def register(fn: Callable[..., Value]) -> Callable[..., Value]:
        if name in PRIMITIVES or name in MEMBERS:
            raise ValueError(f"primitive {name!r} is registered twice")
        if is_member_name(name):
            made = MEMBERS[name] = Prim(name, fn, ranks or (1,), needs_host=host)
            made.shown, made.t = "", 100
            return fn
        infix = name in INFIX or not name[0].isalpha()
        made = PRIMITIVES[name] = Prim(
            name, fn, ranks or (1,), needs_host=host, infix=infix and ranks != (1,), atomic=atomic
        )
        made.shown, made.t = shown_of(name), type_of(name, made.rank)
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
        if glyph in PRIMITIVES:
            continue
        made = PRIMITIVES[name]
        if made.shown != glyph:
            made = Prim(glyph, made.fn, (1,), needs_host=made.needs_host, atomic=made.atomic)
        PRIMITIVES[glyph] = made
