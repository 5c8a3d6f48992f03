"""Evaluation of q parse trees: `eval`, `reval`, and `value` of a list.

A symbol is a variable, a list of one item stands for that item, any other list applies its first item to the
others, which are evaluated from the last to the first. What trees look like is in trees.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.evaluate.trees import SEQUENCE
from q_runtime.prims.registry import PRIMITIVES, UNARY_GLYPHS
from q_runtime.values.functions import HOLE, NIL, Derived, IteratorValue, Nil, Prim, is_function
from q_runtime.values.vectors import Atom, GList, Value, Vec, items_of, text_of, type_number

if TYPE_CHECKING:
    from q_runtime.evaluate.interpreter import Interpreter

_CONTROL = frozenset({"if", "do", "while"})


class TreeEvaluator:
    """Evaluates trees. `read` finds a variable: the session's globals, or a table's columns before them."""

    def __init__(self, host: Interpreter, read: Callable[[str], Value] | None = None) -> None:
        self.host = host
        self.read = read or host.get_global
        self.is_clause = read is not None
        """Whether the tree is a clause of a query, where `$[c;a;b]` is no conditional."""

    def value(self, tree: Value) -> Value:
        """Return the value of a tree."""
        c = type(tree)
        if c is Atom:
            return self.read(tree.v) if tree.t == -11 else tree
        if c is Vec:
            if tree.t != 11 or not len(tree.a):
                return tree
            if len(tree.a) == 1:
                return Atom(-11, tree.a[0])
        elif c is not GList or not tree.items:
            return tree
        items = items_of(tree)
        if len(items) == 1:
            return items[0]
        self.host.poll()
        return self.applied(items[0], items[1:])

    def applied(self, head: Value, rest: list[Value]) -> Value:
        """Apply the head of a tree to the other items."""
        if head is SEQUENCE:
            out: Value = NIL
            for item in rest:
                out = self.value(item)
            return out
        if type(head) is Atom and head.t == -11 and head.v in _CONTROL:
            return self.control(head.v, rest)
        if type(head) is Prim:
            if head.name == "$" and len(rest) > 2 and not self.is_clause:
                return self.conditional(rest)
            if head.name == ":" and len(rest) == 2 and is_target(rest[0]):
                return self.assign(rest[0], None, self.value(rest[1]))
            if len(rest) == 2 and is_target(rest[0]):
                verb = operator_of(head)
                if verb is not None:
                    return self.assign(rest[0], verb, self.value(rest[1]))
        if type(head) is Nil and len(rest) == 2 and is_target(rest[0]):
            return self.assign(rest[0], None, self.value(rest[1]))
        if _is_colon(head) and len(rest) == 2 and is_pattern(rest[0]):
            raise UnsupportedFeature("the tree of an assignment to a pattern cannot be evaluated")
        args = self.arguments(rest)
        if type(head) is IteratorValue:
            return self.derived(head, args)
        f = head if is_function(head) else self.value(head)
        if len(args) > 1 and HOLE in args:
            return self.host.project(f, tuple(args))
        return self.host.apply(f, args)

    def arguments(self, trees: Sequence[Value]) -> list[Value]:
        """Evaluate arguments from the last to the first."""
        out = [HOLE if tree is HOLE else self.value(tree) for tree in reversed(trees)]
        out.reverse()
        return out

    def derived(self, iterator: IteratorValue, args: list[Value]) -> Value:
        """Apply an iterator to a function; the quote also signals and composes."""
        from q_runtime.evaluate.apply import compose, signal

        if iterator.glyph == "'":
            if len(args) > 1:
                return self.host.project(iterator, tuple(args)) if HOLE in args else compose(*args)
            if not is_function(args[0]) and abs(type_number(args[0])) in (10, 11):
                return signal(args[0])
        if len(args) != 1:
            raise QError("rank")
        return Derived(iterator.glyph, args[0])

    def conditional(self, parts: list[Value]) -> Value:
        """`$[c;a;b]`: only the branch that is taken is evaluated."""
        from q_runtime.evaluate.apply import truth

        for i in range(0, len(parts) - 1, 2):
            if truth(self.value(parts[i])):
                return self.value(parts[i + 1])
        return self.value(parts[-1]) if len(parts) % 2 else NIL

    def control(self, word: str, parts: list[Value]) -> Value:
        """`if`, `do` and `while`."""
        from q_runtime.evaluate.apply import times, truth

        condition, body = parts[0], parts[1:]
        if word == "do":
            for _ in range(times(self.value(condition))):
                self.host.poll()
                self.run(body)
        elif word == "if":
            if truth(self.value(condition)):
                self.run(body)
        else:
            while truth(self.value(condition)):
                self.host.poll()
                self.run(body)
        return NIL

    def run(self, trees: Sequence[Value]) -> None:
        """Evaluate trees one after another for their effect."""
        for tree in trees:
            self.value(tree)

    def assign(self, target: Value, verb: Value | None, new: Value) -> Value:
        """Assign a global, or items of one, plainly or through an operator."""
        from q_runtime.prims.amend import amend

        host = self.host
        if type(target) is Atom:
            name = target.v
            made = new if verb is None else self.joined(name, verb, new)
            host.set_global(host.globals.full_name(name), made)
            return made
        parts = items_of(target)
        name = parts[0].v
        indices = tuple(NIL if i is HOLE else i for i in self.arguments(parts[1:]))
        changed = amend(host, host.get_global(name), indices, verb, new)
        host.set_global(host.globals.full_name(name), changed)
        return new if verb is None else host.apply(changed, indices)

    def joined(self, name: str, verb: Value, new: Value) -> Value:
        """Return what a variable holds after `x,:new`, or after an assignment through another operator."""
        from q_runtime.prims.joining import append_assign

        old = self.host.get_global(name)
        if type(verb) is Prim and verb.name == ",":
            return append_assign(old, new)
        return self.host.apply(verb, (old, new))


def is_target(tree: Value) -> bool:
    """Say whether a tree can be assigned to: a variable or items of one."""
    if type(tree) is Atom:
        return tree.t == -11
    if type(tree) is Vec:
        return tree.t == 11 and len(tree.a) > 1
    if type(tree) is not GList or len(tree.items) < 2:
        return False
    first = tree.items[0]
    return type(first) is Atom and first.t == -11


def _is_colon(head: Value) -> bool:
    return type(head) is Nil or (type(head) is Prim and head.name == ":")


def is_pattern(tree: Value) -> bool:
    """Say whether a tree is that of a list, a dictionary or a table, which a value may be assigned to part by part."""
    head = tree.items[0] if type(tree) is GList and len(tree.items) > 1 else None
    return type(head) is Prim and head.name in ("enlist", "!", "flip")


def operator_of(f: Prim) -> Value | None:
    """Return the operator whose one-argument form `f` is, None when it is none: `+` for `+:`."""
    glyph = f.name if f.name in UNARY_GLYPHS else f.shown
    return PRIMITIVES[glyph[0]] if glyph in UNARY_GLYPHS else None


def value_of_list(host: Interpreter, x: Value) -> Value:
    """`value` of a list: the first item (a function, a name or text of one) applied to the others as they are."""
    items = items_of(x)
    f, args = items[0], items[1:]
    t = type_number(f)
    if abs(t) == 10:
        f = host.evaluate(text_of(f))
    elif t == -11:
        f = host.get_global(f.v)
    if type(f) is IteratorValue and len(args) == 1:
        return Derived(f.glyph, args[0])
    return host.apply(f, args) if args else f
