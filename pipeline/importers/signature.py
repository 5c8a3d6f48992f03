"""Signatures: parameter names and what annotations say about their types.

An annotation is only a hint: `type_expressions.infer_type` takes it where it covers the observed values. What this
deliberately does not do: evaluate annotations; they are read from the syntax tree.
"""

from __future__ import annotations

import ast

from pipeline.importers.rows import RowRefused
from pipeline.type_expressions import ANY, TypeExpr, join_types

MAX_PARAMS = 8
"""q functions have at most eight parameters."""

_SCALARS = {"int": "int", "float": "float", "bool": "bool", "str": "str", "None": "none"}
_CONTAINERS = {
    "list": "list",
    "sequence": "list",
    "iterable": "list",
    "set": "set",
    "frozenset": "set",
}


def read_parameters(
    function: ast.FunctionDef,
) -> tuple[tuple[str, ...], tuple[TypeExpr | None, ...]]:
    """Names and hints of the positional parameters; empty for a function of `*args`."""
    arguments = function.args
    if arguments.vararg is not None:
        return (), ()
    if any(default is None for default in arguments.kw_defaults):
        raise RowRefused("the function has keyword-only parameters, which q does not have")
    positional = [*arguments.posonlyargs, *arguments.args]
    names = tuple(item.arg for item in positional)
    return names, tuple(read_annotation(item.annotation) for item in positional)


def check_rank(n_arguments: int) -> None:
    """Refuse a number of parameters that no q function has."""
    if not 1 <= n_arguments <= MAX_PARAMS:
        raise RowRefused(
            f"the function takes {n_arguments} arguments; q functions take 1 to {MAX_PARAMS}"
        )


def read_annotation(node: ast.expr | None) -> TypeExpr | None:
    """The type that an annotation names; None when it names none exactly."""
    expression = _read(node)
    return None if expression is None or "any" in str(expression) else expression


def _read(node: ast.expr | None) -> TypeExpr | None:
    if isinstance(node, ast.Constant):
        if node.value is None:
            return TypeExpr("none")
        return _read(_parsed(node.value)) if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right])
    if isinstance(node, ast.Subscript):
        return _read_subscript(node)
    name = _name(node)
    return TypeExpr(_SCALARS[name]) if name in _SCALARS else None


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


def _name(node: ast.expr | None) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _read_subscript(node: ast.Subscript) -> TypeExpr | None:
    name = _name(node.value).lower()
    inner = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "union":
        return _union(inner)
    if name == "optional":
        return _union([*inner, ast.Constant(None)])
    if name == "tuple" and isinstance(inner[-1], ast.Constant) and inner[-1].value is Ellipsis:
        name, inner = "list", inner[:1]
    types = [_read(item) or ANY for item in inner]
    if name in _CONTAINERS and len(types) == 1:
        return TypeExpr(_CONTAINERS[name], tuple(types))
    if name == "tuple" or (name == "dict" and len(types) == 2):
        return TypeExpr(name, tuple(types))
    return None


def _union(members: list[ast.expr]) -> TypeExpr | None:
    joined: TypeExpr | None = None
    for member in members:
        expression = _read(member) or ANY
        joined = expression if joined is None else join_types(joined, expression)
    return joined
