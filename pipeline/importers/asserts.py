"""Python asserts -> observations: what a row's tests call the function with, and what they demand.

The statements of a row's tests are rewritten so that they record instead of raise (`collector_prelude`), and are then
run in the sandbox together with the row's reference. Loops, locals and computed arguments therefore need no case of
their own. Where a row has no reference, the value must be stated by the assert itself, in one of these forms (`f` is
the function under test):

    f(..) == E    E == f(..)    f(..) is E    f(..)    not f(..)
    tuple(f(..)) == tuple(E)    list(f(..)) == list(E)
    set(f(..)) == set(E)    sorted(f(..)) == E                               comparator `unordered`
    abs(f(..) - E) < eps    math.isclose(f(..), E, rel_tol=, abs_tol=)       comparator `close:<eps>`
    f(..) in (E, F)         also with a list or a set that is written out    comparator `any_of`

What this deliberately does not do: run anything in this process.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.comparators import ANY_OF
from pipeline.importers.rows import RowMalformed, RowRefused, parse_python

MAX_OBSERVATIONS = 40
"""Calls kept per row; loops over random arguments make a hundred."""
COLLECT = "__collect__()"
"""The expression whose value is the list of observations."""
PRELUDE = Path(__file__).with_name("collector_prelude.py")
_COLLECTOR = "__collector__"
# The reference is fetched outside the function, because inside the candidate's name is a local one.
_FRAME = f"""
__reference__ = {{function}}
def __collect__():
    {_COLLECTOR} = _AssertCollector(__reference__, {MAX_OBSERVATIONS})
    {{candidate}} = {_COLLECTOR}.candidate
    return {_COLLECTOR}.rows
"""
_SAME_ON_BOTH_SIDES = ("tuple", "list")


@dataclass(frozen=True)
class StatedValue:
    """An assert that was understood: the call, the expression of the expected value, the comparator's expression."""

    call: ast.Call
    expected: ast.expr
    comparator: ast.expr


def build_collector(
    statements: Sequence[ast.stmt], candidate: str, entry_point: str, has_reference: bool
) -> str:
    """Source text to append to a reference: it defines what `COLLECT` evaluates.

    Args:
        statements: the body of the tests.
        candidate: the name under which they call the function.
        entry_point: the reference's name of it; ignored without a reference.
        has_reference: whether expected values come from running the reference.
    """
    rewriter = _Recording(candidate, has_reference)
    frame = ast.parse(
        _FRAME.format(function=entry_point if has_reference else None, candidate=candidate)
    )
    collect = frame.body[1]
    if not isinstance(collect, ast.FunctionDef):
        raise TypeError("the collecting function is the second statement of its frame")
    collect.body[2:2] = [rewriter.visit(copy.deepcopy(statement)) for statement in statements]
    return f"\n{PRELUDE.read_text(encoding='utf-8')}\n{ast.unparse(ast.fix_missing_locations(frame))}\n"


class _Recording(ast.NodeTransformer):
    """Replaces every assert by a statement that records what it says."""

    def __init__(self, candidate: str, has_reference: bool) -> None:
        self.candidate = candidate
        self.has_reference = has_reference

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Leave helper functions of the tests alone."""
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        """Record one assert; one that does not concern the function is only checked."""
        stated = find_stated_value(node.test, self.candidate)
        if self.has_reference or (stated is None and not _calls(node.test, self.candidate)):
            comparator = stated.comparator if stated else _closeness_of_property(node.test)
            passed = ast.Call(ast.Name("bool", ast.Load()), [node.test], [])
            acceptable = [stated.expected] if stated and stated.comparator is _ANY_OF else []
            record = _method("settle", passed, comparator, *acceptable)
        elif stated is None:
            message = ast.Constant("states no expected value, and the row has no reference")
            record = _method("add", ast.Tuple([], ast.Load()), ast.Constant(None), _EQUAL, message)
        else:
            arguments = ast.Tuple(stated.call.args, ast.Load())
            record = _method("state", arguments, stated.expected, stated.comparator)
        failure = ast.Expr(_method("fail", ast.Name("__error__", ast.Load())))
        handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), "__error__", [failure])
        return ast.Try([ast.Expr(record)], [handler], [], [])


_EQUAL = ast.Constant("equal")
_UNORDERED = ast.Constant("unordered")
_ANY_OF = ast.Constant(ANY_OF)


def _method(name: str, *arguments: ast.expr) -> ast.Call:
    method = ast.Attribute(ast.Name(_COLLECTOR, ast.Load()), name, ast.Load())
    return ast.Call(method, list(arguments), [])


def _calls(node: ast.AST, name: str) -> bool:
    return any(_is_call_of(child, name) for child in ast.walk(node))


def _is_call_of(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def find_stated_value(test: ast.expr, candidate: str) -> StatedValue | None:
    """Understand the condition of an assert, or return None."""
    if isinstance(test, ast.Call) and _is_plain_call(test, candidate):
        return StatedValue(test, ast.Constant(True), _EQUAL)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        if isinstance(test.operand, ast.Call) and _is_plain_call(test.operand, candidate):
            return StatedValue(test.operand, ast.Constant(False), _EQUAL)
        return None
    if isinstance(test, ast.Call) and _name_of(test.func) == "isclose":
        return _from_isclose(test, candidate)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    left, operator, right = test.left, test.ops[0], test.comparators[0]
    if isinstance(operator, (ast.Lt, ast.LtE)):
        return _from_distance(left, right, candidate)
    if isinstance(operator, ast.In):
        return _from_membership(left, right, candidate)
    if not isinstance(operator, (ast.Eq, ast.Is)):
        return None
    return _from_equation(left, right, candidate) or _from_equation(right, left, candidate)


def _is_plain_call(node: ast.AST, candidate: str) -> bool:
    """A call of the function by position alone, with no other call of it inside."""
    return (
        isinstance(node, ast.Call)
        and _is_call_of(node, candidate)
        and not node.keywords
        and not any(_calls(argument, candidate) for argument in node.args)
        and not any(isinstance(argument, ast.Starred) for argument in node.args)
    )


def _name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _from_equation(side: ast.expr, other: ast.expr, candidate: str) -> StatedValue | None:
    if _calls(other, candidate):
        return None
    if isinstance(side, ast.Call) and _is_plain_call(side, candidate):
        return StatedValue(side, other, _EQUAL)
    if not isinstance(side, ast.Call) or len(side.args) != 1 or side.keywords:
        return None
    call, wrapper = side.args[0], _name_of(side.func)
    if not isinstance(call, ast.Call) or not _is_plain_call(call, candidate):
        return None
    if wrapper in ("set", "sorted"):
        expected = ast.Call(ast.Name("list", ast.Load()), [other], [])
        return StatedValue(call, expected, _UNORDERED)
    if (
        wrapper in _SAME_ON_BOTH_SIDES
        and isinstance(other, ast.Call)
        and _name_of(other.func) == wrapper
    ):
        return StatedValue(call, other, _EQUAL)
    return None


def _from_membership(call: ast.expr, values: ast.expr, candidate: str) -> StatedValue | None:
    """`f(..) in (E, F)`; what is not written out, such as a range, is a property and no list of answers."""
    is_written_out = isinstance(values, (ast.List, ast.Tuple, ast.Set)) and bool(values.elts)
    if not is_written_out or _calls(values, candidate) or not isinstance(call, ast.Call):
        return None
    if not _is_plain_call(call, candidate):
        return None
    acceptable = ast.Call(ast.Name("list", ast.Load()), [values], [])
    return StatedValue(call, acceptable, _ANY_OF)


def _from_distance(distance: ast.expr, bound: ast.expr, candidate: str) -> StatedValue | None:
    """`abs(f(..) - E) < eps`, with the difference either way round."""
    if not isinstance(distance, ast.Call) or _name_of(distance.func) not in ("abs", "fabs"):
        return None
    eps = _number(bound)
    difference = distance.args[0] if len(distance.args) == 1 else None
    if (
        eps is None
        or not isinstance(difference, ast.BinOp)
        or not isinstance(difference.op, ast.Sub)
    ):
        return None
    comparator = ast.Constant(f"close:{eps!r}")
    for call, expected in (
        (difference.left, difference.right),
        (difference.right, difference.left),
    ):
        if (
            isinstance(call, ast.Call)
            and _is_plain_call(call, candidate)
            and not _calls(expected, candidate)
        ):
            return StatedValue(call, expected, comparator)
    return None


def _from_isclose(test: ast.Call, candidate: str) -> StatedValue | None:
    tolerances: dict[str | None, ast.expr] = {item.arg: item.value for item in test.keywords}
    if len(test.args) != 2 or not set(tolerances) <= {"rel_tol", "abs_tol"}:
        return None
    for call, expected in (test.args, test.args[::-1]):
        if (
            isinstance(call, ast.Call)
            and _is_plain_call(call, candidate)
            and not _calls(expected, candidate)
        ):
            rel_tol = tolerances.get("rel_tol", ast.Constant(1e-09))
            abs_tol = tolerances.get("abs_tol", ast.Constant(0.0))
            return StatedValue(call, expected, _method("closeness", expected, rel_tol, abs_tol))
    return None


def _closeness_of_property(test: ast.expr) -> ast.expr:
    """For a property such as `abs(residual(x)) < 1e-4`: its small bound is also the tolerance of the value."""
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], (ast.Lt, ast.LtE)):
        eps = _number(test.comparators[0])
        if eps is not None and 0 < eps <= 0.01:
            return ast.Constant(f"close:{eps!r}")
    return _EQUAL


def _number(node: ast.expr) -> float | None:
    """The value of a literal number, also of `10 ** -6`; None for anything else."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        base, power = _number(node.left), _number(node.right)
        return None if base is None or power is None or not base else float(base**power)
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def find_undefined_names(statements: Iterable[ast.stmt], defined: Iterable[str]) -> list[str]:
    """Names that the statements use and nothing defines, in order of appearance."""
    used: dict[str, None] = {}
    known = {*defined, *dir(builtins)}
    for node in (child for statement in statements for child in ast.walk(statement)):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                used[node.id] = None
            else:
                known.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            known.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            known.add(node.name)
        elif isinstance(node, ast.arg):
            known.add(node.arg)
    return [name for name in used if name not in known]


def parse_asserts(
    row: Mapping[str, Any], name: str, optional: bool = False
) -> tuple[ast.stmt, ...]:
    """Parse a field that is a list of Python statements, each an assert."""
    texts = row.get(name, [] if optional else None)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RowMalformed(f"the field '{name}' is not a list of asserts")
    if not texts and not optional:
        raise RowMalformed(f"the field '{name}' is empty: there is nothing to test with")
    statements: list[ast.stmt] = []
    for number, text in enumerate(texts, start=1):
        statements += parse_python(text.strip(), f"assert {number} of '{name}'").body
    return tuple(statements)


def find_entry_point(module: ast.Module, tests: Sequence[ast.stmt]) -> str:
    """The function of the module that the asserts call: in each assert the outermost call counts."""
    defined = {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
    called = Counter(
        name for test in tests if (name := _outermost_call(ast.walk(test), defined)) is not None
    )
    if not called:
        raise RowRefused("no assert calls a function that the row's code defines")
    return called.most_common(1)[0][0]


def _outermost_call(nodes: Iterable[ast.AST], defined: set[str]) -> str | None:
    for node in nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in defined
        ):
            return node.func.id
    return None
