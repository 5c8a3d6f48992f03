"""Function values: primitives, lambdas, projections, compositions and derived functions.

They only hold data; evaluate/apply.py applies them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from q_runtime.values.opcodes import NEGATED
from q_runtime.values.vectors import Value

MOST_ARGUMENTS = 8
"""How many a function has at most; `enlist` alone takes more, and with it a composition that ends in it."""


class Nil:
    """The generic null `::`, also the identity function."""

    __slots__ = ()
    t = 101


NIL = Nil()


class Hole:
    """An elided argument in a projection."""

    __slots__ = ()
    t = 101


HOLE = Hole()


class Prim:
    """A primitive: an operator or a keyword.

    `fn` takes the q arguments; when `needs_host` is set it takes the host first. `ranks` lists the
    argument counts it accepts; `rank` is the usual one.
    """

    __slots__ = (
        "atomic",
        "doc",
        "fn",
        "infix",
        "name",
        "needs_host",
        "rank",
        "ranks",
        "shown",
        "t",
    )

    def __init__(
        self,
        name: str,
        fn: Callable[..., Value],
        ranks: tuple[int, ...],
        *,
        needs_host: bool = False,
        infix: bool = False,
        atomic: bool = False,
    ) -> None:
        self.name = name
        self.fn = fn
        self.ranks = ranks
        self.rank = ranks[0]
        self.needs_host = needs_host
        self.infix = infix
        self.atomic = atomic
        self.doc = fn.__doc__ or ""
        self.t = 101 if ranks[0] == 1 else 102
        self.shown = name
        """What the console prints: the definition in k for most keywords."""

    def __repr__(self) -> str:
        return f"Prim({self.name})"


class IteratorValue:
    """A bare iterator such as `(')`."""

    __slots__ = ("glyph",)
    t = 103

    def __init__(self, glyph: str) -> None:
        self.glyph = glyph


class Lambda:
    """A lambda: its source text, parameter names and the Python function compiled from it."""

    __slots__ = ("fn", "namespace", "params", "prepare", "rank", "shown", "source")
    t = 100

    prepare: Callable[[Sequence[Value]], None] | None
    """Compiles `fn` for arguments such as these, until that is done."""

    def __init__(self, source: str, params: tuple[str, ...], namespace: str = "") -> None:
        self.source = source
        self.params = params
        self.rank = max(1, len(params))
        self.namespace = namespace
        self.fn: Callable[..., Any] = _uncompiled
        self.shown: str | None = None
        """For a member of a built-in namespace, the text that kdb+ shows for it; "" where that is not known."""
        self.prepare = None


def _uncompiled(*_: Value) -> Value:
    raise AssertionError("lambda was not linked to a session")


class Projection:
    """A function with some arguments fixed; `args` holds HOLE where one is missing.

    given: how many arguments were written, those elided between brackets included; it only matters to what is shown.
    """

    __slots__ = ("args", "f", "given", "rank")
    t = 104

    def __init__(self, f: Value, args: tuple[Value, ...], given: int | None = None) -> None:
        self.f = f
        self.args = args
        self.given = len(args) if given is None else given
        self.rank = sum(1 for a in args if a is HOLE)


class Composition:
    """`f` after `g`: the result of `g` on all arguments is passed to `f`."""

    __slots__ = ("f", "g")
    t = 105

    def __init__(self, f: Value, g: Value) -> None:
        self.f = f
        self.g = g


def negated_operator(f: Value, g: Value) -> str | None:
    """Name the operator that is the composition of `not` and an operator; None for any other two functions."""
    if type(f) is Prim and type(g) is Prim and f.name == "not":
        return next((name for name, plain in NEGATED.items() if plain == g.name), None)
    return None


class FunctionText:
    """A function of which only the source is known: what comes out of a worker can be shown, and not applied."""

    __slots__ = ("text",)
    t = 100

    def __init__(self, text: str) -> None:
        self.text = text


class View:
    """A named expression with its parse tree and its last value; evaluate/views.py evaluates it."""

    __slots__ = (
        "cached",
        "depends",
        "is_running",
        "is_valid",
        "name",
        "namespace",
        "seen",
        "text",
        "tree",
    )
    t = 104

    def __init__(
        self, name: str, text: str, tree: Value, depends: list[str], namespace: str
    ) -> None:
        self.name = name
        self.text = text
        self.tree = tree
        self.depends = depends
        self.namespace = namespace
        self.cached: Value = NIL
        self.is_valid = False
        self.is_running = False
        self.seen: list[Value] = []
        """What the variables held that it depends on when it was evaluated."""


ITERATOR_TYPES = {"'": 106, "/": 107, "\\": 108, "':": 109, "/:": 110, "\\:": 111}


class Derived:
    r"""An iterator applied to a value: `f'`, `f/`, `f\\` and so on."""

    __slots__ = ("f", "glyph", "t")

    def __init__(self, glyph: str, f: Value) -> None:
        self.glyph = glyph
        self.f = f
        self.t = ITERATOR_TYPES[glyph]


FUNCTION_CLASSES = (Prim, Lambda, Projection, Composition, Derived, IteratorValue)


def is_function(x: Value) -> bool:
    """Say whether `x` can be applied as a function (lists and dictionaries are not counted)."""
    return type(x) in FUNCTION_CLASSES


def rank_of(f: Value) -> int:
    """Return the number of arguments that `f` takes; 1 for data."""
    c = type(f)
    if c is Lambda or c is Prim or c is Projection:
        return f.rank
    if c is Composition:
        return rank_of(f.g)
    if c is Derived:
        if f.glyph == "'":
            return rank_of(f.f)
        return 2 if f.glyph in ("/:", "\\:") else 1
    return 1


def missing_arguments(f: Value, n: int) -> int:
    """Count the arguments that `f` lacks when it is given `n`; 0 where that is not known beforehand.

    A composition takes as many as its last function, and `f'` as many as `f`.
    """
    while type(f) is Composition or (type(f) is Derived and f.glyph == "'"):
        f = f.g if type(f) is Composition else f.f
    if type(f) is Prim:
        return 0 if n in f.ranks else max(f.rank - n, 0)
    return max(f.rank - n, 0) if type(f) is Lambda or type(f) is Projection else 0
