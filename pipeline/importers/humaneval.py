"""Rows of HumanEval (openai/human-eval, MIT): prompt with docstring, reference solution, `check(candidate)`.

Evaluation only: these Problems never enter a training set. The statement is the docstring; where the prompt brings
helper functions, they are part of it. What this deliberately does not do: read the examples of the docstring.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any

from pipeline.importers.rows import (
    RowMalformed,
    RowRefused,
    SourceRow,
    find_function,
    parse_python,
    text_field,
)
from pipeline.importers.signature import read_annotation, read_parameters

PROBLEM_SET = "humaneval"


def read_row(row: Mapping[str, Any]) -> SourceRow:
    """Understand one row; raise RowRefused when it is not one of HumanEval."""
    task_id = text_field(row, "task_id")
    prompt, solution = text_field(row, "prompt"), text_field(row, "canonical_solution")
    entry_point = text_field(row, "entry_point")
    reference = prompt + solution
    module = parse_python(reference, "the reference (prompt and canonical_solution)")
    function = find_function(module, entry_point, "the reference")
    names, hints = read_parameters(function)
    tests = parse_python(text_field(row, "test"), "the field 'test'")
    check = find_function(tests, "check", "the field 'test'")
    if len(check.args.args) != 1:
        raise RowRefused("the function 'check' does not take exactly one argument, the candidate")
    return SourceRow(
        source_id=task_id,
        slug=f"{PROBLEM_SET}-{_number(task_id):03d}",
        title=entry_point.replace("_", " ").strip(),
        statement=_statement(module, function, reference),
        entry_point=entry_point,
        param_names=names,
        param_hints=hints,
        returns_hint=read_annotation(function.returns),
        reference=reference,
        tests=tuple(check.body),
        candidate=check.args.args[0].arg,
        problem_set=PROBLEM_SET,
        split="test",
        source="openai/human-eval",
        licence="MIT",
        is_evaluation_only=True,
    )


def _number(task_id: str) -> int:
    number = task_id.rpartition("/")[2]
    if not number.isdecimal():
        raise RowMalformed(f"the field 'task_id' is '{task_id}', expected HumanEval/<number>")
    return int(number)


def _statement(module: ast.Module, function: ast.FunctionDef, reference: str) -> str:
    """The docstring, followed by the helper functions that it may speak of."""
    texts = [
        node.value.value
        for node in function.body
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    docstring = inspect.cleandoc(texts[0]) if texts else ""  # one row imports before its docstring
    if not docstring:
        raise RowRefused(
            f"the function '{function.name}' has no docstring to take the statement from"
        )
    helpers = [
        inspect.cleandoc(ast.get_source_segment(reference, node) or "")
        for node in module.body
        if isinstance(node, ast.FunctionDef) and node.name != function.name
    ]
    return "\n\n".join([docstring, *(["Given in Python:", *helpers] if helpers else [])])
