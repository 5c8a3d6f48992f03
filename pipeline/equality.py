"""When a q value counts as the expected Python value: the equality of grader `value-1`, with typed differences.

The whole table stands in docs/grading.md, and a test reads it there. In short: values are compared under the Problem's
declared type; q's integer kinds stand for int, everything else must have its own kind; a difference says whether the
value or only its type was wrong, and where. What this deliberately does not do: run q, or judge by displayed text.

The comparators of a test are those of `comparators`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

from pipeline.comparators import Comparator, read_comparator
from pipeline.difference import Difference
from pipeline.type_expressions import ANY, TypeExpr, infer_type, parse_type
from pipeline.wire_values import (
    INTEGER_KINDS,
    Wire,
    describe,
    describe_expected,
    fold,
    fold_wire,
    is_function,
    is_null_atom,
    items_of,
    number_of,
    show,
    show_wire,
)

REL_TOLERANCE = 1e-9
ABS_TOLERANCE = 1e-12
_RIGHT_VALUE = "right value, wrong type: "
_EXACT = Comparator()


def compare(
    expected: Any, type_text: str | TypeExpr, actual: Wire, comparator: str = "equal"
) -> Difference | None:
    """Compare a q value with the expected Python value under its type; None when they are equal.

    Raises:
        ComparatorError: the comparator is unknown.
        TypeExpressionError: the type is not a type expression.
    """
    expression = parse_type(type_text) if isinstance(type_text, str) else type_text
    rules = read_comparator(comparator)
    if rules.has_alternatives:
        return _compare_alternatives(list(expected), expression, actual)
    if rules.is_unordered and isinstance(expected, (list, tuple)):
        return _compare_unordered(list(expected), expression, actual, _EXACT, "")
    return _compare(expected, expression, actual, rules, "")


def _compare_alternatives(
    alternatives: list[Any], expression: TypeExpr, actual: Wire
) -> Difference | None:
    """The value has to be one of several; the difference is the one from the nearest of them."""
    found = [_compare(value, expression, actual, _EXACT, "") for value in alternatives]
    if None in found:
        return None
    nearest = min(filter(None, found), key=_distance, default=None)
    if nearest is None:
        return Difference("wrong_value", "no value is acceptable here")
    wanted = " or ".join(map(show, alternatives)) if len(alternatives) < 5 else ""
    if nearest.kind == "wrong_value" and not nearest.path and wanted:
        return Difference("wrong_value", f"{show_wire(actual)}, expected {wanted}")
    phrase = f"none of the {len(alternatives)} acceptable values; nearest to one: {nearest}"
    return Difference(nearest.kind, phrase)


def _distance(difference: Difference) -> tuple[bool, bool, int]:
    """How far a difference is from equality: the right value of a wrong type is nearest, then what differs inside."""
    is_right_value = difference.phrase.startswith(_RIGHT_VALUE)
    inner = ("wrong_order", "wrong_value", "missing_key", "extra_key", "wrong_length")
    rank = inner.index(difference.kind) if difference.kind in inner else len(inner)
    return not is_right_value, not difference.path, rank


def _compare(
    expected: Any, expression: TypeExpr, actual: Wire, rules: Comparator, path: str
) -> Difference | None:
    if expression.name == "optional":
        expression = expression.item if expected is not None else ANY
    if is_function(actual):
        return Difference("not_a_value", "a function or projection, expected a value", path)
    if expected is None:
        if is_null_atom(actual):
            return None
        return Difference("wrong_value", f"{show_wire(actual)}, expected null", path)
    if isinstance(expected, (bool, int, float)):
        return _compare_number(expected, expression, actual, rules, path)
    if isinstance(expected, str):
        return _compare_text(expected, actual, path)
    if isinstance(expected, dict):
        return _compare_dict(expected, expression, actual, rules, path)
    if isinstance(expected, (set, frozenset)):
        return _compare_unordered(list(expected), expression, actual, rules, path)
    return _compare_list(list(expected), expression, actual, rules, path)


def _compare_number(
    expected: bool | int | float, expression: TypeExpr, actual: Wire, rules: Comparator, path: str
) -> Difference | None:
    """Numbers: the kind must be the declared one, floats are equal within tolerance, nan equals nan."""
    wanted = "float" if isinstance(expected, float) or expression.name == "float" else "int"
    if isinstance(expected, bool):
        wanted = "bool"
    kind = actual["t"]
    if not -20 < kind < 0:
        return _not_an_atom(expected, actual, path)
    if is_null_atom(actual) and not (wanted == "float" and math.isnan(expected) and kind == -9):
        return Difference("null", f"{describe(actual)} null, expected {show(expected)}", path)
    number = number_of(actual)
    same = number is not None and _same_number(expected, number, rules.eps, exact=wanted != "float")
    allowed = {"bool": (-1,), "int": INTEGER_KINDS, "float": (-9,)}[wanted]
    if kind not in allowed:
        loosely_same = number is not None and _same_number(expected, number, rules.eps)
        return _wrong_type(loosely_same, actual, describe_expected(wanted), path)
    return None if same else _wrong_value(expected, actual, path)


def _same_number(left: float, right: float, eps: float, exact: bool = False) -> bool:
    if exact:
        return left == right
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    try:
        return math.isclose(left, right, rel_tol=REL_TOLERANCE, abs_tol=max(ABS_TOLERANCE, eps))
    except OverflowError:
        return left == right


def _compare_text(expected: str, actual: Wire, path: str) -> Difference | None:
    kind = actual["t"]
    if kind in (10, -10):
        return None if actual["v"] == expected else _wrong_value(expected, actual, path)
    if kind == -11:
        return _wrong_type(actual["v"] == expected, actual, "string", path)
    if is_null_atom(actual):
        return Difference("null", f"{describe(actual)} null, expected {show(expected)}", path)
    return _wrong_type(fold_wire(actual) == fold(expected), actual, "string", path)


def _compare_list(
    expected: list[Any], expression: TypeExpr, actual: Wire, rules: Comparator, path: str
) -> Difference | None:
    problem, items, types = _line_up(expected, expression, actual, path)
    if problem or items is None:
        return problem
    for index, (value, item, item_type) in enumerate(zip(expected, items, types, strict=True)):
        difference = _compare(value, item_type, item, rules, f"{path}[{index}]")
        if difference is None:
            continue
        whole = _whole_vector_type(expected, expression, actual, path)
        if whole is not None:
            return whole
        wanted, found = [fold(value) for value in expected], [fold_wire(item) for item in items]
        if wanted != found and Counter(wanted) == Counter(found):
            return Difference(
                "wrong_order", f"the right items in another order, from {index}", path
            )
        return difference
    return None


def _line_up(
    expected: list[Any], expression: TypeExpr, actual: Wire, path: str
) -> tuple[Difference | None, list[Wire] | None, Sequence[TypeExpr]]:
    """Items of the actual list and the type of each, or the difference that stops the comparison here."""
    types = _item_types(expected, expression)
    items = items_of(actual)
    if items is None:
        return _not_a_list(expected, actual, path), None, types
    if not expected and not items:
        return _compare_empty(expression, actual, path), None, types
    if len(items) != len(expected):
        return Difference("wrong_length", _lengths(expected, items), path), None, types
    return None, items, types


def _lengths(expected: list[Any], items: list[Wire]) -> str:
    """Both lengths; and which items are missing or too many where the others agree."""
    wanted, found = list(map(fold, expected)), list(map(fold_wire, items))
    longer, shorter = (wanted, found) if len(wanted) > len(found) else (found, wanted)
    gap = len(longer) - len(shorter)
    start = next((i for i, item in enumerate(shorter) if item != longer[i]), len(shorter))
    counts = f"{_count(len(items))}, expected {_count(len(expected))}"
    if longer[start + gap :] != shorter[start:]:
        return counts
    which = f"item {start}" if gap == 1 else f"items {start} to {start + gap - 1}"
    verb = "is" if gap == 1 else "are"
    return (
        f"missing {which}: {counts}" if longer is wanted else f"{which} {verb} too many: {counts}"
    )


def _item_types(expected: list[Any], expression: TypeExpr) -> Sequence[TypeExpr]:
    if expression.name == "tuple" and len(expression.args) == len(expected):
        return expression.args
    return [expression.item] * len(expected)


def _compare_empty(expression: TypeExpr, actual: Wire, path: str) -> Difference | None:
    """An empty list is `()` or an empty vector of a kind that could hold the items."""
    kind = actual["t"]
    item = expression.item.item.name if expression.item.name == "optional" else expression.item.name
    fitting = {"int": (5, 6, 7), "float": (9,), "bool": (1,), "str": (10,), "dict": (98,)}.get(
        item, ()
    )
    if kind == 0 or item in ("any", "none") or kind in fitting:
        return None
    return Difference(
        "wrong_type", f"an empty {describe(actual)}, expected an empty {expression}", path
    )


def _whole_vector_type(
    expected: list[Any], expression: TypeExpr, actual: Wire, path: str
) -> Difference | None:
    """When a vector has the wrong kind as a whole, say that once instead of naming its first item."""
    kinds = {infer_type([value]).name for value in expected}
    item = kinds.pop() if expression.item == ANY and len(kinds) == 1 else expression.item.name
    if item not in ("bool", "int", "float") or not 0 < actual["t"] < 20:
        return None
    allowed = {"bool": (1,), "int": (5, 6, 7), "float": (9,)}[item]
    if actual["t"] in allowed:
        return None
    return _wrong_type(
        fold_wire(actual) == fold(expected), actual, describe_expected(item, True), path
    )


def _compare_unordered(
    expected: list[Any], expression: TypeExpr, actual: Wire, rules: Comparator, path: str
) -> Difference | None:
    """The items as a multiset."""
    problem, items, types = _line_up(expected, expression, actual, path)
    if problem or items is None:
        return problem
    by_fold: dict[Any, list[int]] = {}
    for position, item in enumerate(items):
        by_fold.setdefault(fold_wire(item), []).append(position)
    taken: set[int] = set()
    for index, value in enumerate(expected):
        # Equal folds find nearly every partner at once; the rest (floats at a rounding edge) are tried one by one.
        candidates = chain(by_fold.get(fold(value), []), range(len(items)))
        for position in candidates:
            if position in taken:
                continue
            if _compare(value, types[index], items[position], rules, "") is None:
                taken.add(position)
                break
        else:
            whole = _whole_vector_type(expected, expression, actual, path)
            return whole or Difference("wrong_value", f"no item equals {show(value)}", path)
    return None


def _compare_dict(
    expected: dict[Any, Any], expression: TypeExpr, actual: Wire, rules: Comparator, path: str
) -> Difference | None:
    """Dictionaries by key, in any order; a table row counts, its column names being the keys."""
    if actual["t"] != 99:
        phrase = f"{describe(actual)}, expected a dictionary"
        return Difference("wrong_type", phrase, path)
    keys, values = items_of(actual["k"]), items_of(actual["v"])
    if keys is None or values is None or len(keys) != len(values):
        return Difference("wrong_type", "a keyed table, expected a dictionary", path)
    key_type, item_type = expression.args if expression.args else (ANY, ANY)
    by_key: dict[Any, int] = {}
    for position, key in enumerate(keys):
        by_key.setdefault(fold_wire(key), position)
    row = bool(actual.get("row"))
    for key, value in expected.items():
        place = f"{path}[{show(key)}]"
        if fold(key) not in by_key:
            return Difference("missing_key", f"the key {show(key)} is missing", path)
        position = by_key.pop(fold(key))
        key_difference = None if row else _compare(key, key_type, keys[position], _EXACT, path)
        if key_difference is not None:
            return Difference(key_difference.kind, f"key: {key_difference.phrase}", path)
        difference = _compare(value, item_type, values[position], rules, place)
        if difference is not None:
            return difference
    if by_key or len(keys) > len(expected):
        surplus = keys[next(iter(by_key.values()))] if by_key else keys[-1]
        return Difference("extra_key", f"the key {show_wire(surplus)} is too many", path)
    return None


def _not_a_list(expected: list[Any], actual: Wire, path: str) -> Difference:
    if actual["t"] == 99:
        return Difference("wrong_type", f"a dictionary, expected {_a_list(expected)}", path)
    return Difference("atom_not_list", f"atom, expected {_a_list(expected)}", path)


def _not_an_atom(expected: Any, actual: Wire, path: str) -> Difference:
    items = items_of(actual)
    if actual["t"] == 101:
        return Difference("null", f"generic null, expected {show(expected)}", path)
    if items is None or actual["t"] == 98:
        return Difference("wrong_type", f"a {describe(actual)}, expected an atom", path)
    count = "one-item list" if len(items) == 1 else f"list of {_count(len(items))}"
    return Difference("list_not_atom", f"{count}, expected an atom", path)


def _a_list(expected: list[Any]) -> str:
    return "one-item list" if len(expected) == 1 else f"a list of {_count(len(expected))}"


def _count(n: int) -> str:
    return f"{n} item" if n == 1 else f"{n} items"


def _wrong_type(same: bool, actual: Wire, wanted: str, path: str) -> Difference:
    start = _RIGHT_VALUE if same else ""
    return Difference("wrong_type", f"{start}{describe(actual)}, expected {wanted}", path)


def _wrong_value(expected: Any, actual: Wire, path: str) -> Difference:
    return Difference("wrong_value", f"{show_wire(actual)}, expected {show(expected)}", path)
