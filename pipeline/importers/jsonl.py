"""Rows of two general formats: `jsonl`, QStudio's own, and `q-problems`, pairs of Python and q with test snippets.

    jsonl         id, statement, reference, tests (list of asserts); optional title, entry_point, generator, solution
                  (q), split, difficulty, tags, source, licence, is_evaluation_only
    q-problems    problem_id, problem_name, problem_description, python_solution, test_cases (each with
                  python_test_code); optional q_solution, difficulty, tags

A q solution is handed on unverified. What this deliberately does not do: trust expected outputs that are console text;
answers come from running the reference.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, get_args

from pipeline.importers.asserts import find_entry_point, parse_asserts
from pipeline.importers.rows import (
    RowMalformed,
    RowRefused,
    SourceRow,
    find_function,
    parse_python,
    text_field,
)
from pipeline.importers.signature import read_annotation, read_parameters
from pipeline.records import Split


def read_jsonl_row(row: Mapping[str, Any]) -> SourceRow:
    """Understand one row of the format `jsonl`."""
    tests = parse_asserts(row, "tests")
    split = row.get("split", "train")
    if split not in get_args(Split):
        raise RowRefused(
            f"the field 'split' is '{split}', expected one of {', '.join(get_args(Split))}"
        )
    return _build_row(
        row,
        identifier=text_field(row, "id"),
        statement=text_field(row, "statement"),
        reference=text_field(row, "reference"),
        tests=tests,
        problem_set="jsonl",
        split=split,
        generator=row.get("generator") or "",
        solution=row.get("solution"),
        is_evaluation_only=row.get("is_evaluation_only") is True,
    )


def read_q_problems_row(row: Mapping[str, Any]) -> SourceRow:
    """Understand one row of the format `q-problems`."""
    cases = row.get("test_cases")
    if not isinstance(cases, list) or not cases:
        raise RowMalformed("the field 'test_cases' is missing or empty")
    reference = text_field(row, "python_solution")
    module = parse_python(reference, "the field 'python_solution'")
    defined = {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
    tests: list[ast.stmt] = []
    for number, case in enumerate(cases, start=1):
        if not isinstance(case, dict):
            raise RowMalformed(f"test case {number} is not an object")
        code = parse_python(text_field(case, "python_test_code"), f"test case {number}")
        tests.append(_as_observation(code, defined, number))
    return _build_row(
        row,
        identifier=str(row.get("problem_id") or text_field(row, "problem_name")),
        statement=text_field(row, "problem_description"),
        reference=reference,
        tests=tuple(tests),
        problem_set="q-problems",
        solution=row.get("q_solution"),
    )


def _as_observation(code: ast.Module, defined: set[str], number: int) -> ast.stmt:
    """An assert that holds for every answer, around the first call of the reference: only the call is wanted."""
    for node in ast.walk(code):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in defined
        ):
            anything = ast.Tuple([node], ast.Load())
            return ast.copy_location(ast.Assert(anything, None), node)
    raise RowRefused(f"test case {number} does not call a function of the reference")


def _build_row(
    row: Mapping[str, Any],
    *,
    identifier: str,
    statement: str,
    reference: str,
    tests: tuple[ast.stmt, ...],
    problem_set: str,
    **others: Any,
) -> SourceRow:
    module = parse_python(reference, "the reference")
    entry_point = row.get("entry_point") or find_entry_point(module, tests)
    function = find_function(module, entry_point, "the reference")
    names, hints = read_parameters(function)
    tags = row.get("tags") or []
    if not isinstance(tags, list):
        raise RowMalformed("the field 'tags' is not a list")
    return SourceRow(
        source_id=identifier,
        slug=_slug(problem_set, identifier),
        title=str(row.get("title") or row.get("problem_name") or entry_point).replace("_", " "),
        statement=statement.strip(),
        entry_point=entry_point,
        param_names=names,
        param_hints=hints,
        returns_hint=read_annotation(function.returns),
        reference=reference,
        tests=tests,
        candidate=entry_point,
        problem_set=problem_set,
        source=str(row.get("source") or ""),
        licence=str(row.get("licence") or ""),
        difficulty=str(row.get("difficulty") or "").lower(),
        tags=tuple(map(str, tags)),
        **others,
    )


def _slug(problem_set: str, identifier: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", identifier.lower()).strip("-")
    if not name:
        raise RowRefused("the id has no letter or digit to make a slug of")
    return name if problem_set == "jsonl" else f"{problem_set}-{name}"
