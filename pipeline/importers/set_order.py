"""References whose answer follows the order in which Python happens to keep a set.

No q Program can know that order. Such a reference is found by running a variant of it whose sets iterate backwards: if
only the order of the answer's items changes, the tests compare without order; if the answer itself changes, the row is
refused. What this deliberately does not do: follow `frozenset`, or sets that are made inside library functions.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pipeline.comparators import ANY_OF
from pipeline.importers.building import Draft, same_value
from pipeline.importers.rows import RowRefused, parse_python
from pipeline.typed_values import TypedJsonError, decode_typed
from pipeline.wire_values import fold
from q_runtime import PythonExecution

_BACKWARD_SET = """
class _BackwardSet(set):
    def __iter__(self):
        return iter(list(super().__iter__())[::-1])
def _backward(name):
    method = getattr(set, name)
    def call(*arguments):
        result = method(*arguments)
        return _BackwardSet(result) if type(result) is set else result
    return call
for _name in ("__and__ __or__ __sub__ __xor__ __rand__ __ror__ __rsub__ __rxor__ copy union intersection "
              "difference symmetric_difference").split():
    setattr(_BackwardSet, _name, _backward(_name))
"""


def reverse_sets(reference: str) -> str | None:
    """The reference with sets that iterate backwards; None when it makes no set."""
    if not reference:
        return None
    module: ast.AST = parse_python(reference, "the reference")
    rewriter = _Backwards()
    module = ast.fix_missing_locations(rewriter.visit(module))
    return f"{_BACKWARD_SET}\n{ast.unparse(module)}\n" if rewriter.has_set else None


class _Backwards(ast.NodeTransformer):
    """Replaces the name `set`, literals and comprehensions of sets."""

    def __init__(self) -> None:
        self.has_set = False

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """`set` in any role: a call, an argument of `map`, a check of a type."""
        if node.id != "set" or not isinstance(node.ctx, ast.Load):
            return node
        return self._backward_set()

    def visit_Set(self, node: ast.Set) -> ast.expr:
        """A literal `{a, b}`."""
        self.generic_visit(node)
        return ast.Call(self._backward_set(), [node], [])

    def visit_SetComp(self, node: ast.SetComp) -> ast.expr:
        """A comprehension `{f(x) for x in ..}`."""
        self.generic_visit(node)
        return ast.Call(self._backward_set(), [node], [])

    def _backward_set(self) -> ast.Name:
        self.has_set = True
        return ast.Name("_BackwardSet", ast.Load())


def relax_order(draft: Draft, calls: Sequence[PythonExecution]) -> Draft:
    """The draft with `unordered` comparators where the variant's answers differ in order alone.

    Raises:
        RowRefused: an answer itself depends on the order.
    """
    answers = [_answer(call) for call in calls]
    if len(answers) != len(draft.tests) or any(answer is _NOTHING for answer in answers):
        return draft  # the variant does not run, so it shows nothing
    differing = [
        (test, answer)
        for test, answer in zip(draft.tests, answers, strict=True)
        if not any(_same(value, answer) for value in test.values)
    ]
    if not differing:
        return draft
    for test, answer in differing:
        if test.comparator == ANY_OF or not _same_in_another_order(test.expected, answer):
            raise RowRefused(
                "the answer depends on the order in which Python happens to keep a set"
            )
    tests = tuple(
        replace(test, comparator="unordered") if test.comparator == "equal" else test
        for test in draft.tests
    )
    return replace(draft, tests=tests)


_NOTHING = object()


def _answer(call: PythonExecution) -> Any:
    try:
        return decode_typed(call.value) if call.status == "ok" else _NOTHING
    except TypedJsonError:
        return _NOTHING


def _same(expected: Any, answer: Any) -> bool:
    return same_value(expected, answer) or fold(expected) == fold(answer)


def _same_in_another_order(expected: Any, answer: Any) -> bool:
    both_lists = isinstance(expected, (list, tuple)) and isinstance(answer, (list, tuple))
    return both_lists and Counter(map(fold, expected)) == Counter(map(fold, answer))
