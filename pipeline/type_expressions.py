"""Type expressions: the small language in which Problems state the types of their parameters and results.

    int float bool str none any   list[T] set[T] tuple[A,B] dict[K,V] optional[T]

They are parsed from text, inferred from observed Python values, and joined: the join is the narrowest expression that
covers both sides. An int next to floats is a float, because q keeps the two apart and a q function has one result type.
What this deliberately does not do: convert values (`typed_values`) or compare them (`equality`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

SCALARS = ("int", "float", "bool", "str", "none", "any")
_ARITY = {"list": 1, "set": 1, "dict": 2, "optional": 1}
_TOKEN = re.compile(r"\s*([a-z]+|[\[\],])")


class TypeExpressionError(ValueError):
    """Text that is not a type expression."""


@dataclass(frozen=True)
class TypeExpr:
    """A type: its name and the types inside its brackets. `str()` gives the text that `parse_type` reads."""

    name: str
    args: tuple[TypeExpr, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}[{','.join(map(str, self.args))}]" if self.args else self.name

    @property
    def item(self) -> TypeExpr:
        """The type inside a one-argument type; `any` for other types."""
        return self.args[0] if self.name in ("list", "set", "optional") else ANY


ANY = TypeExpr("any")
NONE = TypeExpr("none")
FLOAT = TypeExpr("float")
INT = TypeExpr("int")
STR = TypeExpr("str")
_NEVER = TypeExpr("never")
"""Item type of an empty container: the join with any type is that type. It never leaves this module."""


@lru_cache(maxsize=4096)
def parse_type(text: str) -> TypeExpr:
    """Parse a type expression; raise TypeExpressionError that quotes the text when it is none."""
    tokens = _tokenize(text)
    expression, rest = _parse(tokens, text)
    if rest:
        raise TypeExpressionError(f"'{text}' is not a type: unexpected '{rest[0]}'")
    return expression


def _tokenize(text: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise TypeExpressionError(f"'{text}' is not a type: unexpected '{text[position]}'")
        tokens.append(match.group(1))
        position = match.end()
    return tokens


def _parse(tokens: list[str], text: str) -> tuple[TypeExpr, list[str]]:
    """Parse one expression from the front of `tokens`; return it and the tokens that follow."""
    if not tokens:
        raise TypeExpressionError(f"'{text}' is not a type: it ends too early")
    name, rest = tokens[0], tokens[1:]
    if name not in SCALARS and name not in _ARITY and name != "tuple":
        raise TypeExpressionError(f"'{text}' is not a type: '{name}' is unknown")
    args: list[TypeExpr] = []
    if rest and rest[0] == "[" and name not in SCALARS:
        while rest[0] in "[,":
            argument, rest = _parse(rest[1:], text)
            args.append(argument)
            if not rest or rest[0] not in ",]":
                raise TypeExpressionError(f"'{text}' is not a type: a ']' is missing")
        rest = rest[1:]
    if name in _ARITY and len(args) != _ARITY[name]:
        raise TypeExpressionError(
            f"'{text}' is not a type: {name} takes {_ARITY[name]} in brackets"
        )
    return TypeExpr(name, tuple(args)), rest


def infer_type(values: Iterable[Any], hint: TypeExpr | None = None) -> TypeExpr:
    """The narrowest type of all the values together; `any` for no values and for kinds without a type.

    A hint, such as an annotation, is returned instead where it covers all the values.
    """
    observed = _join_all(values)
    if hint is not None and join_types(observed, hint) == hint:
        return hint
    return _without_never(observed)


def _observe(value: Any) -> TypeExpr:
    if value is None:
        return NONE
    for kind, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "str")):
        if isinstance(value, kind):
            return TypeExpr(name)
    if isinstance(value, tuple):
        return TypeExpr("tuple", tuple(map(_observe, value)))
    if isinstance(value, (list, set, frozenset)):
        name = "list" if isinstance(value, list) else "set"
        return TypeExpr(name, (_join_all(value),))
    if isinstance(value, dict):
        return TypeExpr("dict", (_join_all(value.keys()), _join_all(value.values())))
    return ANY


def _join_all(values: Iterable[Any]) -> TypeExpr:
    return reduce(join_types, map(_observe, values), _NEVER)


def join_types(left: TypeExpr, right: TypeExpr) -> TypeExpr:
    """The narrowest type that covers both."""
    if left == right or right == _NEVER:
        return left
    if left == _NEVER:
        return right
    if ANY in (left, right):
        return ANY
    if "optional" in (left.name, right.name) or NONE in (left, right):
        return _join_optional(left, right)
    names = {left.name, right.name}
    if names == {"int", "float"}:
        return FLOAT
    if names == {"tuple"} and len(left.args) == len(right.args):
        return TypeExpr("tuple", tuple(map(join_types, left.args, right.args)))
    if names <= {"list", "tuple"}:
        return TypeExpr("list", (reduce(join_types, left.args + right.args, _NEVER),))
    if names in ({"set"}, {"dict"}):
        return TypeExpr(left.name, tuple(map(join_types, left.args, right.args)))
    return ANY


def _join_optional(left: TypeExpr, right: TypeExpr) -> TypeExpr:
    inner = [side.item if side.name == "optional" else side for side in (left, right)]
    joined = reduce(join_types, (side for side in inner if side != NONE), _NEVER)
    return ANY if joined == ANY else TypeExpr("optional", (joined,))


def _without_never(expression: TypeExpr) -> TypeExpr:
    if expression == _NEVER:
        return ANY
    return TypeExpr(expression.name, tuple(map(_without_never, expression.args)))


def widen(value: Any, expression: TypeExpr) -> Any:
    """The value with its ints made floats where the type says float; all else stays as it is."""
    if expression.name == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2**1000 else value
    if expression.name == "optional":
        return None if value is None else widen(value, expression.item)
    if isinstance(value, tuple) and expression.name == "tuple":
        return tuple(map(widen, value, expression.args))
    if isinstance(value, (list, tuple, set, frozenset)) and expression.name in ("list", "set"):
        return type(value)(widen(item, expression.item) for item in value)
    if isinstance(value, dict) and expression.name == "dict":
        key_type, item_type = expression.args
        return {widen(key, key_type): widen(item, item_type) for key, item in value.items()}
    return value
