"""Mutants of a Problem's Python reference: the same function with one fault, deterministic and bounded in number.

Edits of the syntax tree (`edits`) come from all the code that the entry point leads to. To them come three answers that
no understanding needs: each of the two commonest expected values as a constant, and a function that prints the right
answer and ends the process, which must never count since no text that is printed is an answer. Where there are more
mutants than wanted, every kind is represented, and within a kind a hash chooses, so that the same reference always has
the same mutants.

Every loop and every function of a mutant calls `TICK` first, and what a comprehension goes through is wrapped in
`PASSES`, so that a mutant that would never end is stopped after a number of passes, on every machine the same.
Libraries for mutation testing (mutmut, cosmic-ray) change the files of a project and run its test command once for each
mutant, outside of any sandbox; here a mutant is one string among many in one confined process. What this deliberately
does not do: run a mutant.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.comparators import ANY_OF
from pipeline.mutation.edits import Edit, Kind, edits_in
from pipeline.records import Problem, TestCase, content_hash
from pipeline.typed_values import decode_typed

TICK = "__tick__"
PASSES = "__passes__"
CONSTANT_ANSWERS = 2
_PRINT_AND_EXIT = """
_answering = {name}
def {name}(*arguments):
    print(_answering(*arguments))
    raise SystemExit(0)
"""
_CONSTANT = """
def {name}(*arguments):
    return {answer}
"""


class NoMutants(ValueError):
    """The reference cannot be read as Python that defines the entry point; `str(error)` says why."""


@dataclass(frozen=True)
class Mutant:
    """One faulty reference."""

    kind: Kind
    line: int
    """Line of the reference, from 1; 0 where the whole function is another."""
    change: str
    """What is different, in words."""
    source: str
    """Python that defines the entry point and counts its passes with `TICK` and `PASSES`."""


@dataclass(frozen=True)
class MutatedReference:
    """The reference as it is run here, and its mutants."""

    source: str
    mutants: tuple[Mutant, ...]


def mutate(problem: Problem, tests: Iterable[TestCase], limit: int) -> MutatedReference:
    """At most `limit` mutants of the Problem's reference; `tests` say which answers are common.

    Raises: NoMutants.
    """
    name = problem.entry_point
    try:
        tree = ast.parse(problem.reference)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise NoMutants(f"the reference cannot be parsed: {error}") from error
    definitions = _reachable(tree, name)
    if not definitions:
        raise NoMutants(f"the reference does not define {name}")
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.For, ast.While)):
            node.body.insert(0, ast.Expr(ast.Call(ast.Name(TICK, ast.Load()), [], [])))
    edits = [edit for definition in definitions for edit in edits_in(_Root(definition))]
    # Comprehensions are counted last: an edit shows the code as it was written.
    for node in ast.walk(tree):
        if isinstance(node, ast.comprehension):
            node.iter = ast.Call(ast.Name(PASSES, ast.Load()), [node.iter], [])
    source = ast.unparse(tree)
    mutants = list(_whole_answers(source, name, tests))
    seen = {source}
    for edit in _spread(edits):
        if len(mutants) >= limit:
            break
        with edit.applied():
            text = ast.unparse(tree)
        if text not in seen:
            seen.add(text)
            mutants.append(Mutant(edit.kind, edit.line, edit.change, text))
    return MutatedReference(source, tuple(mutants[:limit]))


def _reachable(tree: ast.Module, entry_point: str) -> list[ast.stmt]:
    """The top-level statements that define the entry point and what it uses, in their order."""
    by_name: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for name in _names_defined(statement):
            by_name.setdefault(name, []).append(statement)
    wanted, queue = {id(item) for item in by_name.get(entry_point, [])}, [entry_point]
    done: set[str] = set()
    while queue:
        name = queue.pop()
        if name in done:
            continue
        done.add(name)
        for statement in by_name.get(name, []):
            wanted.add(id(statement))
            queue += [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return [statement for statement in tree.body if id(statement) in wanted]


def _names_defined(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


class _Root(ast.AST):
    """A node above a definition, so that the definition itself has a place."""

    _fields = ("body",)

    def __init__(self, definition: ast.stmt) -> None:
        self.body = [definition]


def _whole_answers(source: str, name: str, tests: Iterable[TestCase]) -> Iterator[Mutant]:
    """The mutants that do not look at the question."""
    expected = [_one_answer(test) for test in tests]
    by_hash = {content_hash(value): value for value in expected}
    counts = Counter(map(content_hash, expected))
    for key, n in counts.most_common(CONSTANT_ANSWERS):
        answer = repr(decode_typed(by_hash[key]))
        shown = answer if len(answer) <= 60 else answer[:57] + "..."
        change = f"always `{shown}`, the answer of {n} of {len(expected)} tests"
        yield Mutant("constant_answer", 0, change, _CONSTANT.format(name=name, answer=answer))
    text = source + _PRINT_AND_EXIT.format(name=name)
    yield Mutant("print_and_exit", 0, "prints the right answer and exits", text)


def _one_answer(test: TestCase) -> Any:
    """The encoded expected value; of several acceptable ones the first."""
    if test.comparator == ANY_OF and test.expected:
        return test.expected[0]
    return test.expected


def _spread(edits: Iterable[Edit]) -> Iterator[Edit]:
    """The edits in turns, one of every kind; within a kind in the order of a hash."""
    by_kind: dict[Kind, list[Edit]] = {}
    for edit in edits:
        by_kind.setdefault(edit.kind, []).append(edit)
    turns = [
        sorted(group, key=lambda edit: content_hash([edit.line, edit.change]), reverse=True)
        for _, group in sorted(by_kind.items())
    ]
    while turns:
        for group in turns:
            yield group.pop()
        turns = [group for group in turns if group]
