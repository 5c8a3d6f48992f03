"""The rows of an import: as a format's reader hands them over, and as they come out.

A reader (`humaneval`, `mbpp`, `q_humaneval`, `jsonl`) turns one decoded JSON row into a `SourceRow` or raises
`RowRefused`. It runs nothing. What this deliberately does not do: judge a reference (`importer`).
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.records import Problem, Split
from pipeline.type_expressions import TypeExpr


class RowRefused(ValueError):
    """A row that cannot become a Problem; each argument is one clear sentence."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences."""
        return tuple(map(str, self.args))


class RowMalformed(RowRefused):
    """A row that is not what the format says: the file wants mending, not the Problem choosing."""


@dataclass(frozen=True)
class SourceRow:
    """One row of a problem file, understood but not yet run."""

    source_id: str
    slug: str
    title: str
    statement: str
    entry_point: str
    param_names: tuple[str, ...]
    param_hints: tuple[TypeExpr | None, ...]
    returns_hint: TypeExpr | None
    reference: str
    """Python source that defines `entry_point`; empty when the source has none."""
    tests: tuple[ast.stmt, ...]
    """Statements whose asserts call `candidate`."""
    candidate: str
    setup: str = ""
    """Python source that the tests need besides the reference."""
    problem_set: str = ""
    split: Split = "train"
    source: str = ""
    licence: str = ""
    is_evaluation_only: bool = False
    difficulty: str = ""
    tags: tuple[str, ...] = ()
    public_share: float = 1 / 3
    """Share of the tests, from the front, that may be shown; always at least one, never all of several."""
    generator: str = ""
    """The row's own input generator, if it brings one."""
    solution: str | None = None
    """A q Program that the row offers as solution; unverified."""


@dataclass(frozen=True)
class ImportedRow:
    """What came of one row."""

    row_number: int
    """Line of the file, counted from 1."""
    source_id: str
    problem: Problem | None
    accepted: bool
    reasons: tuple[str, ...] = ()
    """Why the row was not accepted, one sentence each; for an accepted row, what is missing from it."""
    solution: str | None = None
    """A q Program that the row offers; unverified."""
    is_malformed: bool = False
    """Whether the row could not be read as its format; a row that was read and refused is not."""


def text_field(row: Mapping[str, Any], name: str) -> str:
    """A field that must be text and not blank; line ends are normalised."""
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        found = "missing" if name not in row else "not a non-empty text"
        raise RowMalformed(f"the field '{name}' is {found}")
    return value.replace("\r\n", "\n").replace("\r", "\n")


MAX_NESTING = 100
"""Deepest nesting of Python that is read: rewriting it takes several calls per level. An `elif` is a level too."""


def parse_python(source: str, what: str) -> ast.Module:
    """Parse Python; a mistake refuses the row with the line of the mistake."""
    module = _parsed(source, what)
    layer: list[ast.AST] = [module]
    for _ in range(MAX_NESTING):
        layer = [child for node in layer for child in ast.iter_child_nodes(node)]
    if layer:
        raise RowMalformed(f"{what} is Python that is nested more than {MAX_NESTING} deep")
    return module


def _parsed(source: str, what: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as escapes that Python will refuse some day
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        # MemoryError is what Python's parser says of code that is nested too deep for its stack.
        line = f" (line {error.lineno}: {error.msg})" if isinstance(error, SyntaxError) else ""
        raise RowMalformed(f"{what} is not valid Python{line}") from error


def find_function(module: ast.Module, name: str, what: str) -> ast.FunctionDef:
    """The top-level function of that name; the last one if it is defined twice."""
    found = [
        node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    if not found:
        raise RowRefused(f"{what} does not define the function '{name}'")
    return found[-1]


_OF_PYTHON_ITSELF = ("getsizeof", "id", "hash", "globals", "locals")


def refuse_python_internals(module: ast.Module) -> None:
    """Refuse a reference whose answers come from the Python interpreter: no other language can give them."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            if name in _OF_PYTHON_ITSELF:
                raise RowRefused(f"the reference asks the Python interpreter itself ('{name}')")
