"""Rows of KX's q translation of HumanEval (KxSystems/q-evaluation-harness, MIT): q prompts, Python asserts.

There is no reference, so a row is accepted on what its asserts state by themselves. Faults that can be seen without
running anything are named: tests that call functions nothing defines, and a description that belongs to another row.
Evaluation only. What this deliberately does not do: pair rows with the Python file to repair them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.importers.asserts import find_undefined_names
from pipeline.importers.rows import (
    RowMalformed,
    RowRefused,
    SourceRow,
    find_function,
    parse_python,
    text_field,
)
from pipeline.type_expressions import TypeExpr

PROBLEM_SET = "q-humaneval"
_DEFINITION = re.compile(r"^(?P<name>\w+)\s*:\s*\{\s*\[(?P<params>[^\]]*)\]", re.MULTILINE)
_TAG = re.compile(r"@(param\s+(?P<name>\w+)|(?P<returns>returns?))\s*\{(?P<type>[^}]*)\}")
_SCALARS = {
    "int": "int",
    "long": "int",
    "short": "int",
    "float": "float",
    "real": "float",
    "boolean": "bool",
    "bool": "bool",
    "string": "str",
}


def read_row(row: Mapping[str, Any]) -> SourceRow:
    """Understand one row; raise RowRefused when it is not one of this set or can never be passed."""
    number = row.get("task_id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise RowMalformed("the field 'task_id' is missing or not a number")
    prompt, entry_point = text_field(row, "prompt"), text_field(row, "entry_point")
    definition = _DEFINITION.search(prompt)
    if definition is None or definition["name"] != entry_point:
        raise RowMalformed(f"the field 'prompt' does not begin a definition of '{entry_point}'")
    tests = parse_python(text_field(row, "tests"), "the field 'tests'")
    check = find_function(tests, "check", "the field 'tests'")
    undefined = find_undefined_names(check.body, [argument.arg for argument in check.args.args])
    if undefined:
        quoted = ", ".join(f"'{name}'" for name in undefined)
        raise RowRefused(f"the tests use {quoted}, which nothing defines: no Program can pass them")
    names = tuple(name.strip() for name in definition["params"].split(";") if name.strip())
    hints = _read_hints(prompt)
    return SourceRow(
        source_id=f"q-humaneval/{number}",
        slug=f"{PROBLEM_SET}-{number:03d}",
        title=entry_point.replace("_", " ").strip(),
        statement=describe(prompt),
        entry_point=entry_point,
        param_names=names,
        param_hints=tuple(hints.get(name) for name in names),
        returns_hint=hints.get("return"),
        reference="",
        tests=tuple(check.body),
        candidate=check.args.args[0].arg,
        problem_set=PROBLEM_SET,
        split="test",
        source="KxSystems/q-evaluation-harness",
        licence="MIT",
        is_evaluation_only=True,
    )


def describe(prompt: str) -> str:
    """The comment of a prompt as text, without the comment marks and the parameter list."""
    lines = [
        line.removeprefix("//").strip() for line in prompt.splitlines() if line.startswith("//")
    ]
    text = "\n".join(line for line in lines if line != "@overview")
    return text.split("@param")[0].split("@return")[0].strip()


def _read_hints(prompt: str) -> dict[str, TypeExpr]:
    """Types of the parameters by name, and of the result under `return`, where they are ones we know."""
    hints: dict[str, TypeExpr] = {}
    for tag in _TAG.finditer(prompt):
        text = tag["type"].strip()
        scalar = _SCALARS.get(text.rstrip("[]").strip())
        if scalar is None:
            continue
        expression = TypeExpr(scalar)
        for _ in range(text.count("[]")):
            expression = TypeExpr("list", (expression,))
        hints[tag["name"] or "return"] = expression
    return hints


def find_foreign_descriptions(rows: Sequence[Mapping[str, Any] | None]) -> dict[int, str]:
    """Positions of rows whose description is another row's, with a sentence each.

    Of rows with the same description, those whose name shares no word with it are the foreign ones.
    """
    by_text: dict[str, list[int]] = {}
    for position, row in enumerate(rows):
        prompt = row.get("prompt") if row is not None else None
        if isinstance(prompt, str) and isinstance((row or {}).get("entry_point"), str):
            by_text.setdefault(" ".join(describe(prompt).lower().split()), []).append(position)
    found: dict[int, str] = {}
    for text, positions in by_text.items():
        if len(positions) < 2 or not text:
            continue
        fitting = [position for position in positions if _shares_word(rows[position], text)]
        for position in positions:
            if fitting and position not in fitting:
                owner = (rows[fitting[0]] or {})["entry_point"]
                found[position] = f"the description is that of another task, '{owner}'"
    return found


def _shares_word(row: Mapping[str, Any] | None, text: str) -> bool:
    words = set(re.findall(r"[a-z]+", text))
    return any(
        part in words
        for part in str((row or {})["entry_point"]).lower().split("_")
        if len(part) > 2
    )
