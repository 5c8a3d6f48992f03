"""How large a module, a function and a template may become before a second idea is hiding inside."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.tree import files, read, sources

MODULE_LINES = 600
FUNCTION_LINES = 80
TEMPLATE_LINES = 200
DUMPING_GROUNDS = {"utils", "helpers", "common", "misc"}

LONG_MODULES: dict[str, str] = {}
"""Modules that may be longer, each with the reason."""


def functions_in(text: str) -> list[tuple[str, int]]:
    """Name and length in lines of every function, decorators and docstring not counted."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            found.append((node.name, (node.end_lineno or node.lineno) - start.lineno + 1))
    return found


def test_no_module_is_too_long():
    too_long = [
        f"{path}: {n_lines} lines"
        for path in sources()
        if (n_lines := read(path).count("\n")) > MODULE_LINES and str(path) not in LONG_MODULES
    ]

    assert too_long == []


def test_no_function_is_too_long():
    too_long = [
        f"{path}: {name} has {n_lines} lines"
        for path in sources()
        for name, n_lines in functions_in(read(path))
        if n_lines > FUNCTION_LINES
    ]

    assert too_long == []


def test_no_template_is_too_long():
    too_long = [
        f"{path}: {n_lines} lines"
        for path in files()
        if path.suffix == ".html" and path.parts[0] == "templates"
        if (n_lines := read(path).count("\n")) > TEMPLATE_LINES
    ]

    assert too_long == []


def test_modules_are_named_after_a_subject():
    assert [str(path) for path in sources() if path.stem in DUMPING_GROUNDS] == []


def test_every_exception_still_needs_to_be_one():
    unneeded = [
        name
        for name in LONG_MODULES
        if name not in map(str, sources()) or read(name).count("\n") <= MODULE_LINES
    ]

    assert unneeded == []


@pytest.mark.parametrize("n_lines", [1, 81])
def test_the_length_of_a_function_is_that_of_its_body(n_lines):
    text = '@decorated\ndef long():\n    """What it does."""\n' + "    pass\n" * n_lines

    assert functions_in(text) == [("long", n_lines)]
