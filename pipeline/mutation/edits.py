"""Small faults put into a syntax tree, one at a time: what a careless translator would get wrong.

    operator       another operator or its opposite (`+` for `-`, `or` for `and`, `min` for `max`), operands swapped
    boundary       `<` for `<=`, the ends of slices and ranges moved by one
    constant       another number, an empty text, the other truth value
    off_by_one     whole numbers and indices one too large or too small
    early_return   the function ends after one pass of a loop, or one step before its end
    left_out       a call that gives back its argument, a filter, an option or a statement that is not there

An `Edit` says which child of which node is replaced by what; `applied` makes the change for as long as a `with` lasts,
so that a tree is never copied. Annotations, docstrings, raised errors and assertions are left alone: no answer hangs on
them. What this deliberately does not do: choose among the edits, or run anything.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "operator",
    "boundary",
    "constant",
    "off_by_one",
    "early_return",
    "left_out",
    "constant_answer",
    "print_and_exit",
]

OTHER_OPERATOR: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mod,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}
WITH_OR_WITHOUT: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_PAIRS = (
    "min max",
    "any all",
    "upper lower",
    "startswith endswith",
    "lstrip rstrip",
    "floor ceil",
    "find rfind",
    "isalpha isdigit",
    "isupper islower",
    "union intersection",
)
OTHER_NAME = {
    one: other
    for left, right in map(str.split, _PAIRS)
    for one, other in ((left, right), (right, left))
}
"""Functions and methods that are taken for one another."""
_TEXTUAL = (ast.JoinedStr, ast.List, ast.ListComp, ast.Tuple)
_UNTOUCHED = (ast.Raise, ast.Assert, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)
_UNTOUCHED_FIELDS = {"annotation", "returns", "decorator_list", "format_spec", "type_comment"}


@dataclass(frozen=True)
class Edit:
    """One child of a node and what stands there instead."""

    kind: Kind
    line: int
    """Where it is in the source, from 1."""
    change: str
    """The change as a person reads it: "`a < b` becomes `a <= b`"."""
    holder: Any
    """The node, or list of nodes, that has the child."""
    field: str | int
    """Name of the field, or place in the list."""
    new: Any

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Make the change, and take it back at the end."""
        old = self._exchange(self.new)
        try:
            yield
        finally:
            self._exchange(old)

    def _exchange(self, value: Any) -> Any:
        if isinstance(self.field, int):
            old, self.holder[self.field] = self.holder[self.field], value
        else:
            old = getattr(self.holder, self.field)
            setattr(self.holder, self.field, value)
        return old


@dataclass(frozen=True)
class _Place:
    """A node with where it hangs in the tree."""

    node: ast.AST
    holder: Any
    field: str | int

    def edit(self, kind: Kind, new: ast.AST | None, change: str = "") -> Edit:
        if not change:
            shown = _shown(new) if new is not None else "nothing"
            change = f"{_shown(self.node)} becomes {shown}"
        line = getattr(self.node, "lineno", 0)
        return Edit(kind, line, change, self.holder, self.field, new)


def edits_in(definition: ast.AST) -> Iterator[Edit]:
    """All edits below a node, in the order of the source."""
    for place in _places(definition):
        for kind_of_node, makers in _MAKERS:
            if isinstance(place.node, kind_of_node):
                for make in makers:
                    yield from make(place)


def _places(parent: ast.AST) -> Iterator[_Place]:
    for field, value in ast.iter_fields(parent):
        if field in _UNTOUCHED_FIELDS:
            continue
        children = (
            [(value, index, item) for index, item in enumerate(value)]
            if isinstance(value, list)
            else [(parent, field, value)]
        )
        for holder, position, node in children:
            if isinstance(node, ast.AST) and not isinstance(node, _UNTOUCHED):
                if _is_text_statement(node) or _is_foreign(node):
                    continue
                yield _Place(node, holder, position)
                yield from _places(node)


def _is_text_statement(node: ast.AST) -> bool:
    """A docstring, or a text that nothing is done with."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_foreign(node: ast.AST) -> bool:
    """A statement without a place in the source: it was put in to count passes (`mutants`)."""
    return isinstance(node, ast.stmt) and not hasattr(node, "lineno")


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


def _number(value: int | float) -> ast.expr:
    if value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def _moved(node: ast.expr, by: int) -> ast.expr:
    """An expression plus a number; numbers that stand there are added up."""
    value = _literal_number(node)
    if isinstance(value, int):
        return _number(value + by)
    return ast.BinOp(node, ast.Add() if by > 0 else ast.Sub(), ast.Constant(abs(by)))


def _literal_number(node: ast.expr | None) -> int | float | None:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node, sign = node.operand, -1
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
        return None
    return sign * node.value if isinstance(node.value, (int, float)) else None


# --- Operators and boundaries -----------------------------------------------------------------------------------------


def _binary(place: _Place) -> Iterator[Edit]:
    node = place.node
    assert isinstance(node, ast.BinOp)
    if isinstance(node.op, ast.Add) and any(map(_is_textual, (node.left, node.right))):
        yield place.edit("operator", ast.BinOp(node.right, node.op, node.left))
        return
    other = OTHER_OPERATOR.get(type(node.op))
    if other is not None:
        yield place.edit("operator", ast.BinOp(node.left, other(), node.right))


def _is_textual(node: ast.expr) -> bool:
    """Whether `-` in place of `+` could only fail here."""
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_text or isinstance(node, _TEXTUAL)


def _augmented(place: _Place) -> Iterator[Edit]:
    node = place.node
    assert isinstance(node, ast.AugAssign)
    other = OTHER_OPERATOR.get(type(node.op))
    if other is not None and not _is_textual(node.value):
        yield place.edit("operator", ast.AugAssign(node.target, other(), node.value))


def _boolean(place: _Place) -> Iterator[Edit]:
    node = place.node
    assert isinstance(node, ast.BoolOp)
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield place.edit("operator", ast.BoolOp(other, node.values))


def _unary(place: _Place) -> Iterator[Edit]:
    node = place.node
    assert isinstance(node, ast.UnaryOp)
    if isinstance(node.op, ast.Not) or _literal_number(node) is None:
        yield place.edit("operator", node.operand)


def _comparison(place: _Place) -> Iterator[Edit]:
    node = place.node
    assert isinstance(node, ast.Compare)
    for index, op in enumerate(node.ops):
        tables: tuple[tuple[Kind, dict[type[ast.cmpop], type[ast.cmpop]]], ...] = (
            ("operator", OPPOSITE),
            ("boundary", WITH_OR_WITHOUT),
        )
        for kind, table in tables:
            if type(op) in table:
                ops = [*node.ops[:index], table[type(op)](), *node.ops[index + 1 :]]
                yield place.edit(kind, ast.Compare(node.left, ops, node.comparators))


def _condition(place: _Place) -> Iterator[Edit]:
    """A condition turned round; comparisons have their own edit for that."""
    node = place.node
    assert isinstance(node, (ast.If, ast.IfExp))
    if not isinstance(node.test, (ast.Compare, ast.BoolOp, ast.UnaryOp)):
        test = _Place(node.test, node, "test")
        yield test.edit("operator", ast.UnaryOp(ast.Not(), node.test))


def _named(place: _Place) -> Iterator[Edit]:
    """The function or method that is taken for this one."""
    node = place.node
    assert isinstance(node, ast.Call)
    function = node.func
    if isinstance(function, ast.Name) and function.id in OTHER_NAME:
        other: ast.expr = ast.Name(OTHER_NAME[function.id], ast.Load())
    elif isinstance(function, ast.Attribute) and function.attr in OTHER_NAME:
        other = ast.Attribute(function.value, OTHER_NAME[function.attr], ast.Load())
    else:
        return
    yield place.edit("operator", ast.Call(other, node.args, node.keywords))


def _slice(place: _Place) -> Iterator[Edit]:
    node = place.node
    assert isinstance(node, ast.Slice)
    lower, upper, step = node.lower, node.upper, node.step
    if step is not None and _literal_number(step) == -1 and lower is None and upper is None:
        yield place.edit("left_out", ast.Slice(None, None, None))
        return
    later = ast.Constant(1) if lower is None else _moved(lower, 1)
    yield place.edit("boundary", ast.Slice(later, upper, step))
    for by in (-1, 1) if upper is not None else (-1,):
        end = _number(-1) if upper is None else _moved(upper, by)
        yield place.edit("boundary", ast.Slice(lower, end, step))


def _range(place: _Place) -> Iterator[Edit]:
    node = place.node
    assert isinstance(node, ast.Call)
    if not (isinstance(node.func, ast.Name) and node.func.id == "range" and node.args):
        return
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        return
    last = 0 if len(node.args) == 1 else 1
    moves = [(last, 1), (last, -1), *([(0, 1)] if last else [])]
    for position, by in moves:
        arguments = list(node.args)
        arguments[position] = _moved(arguments[position], by)
        yield place.edit("boundary", ast.Call(node.func, arguments, node.keywords))
    if not last:
        yield place.edit(
            "boundary", ast.Call(node.func, [ast.Constant(1), node.args[0]], node.keywords)
        )


# --- Numbers and texts ------------------------------------------------------------------------------------------------


def _constant(place: _Place) -> Iterator[Edit]:
    node = place.node
    assert isinstance(node, ast.Constant)
    value = node.value
    if isinstance(value, bool):
        yield place.edit("constant", ast.Constant(not value))
    elif isinstance(value, int):
        yield place.edit("off_by_one", _number(value + 1))
        yield place.edit("off_by_one", _number(value - 1))
        if abs(value) > 1:
            yield place.edit("constant", ast.Constant(0))
            yield place.edit("constant", _number(-value))
    elif isinstance(value, float):
        yield place.edit("constant", _number(value + 1.0))
        if value:
            yield place.edit("constant", _number(-value))
    elif isinstance(value, str):
        yield place.edit("constant", ast.Constant("" if value else "x"))


def _index(place: _Place) -> Iterator[Edit]:
    """An index that is computed; one that is a number is a constant already."""
    node = place.node
    assert isinstance(node, ast.Subscript)
    index = node.slice
    if isinstance(index, (ast.Slice, ast.Tuple, ast.Constant)) or _literal_number(index):
        return
    for by in (1, -1):
        yield place.edit("off_by_one", ast.Subscript(node.value, _moved(index, by), node.ctx))


# --- What is missing --------------------------------------------------------------------------------------------------


def _call_left_out(place: _Place) -> Iterator[Edit]:
    """`f(x)` and `x.f()` as `x`; then without each of its options."""
    node = place.node
    assert isinstance(node, ast.Call)
    for position in range(len(node.keywords)):
        keywords = [item for index, item in enumerate(node.keywords) if index != position]
        yield place.edit("left_out", ast.Call(node.func, node.args, keywords))
    if isinstance(place.holder, ast.Return):
        return  # that is an early return
    inner = _inner(node)
    if inner is not None:
        yield place.edit("left_out", inner)


def _inner(node: ast.Call) -> ast.expr | None:
    """What a call is made on: its receiver, else its first argument."""
    if isinstance(node.func, ast.Attribute) and not _is_module_like(node.func.value):
        return node.func.value
    if node.args and not isinstance(node.args[0], ast.Starred):
        return node.args[0]
    return None


def _is_module_like(node: ast.expr) -> bool:
    """Whether `node.f(x)` rather is a function of a module or a class, or a text that joins."""
    if isinstance(node, ast.Constant):
        return True
    return isinstance(node, ast.Name) and (node.id in _MODULES or node.id[:1].isupper())


_MODULES = frozenset(
    "math re itertools functools collections operator heapq bisect statistics string random np "
    "datetime fractions decimal cmath copy json hashlib str int float list dict set tuple sys".split()
)


def _statement_left_out(place: _Place) -> Iterator[Edit]:
    if isinstance(place.holder, list):
        yield place.edit("left_out", ast.Pass(), f"{_shown(place.node)} is left out")


def _filter_left_out(place: _Place) -> Iterator[Edit]:
    node = place.node
    assert isinstance(node, ast.comprehension)
    for index, condition in enumerate(node.ifs):
        kept = [item for position, item in enumerate(node.ifs) if position != index]
        line = getattr(condition, "lineno", 0)
        yield Edit("left_out", line, f"if {_shown(condition)} is left out", node, "ifs", kept)


# --- Early returns ----------------------------------------------------------------------------------------------------


def _early(place: _Place) -> Iterator[Edit]:
    """Ends of a function before its end: within its loops, and before each of its later statements."""
    node = place.node
    assert isinstance(node, ast.FunctionDef)
    final = node.body[-1]
    if not isinstance(final, ast.Return) or final.value is None:
        return
    for loop in ast.walk(node):
        if isinstance(loop, (ast.For, ast.While)) and loop.lineno < final.lineno:
            body = [*loop.body, final]
            change = f"{_shown(final)} already after one pass of the loop"
            yield Edit("early_return", loop.lineno, change, loop, "body", body)
    for index in range(1, len(node.body) - 1):
        statement = node.body[index]
        if _is_foreign(statement) or _is_text_statement(statement):
            continue
        body = [*node.body[:index], final]
        change = f"{_shown(final)} already before this line"
        yield Edit("early_return", statement.lineno, change, node, "body", body)


def _step_before_the_end(place: _Place) -> Iterator[Edit]:
    node = place.node
    assert isinstance(node, ast.Return)
    if isinstance(node.value, ast.Call):
        inner = _inner(node.value)
        if inner is not None:
            yield place.edit("early_return", ast.Return(inner))


_MAKERS: tuple[tuple[Any, tuple[Any, ...]], ...] = (
    (ast.BinOp, (_binary,)),
    (ast.AugAssign, (_augmented, _statement_left_out)),
    (ast.BoolOp, (_boolean,)),
    (ast.UnaryOp, (_unary,)),
    (ast.Compare, (_comparison,)),
    ((ast.If, ast.IfExp), (_condition,)),
    (ast.Call, (_named, _range, _call_left_out)),
    (ast.Slice, (_slice,)),
    (ast.Constant, (_constant,)),
    (ast.Subscript, (_index,)),
    ((ast.Expr, ast.Break, ast.Continue), (_statement_left_out,)),
    (ast.comprehension, (_filter_left_out,)),
    (ast.FunctionDef, (_early,)),
    (ast.Return, (_step_before_the_end,)),
)
"""What is made of which nodes."""
