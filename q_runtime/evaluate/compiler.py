"""q to Python: one Python function per lambda or per statement.

Expressions become three-address statements, because q evaluates right to left. Arithmetic and comparison
on longs (and sums of floats) are written inline, guarded by exact type checks; everything else calls the
primitive. A table from Python lines to spans lets an error name its place in the q text.

The result of compiling is independent of any session (`Unit`), cached by text, and linked to a session by
calling its `make`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from q_runtime.errors import UnsupportedFeature
from q_runtime.evaluate.checks import check_body
from q_runtime.evaluate.codegen import Operand, Writer, python_name
from q_runtime.evaluate.expressions import ExpressionCompiler
from q_runtime.evaluate.locals import uses
from q_runtime.evaluate.places import OriginKind, new_file, remember
from q_runtime.evaluate.scopes import local_names
from q_runtime.evaluate.shapes import ANY, Shape
from q_runtime.evaluate.steady import Steady, candidates
from q_runtime.lang import nodes as nd
from q_runtime.lang.parser import parse
from q_runtime.lang.walk import inside
from q_runtime.values.functions import NIL

_CACHE_SIZE = 4096
_MAX_PASSES = 8


class Unit:
    """Compiled text: `make(runtime, constants...)` returns the Python function."""

    __slots__ = ("constants", "make", "params")

    def __init__(
        self, make: Callable[..., Any], constants: list[Any], params: tuple[str, ...]
    ) -> None:
        self.make = make
        self.constants = constants
        self.params = params


class LambdaSpec:
    """A lambda met in the text: its source, parameters and, once needed, its compiled unit."""

    def __init__(self, node: nd.LambdaNode) -> None:
        self.source = node.source
        self.params, self.locals = local_names(node)
        self.node = node
        self.is_local = frozenset((*self.params, *self.locals))
        self.unit: dict[tuple[str, tuple[Shape, ...], Steady], Unit] = {}

    @cached_property
    def steady(self) -> tuple[frozenset[str], frozenset[str]] | None:
        """The names of globals that are steady if they are data, and of those that are then applied."""
        return candidates(inside(self.node), self.is_local)

    def compiled(
        self, namespace: str, arguments: tuple[Shape, ...] = (), steady: Steady = ()
    ) -> Unit:
        """Compile for a namespace, for arguments of certain shapes and for certain steady globals, once."""
        key = (namespace, arguments, steady)
        unit = self.unit.get(key)
        if unit is None:
            node = self.node
            compiler = FunctionCompiler(node.source, node.start, self, namespace)
            unit = self.unit[key] = compiler.lambda_unit(arguments, steady)
        return unit


class FunctionCompiler(ExpressionCompiler):
    """Compiles one function body."""

    kind: OriginKind = "lambda"

    def __init__(
        self,
        source: str,
        base: int,
        spec: LambdaSpec | None,
        namespace: str,
    ) -> None:
        self.source = source
        self.base = base
        self.spec = spec
        self.namespace = namespace
        self.is_local = spec.is_local if spec else frozenset()
        self.params = frozenset(spec.params) if spec else frozenset()
        self.by_item: set[str] = set()
        self.varying: set[str] = set()
        self.steady = {}
        self.begin({})

    def begin(self, assumed: dict[str, Shape]) -> None:
        """Start to compile, with what is known of locals."""
        self.writer = Writer()
        self.constants: list[Any] = []
        self.places = {}
        self.n_temps = 0
        self.n_loops = 0
        self.is_leaf = True
        self.enters_in_loop = False
        self.effect = None
        self.found = None
        self.assumed = assumed
        self.shapes = dict(assumed)
        self.assigned = set(self.spec.params) if self.spec else set()
        self.was_read = set()
        self.unset = set()
        self.is_stable = True

    def lambda_unit(self, arguments: tuple[Shape, ...] = (), steady: Steady = ()) -> Unit:
        """Compile the body of a lambda, for arguments and globals of certain shapes or for any."""
        spec = self.spec
        assert spec is not None
        body = spec.node.body
        by_item, self.varying = uses(inside(spec.node))
        self.by_item = by_item & self.is_local
        known = dict.fromkeys(spec.params, ANY) | dict(zip(spec.params, arguments, strict=False))
        self.steady = dict(steady)
        self.settle_shapes(body, known)
        if self.places and not self.is_leaf:
            self.steady = {}
            self.settle_shapes(body, known)
        params = ", ".join(map(python_name, spec.params or ("x",)))
        prologue = self.entry_guard(spec.params)
        cells = self.steady_cells()
        if cells:
            prologue.insert(0, f"nonlocal {', '.join(cells)}")
        prologue += self.steady_guard(params)
        prologue += [f"{python_name(n)} = EMPTY" for n in spec.locals if n in self.unset]
        return self.finish([f"def f({params}, d=None):"], prologue, spec.params)

    def settle_shapes(self, body: list[nd.Node], assumed: dict[str, Shape]) -> None:
        """Compile until what the code relies on is what all assignments have in common."""
        for _ in range(_MAX_PASSES):
            self.begin(assumed)
            self.body(body)
            if self.is_stable:
                return
            assumed = self.shapes
        self.begin(dict.fromkeys(self.is_local, ANY))
        self.body(body)

    def statement_unit(self, body: list[nd.Node]) -> Unit:
        """Compile statements typed at the top level."""
        self.body(body)
        return self.finish(["def f():"], [], ())

    def body(self, statements: list[nd.Node]) -> None:
        """Compile statements; the value of the last one is returned."""
        for statement in statements[:-1]:
            if not isinstance(statement, nd.Elided):
                self.perform(statement)
        last = statements[-1] if statements else None
        if last is None or isinstance(last, nd.Elided):
            self.leave(Operand(self.constant(NIL)))
        else:
            self.tail(last)

    def finish(self, head: list[str], prologue: list[str], params: tuple[str, ...]) -> Unit:
        """Assemble the Python text and compile it."""
        names = "".join(f", k{i}" for i in range(len(self.constants)))
        lines = [f"def make(rt, B, MAXD, G, at, call, project{names}):"]
        lines += [f" {name} = UNSEEN" for name in self.steady_cells()]
        lines += [f" {h}" for h in head]
        lines += [f"  {p}" for p in prologue]
        nodes: list[nd.Node | None] = [None] * len(lines)
        lines += [text for text, _ in self.writer.lines]
        nodes += [node for _, node in self.writer.lines]
        lines.append(" return f")
        file = new_file()
        try:
            code = compile("\n".join(lines), file, "exec")
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise UnsupportedFeature(f"text too deeply nested to compile: {error}") from error
        remember(
            file, self.source, self.base, nodes, "statement" if self.spec is None else self.kind
        )
        space: dict[str, Any] = {}
        exec(code, HELPERS, space)
        return Unit(space["make"], self.constants, params)


class ClauseCompiler(FunctionCompiler):
    """Compiles an expression of a query as a function of the names in it; it is no call of q."""

    kind: OriginKind = "clause"


HELPERS: dict[str, Any] = {}
"""Globals of all compiled code: primitives and classes; filled once by the interpreter module."""

_statement_cache: dict[str, list[nd.Node]] = {}
_checked_cache: dict[str, list[nd.Node]] = {}


def parse_cached(text: str) -> list[nd.Node]:
    """Parse a statement, remembering the tree by text."""
    hit = _statement_cache.get(text)
    if hit is None:
        if len(_statement_cache) > _CACHE_SIZE:
            _statement_cache.clear()
        hit = _statement_cache[text] = parse(text)
    return hit


def parse_checked(text: str) -> list[nd.Node]:
    """Parse a statement, and report at once what kdb+ refuses when it reads it; remembered by text."""
    hit = _checked_cache.get(text)
    if hit is None:
        nodes = parse_cached(text)
        for node in nodes:
            check_body(node, text)
        if len(_checked_cache) > _CACHE_SIZE:
            _checked_cache.clear()
        hit = _checked_cache[text] = nodes
    return hit


_lambda_cache: dict[str, LambdaSpec] = {}
_unit_cache: dict[tuple[str, str], Unit] = {}


def lambda_spec(node: nd.LambdaNode) -> LambdaSpec:
    """Return the spec of a lambda node, shared by all lambdas of the same text."""
    spec = _lambda_cache.get(node.source)
    if spec is None:
        if len(_lambda_cache) > _CACHE_SIZE:
            _lambda_cache.clear()
        check_body(node)
        spec = _lambda_cache[node.source] = LambdaSpec(node)
    return spec


def statement_unit(text: str, nodes: list[nd.Node], namespace: str) -> Unit:
    """Compile the statements of `text` for the top level of a namespace, cached."""
    key = (text, namespace)
    unit = _unit_cache.get(key)
    if unit is None:
        if len(_unit_cache) > _CACHE_SIZE:
            _unit_cache.clear()
        unit = FunctionCompiler(text, 0, None, namespace).statement_unit(nodes)
        _unit_cache[key] = unit
    return unit
