"""Writes `docs/settings.md`, the table of all settings of a run, from `pipeline/config.py`: `make docs`.

The text below a field in the source is what the table says about it. A test compares the page with what this would
write, so the page cannot fall behind.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import sys
from pathlib import Path
from typing import Any, get_args, get_origin

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "docs" / "settings.md"

INTRODUCTION = """\
# Settings of a run

A preset in `pipeline/configs/` chooses values for these settings; what it does not name keeps the default below.
`--set NAME=VALUE` on any command, and the launch form, put a value on top. The value is read as JSON where it is
JSON and as text otherwise: `--set sampling.k=8`, `--set problems.sets='["demo","starter"]'`, `--set policy.base=PATH`.
The settings that result are checked before any work and are written to `config.json` in the run directory.

This page is written by `make docs` from `pipeline/config.py`.
"""


def render() -> str:
    """The page as text."""
    sys.path.insert(0, str(REPOSITORY))
    from pipeline.config import RunConfig

    parts = [INTRODUCTION, _section("", RunConfig)]
    for name, field in RunConfig.model_fields.items():
        if _is_section(field.annotation):
            parts.append(_section(name, field.annotation))
    return "\n".join(parts)


def _section(prefix: str, section: Any) -> str:
    """The heading, the class's own docstring and the table of one group of settings."""
    notes = _notes(section)
    rows = [
        f"| `{f'{prefix}.' if prefix else ''}{name}` | {_type(field.annotation)}{_bounds(field)} "
        f"| `{_default(field)}` | {notes.get(name, '')} |"
        for name, field in section.model_fields.items()
        if not _is_section(field.annotation)
    ]
    head = f"## {prefix or 'The run itself'}\n\n{_one_line(section.__doc__)}\n"
    return "\n".join(
        [head, "| setting | type | default | meaning |", "| --- | --- | --- | --- |", *rows, ""]
    )


def _is_section(annotation: Any) -> bool:
    return hasattr(annotation, "model_fields")


def _notes(section: Any) -> dict[str, str]:
    """The strings that stand below the fields of a class, by field."""
    (definition,) = ast.parse(inspect.getsource(section)).body
    body = getattr(definition, "body", [])
    return {
        field.target.id: _one_line(note.value.value)
        for field, note in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(note, ast.Expr) and isinstance(note.value, ast.Constant)
    }


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _type(annotation: Any) -> str:
    """A type as a reader of JSON would say it."""
    names = {
        int: "integer",
        float: "number",
        str: "text",
        bool: "true or false",
        type(None): "none",
    }
    if annotation in names:
        return names[annotation]
    arguments = get_args(annotation)
    if get_origin(annotation) is tuple:
        return f"list of {_type(arguments[0])}"
    if all(isinstance(argument, str) for argument in arguments):
        return "one of " + ", ".join(f"`{argument}`" for argument in arguments)
    return " or ".join(map(_type, arguments))


def _bounds(field: Any) -> str:
    """The limits of a field's value, such as `, >= 1`; nothing for text and where there are none."""
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [
        f"{sign} {getattr(limit, name)}"
        for limit in field.metadata
        for name, sign in signs.items()
        if getattr(limit, name, None) is not None
    ]
    return "".join(f", {bound}" for bound in bounds)


def _default(field: Any) -> str:
    return json.dumps(field.default, ensure_ascii=False)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(REPOSITORY)}")
