"""The interpreter of one session: links compiled code to its globals, runs text, answers primitives.

It implements the Host of prims/registry.py. Limits, threads and console text belong to session.py.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NoReturn

from q_runtime import prims
from q_runtime.errors import Frame, QError
from q_runtime.evaluate import compiler, dotz, languages
from q_runtime.evaluate.apply import Applier, compose, derive, signal, times, truth
from q_runtime.evaluate.builtins import find_member, member_names
from q_runtime.evaluate.codegen import primitive_name
from q_runtime.evaluate.compiler import HELPERS, LambdaSpec, Unit
from q_runtime.evaluate.dotz import check_assignable
from q_runtime.evaluate.lambda_names import LambdaNames, names_of
from q_runtime.evaluate.locals import HELPERS as NULL_HELPERS
from q_runtime.evaluate.owned import atoms_of, own_join, own_set
from q_runtime.evaluate.places import calls_to, calls_under_way, keep_calls, locate, named
from q_runtime.evaluate.scopes import Globals
from q_runtime.evaluate.shapes import Shape, shape_of
from q_runtime.evaluate.short import HELPERS as SHORT_HELPERS
from q_runtime.evaluate.steady import HELPERS as STEADY_HELPERS
from q_runtime.evaluate.steady import Steady, steady_globals
from q_runtime.evaluate.views import depends_on, view_parts
from q_runtime.lang import nodes as nd
from q_runtime.lang.tokenizer import language_of, statements
from q_runtime.limits import Budget, Limits
from q_runtime.prims.registry import CONSTANTS, PRIMITIVES, Connections
from q_runtime.values.enums import Domains
from q_runtime.values.functions import NIL, Lambda, View
from q_runtime.values.vectors import Atom, GList, Value, Vec, collapse, length

DEFAULT_SEED = 314159


def _fill_helpers() -> None:
    """Give compiled code its global names: classes, services and one function per primitive."""
    if "Lambda" in HELPERS:
        return
    prims.load()
    from q_runtime.prims.amend import amend
    from q_runtime.prims.arith import wrapped
    from q_runtime.prims.joining import append_assign

    HELPERS.update(
        Lambda=Lambda, Vec=Vec, GList=GList, EMPTY=GList([]), collapse=collapse, compose=compose,
        derive=derive, signal=signal, times=times, truth=truth, amend=amend,
        append_assign=append_assign, atoms_of=atoms_of, own_join=own_join, own_set=own_set,
        wrapped=wrapped, Atom=Atom, LISTS=(Vec, GList), **NULL_HELPERS, **STEADY_HELPERS, **SHORT_HELPERS,
    )  # fmt: skip
    for name, prim in PRIMITIVES.items():
        HELPERS[primitive_name(name)] = prim.fn
    HELPERS[primitive_name("count")] = length


class Interpreter(Applier):
    """Runs q text against its own globals."""

    def __init__(self, limits: Limits, clock_ns: Callable[[], int] = time.time_ns) -> None:
        _fill_helpers()
        self.budget = Budget(limits)
        self.globals = Globals(self.member, member_names, self.evaluate_in)
        self.clock_ns = clock_ns
        self.is_running = False
        """Whether a script is being run: text that a script runs in its turn is part of it."""
        self.is_restricted = False
        """Whether what is being evaluated may not change a global."""
        self.members: dict[str, Value] = {}
        """Members of the built-in namespaces that have been used; an assignment stands before them."""
        self.denied: list[str] = []
        self.domains = Domains(self.globals.find)
        self.random = Random(DEFAULT_SEED)
        self.seed = -DEFAULT_SEED
        self.output: list[str] = []
        self.precision = 7
        self.console_size = (25, 80)
        self.browser_size = (36, 2000)
        self.settings: dict[str, int] = {}
        """Settings of the console commands that were changed, by letter."""
        self.peer = dotz.NOBODY
        """For whom q is evaluated; a host that serves clients sets it."""
        self.connections: Connections | None = None
        """Connections to other processes, where the host grants them."""
        self.facts: dict[str, Callable[[], Value]] = {}
        """Members of `.z` that the host tells, by their letter."""
        self._selves: dict[Any, tuple[Lambda, LambdaSpec]] = {}
        self._general: dict[Any, Callable[..., Value]] = {}

    # -- linking

    def link(self, unit: Unit, namespace: str) -> Callable[..., Value]:
        """Make the Python function of a compiled unit for this session."""
        constants = [
            self.make_lambda(k, namespace) if type(k) is LambdaSpec else k for k in unit.constants
        ]
        return unit.make(
            self,
            self.budget,
            self.budget.max_depth,
            self.globals.values,
            self.at,
            self.apply,
            self.project,
            *constants,
        )

    def make_lambda(self, spec: LambdaSpec, namespace: str) -> Lambda:
        """Make a lambda value; it is compiled when first called."""
        made = Lambda(spec.source, spec.params, namespace)

        def prepare(args: Sequence[Value]) -> None:
            shapes = tuple(shape_of(x) for x in args[: len(spec.params)])
            known = shapes if any(s.kind for s in shapes) else ()
            made.fn = self.code_of(spec, made, known, self.steady(spec, namespace))
            made.prepare = None

        def first_call(*args: Value) -> Value:
            if made.prepare is not None:
                prepare(args)
            return made.fn(*args)

        made.fn, made.prepare = first_call, prepare
        return made

    def code_of(
        self, spec: LambdaSpec, made: Lambda, shapes: tuple[Shape, ...], steady: Steady = ()
    ) -> Callable[..., Value]:
        """Compile a lambda for arguments and globals of certain shapes, or for any."""
        fn = self.link(spec.compiled(made.namespace, shapes, steady), made.namespace)
        self._selves[fn] = (made, spec)
        return fn

    def steady(self, spec: LambdaSpec, namespace: str) -> Steady:
        """What is known of the globals that a lambda reads and that nothing can change while it runs."""
        if spec.steady is None or not spec.steady[0]:
            return ()
        values = self.globals.values
        return steady_globals(
            *spec.steady, values, lambda name: self.globals.full_name(name, namespace)
        )

    def general(self, fn: Any, args: tuple[Value, ...], depth: int | None) -> Value:
        """Apply the lambda whose function is `fn` to arguments for which that was not compiled."""
        made, spec = self._selves[fn]
        code = self._general.get(fn)
        if code is None:
            code = self._general[fn] = self.code_of(spec, made, ())
        return code(*args, depth)

    def self_of(self, fn: Any) -> Lambda:
        """Return the lambda whose function `fn` is (the value of `.z.s`)."""
        return self._selves[fn][0]

    def lambda_from(self, source: str, namespace: str = "") -> Lambda:
        """Make a lambda from its source text."""
        nodes = compiler.parse_cached(source)
        if len(nodes) != 1 or not isinstance(nodes[0], nd.LambdaNode):
            raise QError("type", "not the text of a function")
        return self.make_lambda(compiler.lambda_spec(nodes[0]), namespace)

    # -- running text

    def run(
        self,
        source: str,
        on_value: Callable[[Value, bool], None] | None = None,
        *,
        is_script: bool = False,
    ) -> Value:
        """Run a text or a script, statement by statement; return the value of the last expression.

        `on_value` is told each statement's value and whether a console would stay silent about it.
        """
        result: Value = NIL
        is_outermost, self.is_running = not self.is_running, True
        try:
            for offset, text in statements(source, is_script=is_script):
                try:
                    result, silent = self.statement(text)
                except QError as error:
                    locate(error, source, offset, text)
                    raise
                except (RecursionError, MemoryError) as fault:
                    if not is_outermost:
                        raise
                    raise resource_error(fault, source, offset, text) from None
                if on_value is not None:
                    on_value(result, silent)
        finally:
            self.is_running = not is_outermost
        return result

    def statement(self, text: str) -> tuple[Value, bool]:
        """Run one statement text; returns its value and whether a console stays silent."""
        if text.startswith("\\"):
            from q_runtime.evaluate.commands import run_command

            return run_command(self, text[1:].rstrip())
        letter = language_of(text)
        if letter == "q":
            return self.statement(text[2:].lstrip())
        if letter and letter != "k":
            return languages.evaluated(self, letter, text[2:].rstrip("\n")), False
        nodes = compiler.parse_checked(text)
        silent = is_silent(nodes[-1])
        if is_view(nodes[0]):
            self._define_view(text, nodes)
            return NIL, True
        value: Value = NIL
        simple = self._simple(nodes)
        if simple is not None:
            return simple, silent
        unit = compiler.statement_unit(text, nodes, self.globals.namespace)
        value = self.link(unit, self.globals.namespace)()
        return value, silent

    def _define_view(self, text: str, nodes: list[nd.Node]) -> None:
        """Make a view of `name::` and all that follows it in the statement."""
        node = nodes[0]
        assert isinstance(node, nd.Assign)
        body = text[node.value.start : nodes[-1].end]
        tree = self.parse_tree(body)
        full = self.globals.full_name
        reads = [full(name) for name in depends_on(tree)]
        self.globals.views.define(View(full(node.name), body, tree, reads, self.globals.namespace))

    def _simple(self, nodes: list[nd.Node]) -> Value | None:
        """Run a definition or a literal without compiling."""
        if len(nodes) != 1:
            return None
        node = nodes[0]
        if isinstance(node, nd.Constant):
            return node.value
        if isinstance(node, nd.LambdaNode):
            return self.make_lambda(compiler.lambda_spec(node), self.globals.namespace)
        if isinstance(node, nd.Assign) and not node.indexed and node.verb is None:
            value = self._simple([node.value])
            if value is not None:
                self.set_global(self.globals.full_name(node.name), value)
            return value
        return None

    # -- Host

    def calls(self, trap: Frame | None = None, error: QError | None = None) -> list[Frame]:
        """Return the calls under way, the outermost first, and behind a trap those that led to the error it caught."""
        frames = calls_under_way(sys._getframe(1))
        if trap is not None:
            frames.append(trap)
        if error is not None:
            frames += calls_to(error)
        return named(frames, self.globals.values)

    def name_calls(self, error: QError) -> None:
        """Tell an error that leaves the session which calls led to it, by name."""
        if not error.frames:
            keep_calls(error)
        error.frames = tuple(named(error.frames, self.globals.values))

    def get_global(self, name: str) -> Value:
        """Read a global by name as written; the name of a file or process is refused."""
        if name[:1] == ":":
            self.refuse(name)
        return self.globals.get(self.globals.full_name(name))

    def set_global(self, name: str, value: Value) -> None:
        """Assign a global by name; one without a dot at its head is in the current namespace.

        Raises: QError('type') for the empty name; QError('assign').
        """
        if not name:
            raise QError("type", "a variable has a name")
        name = self.globals.full_name(name)
        if name.startswith(".z."):
            check_assignable(name)
        self.globals.set(name, value)

    def missing(self, name: str, full: str) -> Value:
        """Find a global that is not stored under its full name.

        Raises: QError(name).
        """
        if name in CONSTANTS:
            return CONSTANTS[name]
        if full != name and name in PRIMITIVES:
            return PRIMITIVES[name]
        try:
            return self.globals.get(full)
        except QError as error:
            if error.code != full:
                raise
            raise QError(name, "not defined") from None

    def member(self, name: str) -> Value | None:
        """Return a member of a built-in namespace, None when `name` is none."""
        return find_member(self, name)

    def namespace_keys(self, name: str) -> list[str] | None:
        """Return the keys of a namespace as a dictionary; None when there is no such namespace."""
        return self.globals.keys_of(name)

    def evaluate(self, text: str) -> Value:
        """Evaluate text in the current namespace; `::` when its last statement would print nothing."""
        silent = False

        def note(_: Value, is_silent: bool) -> None:
            nonlocal silent
            silent = is_silent

        value = self.run(text, note)
        return NIL if silent else value

    def evaluate_in(self, text: str, namespace: str) -> Value:
        """Evaluate one expression as if it stood in another namespace."""
        nodes = compiler.parse_cached(text)
        return self.link(compiler.statement_unit(text, nodes, namespace), namespace)()

    def parse_tree(self, text: str) -> Value:
        """Return the parse tree of q text."""
        from q_runtime.evaluate.trees import parse_tree

        return parse_tree(text, self._lambda_of)

    def _lambda_of(self, node: nd.LambdaNode) -> Lambda:
        return self.make_lambda(compiler.lambda_spec(node), self.globals.namespace)

    def evaluate_tree(self, tree: Value, *, can_update: bool = True) -> Value:
        """Evaluate a parse tree.

        Raises: QError('noupdate') when it changed a global and may not; the change is undone.
        """
        from q_runtime.evaluate.tree_eval import TreeEvaluator

        before = None if can_update else dict(self.globals.values)
        was_restricted, self.is_restricted = (
            self.is_restricted,
            self.is_restricted or not can_update,
        )
        try:
            return TreeEvaluator(self).value(tree)
        finally:
            self.is_restricted = was_restricted
            if before is not None and self.globals.restore(before):
                raise QError("noupdate", "a restricted evaluation may not change a global")

    def view_parts(self, view: View) -> Value:
        """Return what `value` gives for a view."""
        return view_parts(view)

    def lambda_names(self, source: str) -> LambdaNames:
        """Return the parameters, the other locals, the globals and the constants of the lambda that a text is."""
        return names_of(source)

    def name_of(self, f: Value) -> str:
        """Return the full name of the first variable that holds a function; empty where none does."""
        return next((name for name, value in self.globals.values.items() if value is f), "")

    def view_names(self) -> list[str]:
        """Return the names of the views, sorted."""
        return self.globals.views.names()

    def view_text(self, name: str) -> str:
        """Return the text of a view.

        Raises: QError('view') when there is no such view.
        """
        found = self.globals.views.find(self.globals.full_name(name))
        if found is None:
            raise QError("view", f"{name} is not a view")
        return found.text

    def run_command(self, text: str) -> Value:
        """Run a console command (without its backslash)."""
        from q_runtime.evaluate.commands import run_command

        return run_command(self, text.rstrip())[0]

    def apply_char(self, char: str, args: Sequence[Value]) -> Value:
        """Apply a char: the name of a language, or a mark that the parser puts at the head of a tree."""
        return languages.apply_char(self, char, args)

    def value_of_list(self, x: Value) -> Value:
        """Apply the first item of a list to the others, as `value` does."""
        from q_runtime.evaluate.tree_eval import value_of_list

        return value_of_list(self, x)

    def clock(self, what: str) -> Value:
        """Read `.z.<what>`.

        Raises: QError when there is no such member.
        """
        value = dotz.read(self, what)
        if value is None:
            raise QError(f".z.{what}", "not defined")
        return value

    def refuse(self, word: str, detail: str = "") -> NoReturn:
        """Note that q code asked for something outside the session.

        Raises: QError('access') always.
        """
        self.denied.append(word)
        raise QError("access", detail or f"{word} is not available in this session")

    def display(self, value: Value) -> str:
        """Return the console text of a value."""
        from q_runtime.display import show

        return show(value, self.console_size, self.precision)

    def write(self, text: str) -> None:
        """Write to the console output, within the output limit."""
        from q_runtime.errors import LimitExceeded

        self.output.append(text)
        if sum(map(len, self.output)) > self.budget.limits.output_bytes:
            raise LimitExceeded("output", f"more than {self.budget.limits.output_bytes} bytes")

    def fail(self, code: str) -> None:
        """Signal an error that the compiler foresaw."""
        raise QError(code)

    def table(self, names: Vec, columns: list[Value], n_keys: int) -> Value:
        """Build a table literal."""
        from q_runtime.prims.tabular import table_literal

        return table_literal(names.a.tolist(), columns, n_keys)

    def query(self, plan: Any, source: Value, local: dict[str, Value], limit: Value) -> Value:
        """Run a query."""
        from q_runtime.evaluate.queries import run_query

        return run_query(self, plan, source, local, limit)

    def query_form(
        self, glyph: str, args: list[Value], local: dict[str, Value] | None = None
    ) -> Value:
        """Run a functional query: `?` with three to six arguments, or `!` with four.

        local: the variables of the function that calls it by its glyph.
        """
        from q_runtime.evaluate import functional

        if glyph == "!":
            return functional.functional_update(self, args, local or {})
        if len(args) == 3:
            return functional.simple_exec(self, args[0], args[1], args[2])
        return functional.functional_select(self, args, local or {})


def resource_error(
    fault: RecursionError | MemoryError, script: str, offset: int, text: str
) -> QError:
    """Return what q signals when the stack or the memory is exhausted, with its place in the script."""
    is_stack = isinstance(fault, RecursionError)
    error = QError("stack", "calls nested too deep") if is_stack else QError("wsfull")
    locate(error.with_traceback(fault.__traceback__), script, offset, text)
    return error


def is_view(node: nd.Node) -> bool:
    """Say whether a statement that begins with this node defines a view."""
    if not isinstance(node, nd.Assign) or not node.is_global:
        return False
    return not node.indexed and node.verb is None


def is_silent(node: nd.Node) -> bool:
    """Say whether a console prints nothing for a statement."""
    return isinstance(node, (nd.Assign, nd.PatternAssign, nd.Elided))
