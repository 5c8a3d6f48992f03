"""Views: `name::expression` at the top level names an expression, evaluated when it is read and its inputs changed.

A view is kept apart from the variables, so that reading a variable costs nothing more. What it depends on are the
globals that its own expression reads, not those that functions in it read.
"""

from __future__ import annotations

from collections.abc import Callable

from q_runtime.errors import QError
from q_runtime.values.dicts import Dict
from q_runtime.values.functions import NIL, View
from q_runtime.values.vectors import Atom, GList, Value, Vec, items_of, string, symbols


class Views:
    """The views of a session, by full name.

    values: the session's variables; evaluate: runs the text of a view in a namespace.
    """

    def __init__(self, values: dict[str, Value], evaluate: Callable[[str, str], Value]) -> None:
        self._values = values
        self._evaluate = evaluate
        self.by_name: dict[str, View] = {}

    def define(self, view: View) -> None:
        """Make or replace a view; a variable of that name is gone."""
        self._values.pop(view.name, None)
        self.by_name[view.name] = view
        self.invalidate(view.name)

    def find(self, name: str) -> View | None:
        """Return a view that no variable hides; a hidden one is forgotten."""
        view = self.by_name.get(name)
        if view is not None and name in self._values:
            del self.by_name[name]
            return None
        return view

    def names(self) -> list[str]:
        """Return the names of the views, sorted."""
        return sorted(name for name in list(self.by_name) if self.find(name) is not None)

    def pending(self) -> list[str]:
        """Return the names of the views that would be evaluated if they were read, sorted."""
        return [name for name in self.names() if not self._is_current(self.by_name[name], set())]

    def invalidate(self, name: str) -> None:
        """Note that `name` was assigned: the views that depend on it have to be evaluated again."""
        for view in list(self.by_name.values()):
            if name in view.depends and view.is_valid:
                view.is_valid = False
                self.invalidate(view.name)

    def value(self, view: View) -> Value:
        """Return the value of a view, evaluated if need be.

        Raises: QError('loop') for a view that depends on itself.
        """
        if self._is_current(view, set()):
            return view.cached
        if view.is_running:
            raise QError("loop", f"{view.name} depends on itself")
        view.is_running = True
        try:
            view.cached = self._evaluate(view.text, view.namespace)
        finally:
            view.is_running = False
        view.is_valid = True
        view.seen = [self._held(name) for name in view.depends]
        return view.cached

    def dependents(self) -> Value:
        """Return which views depend on which names (`.z.b`)."""
        out: dict[str, list[str]] = {}
        for view in list(self.by_name.values()):
            for name in view.depends:
                out.setdefault(name, []).append(view.name)
        return Dict(symbols(out), GList([symbols(names) for names in out.values()]))

    def _held(self, name: str) -> Value | None:
        view = self.find(name)
        return view.cached if view is not None else self._values.get(name)

    def _is_current(self, view: View, above: set[str]) -> bool:
        if not view.is_valid or view.is_running:
            return False
        above.add(view.name)
        for name, seen in zip(view.depends, view.seen, strict=True):
            if name in above:
                continue
            other = self.find(name)
            if other is not None and not self._is_current(other, above):
                return False
            if self._held(name) is not seen:
                return False
        return True


def depends_on(tree: Value) -> list[str]:
    """Return the variables that a parse tree reads, in order of first appearance."""
    found: dict[str, None] = {}

    def walk(x: Value) -> None:
        if type(x) is Atom and x.t == -11:
            if not x.v.startswith(".z."):
                found[x.v] = None
        elif type(x) is GList and len(x.items) != 1:
            for item in x.items:
                walk(item)
        elif type(x) is Vec and x.t == 11 and len(x.a) > 1:
            for item in items_of(x):
                walk(item)

    walk(tree)
    return list(found)


def view_parts(view: View) -> Value:
    """Return what `value` gives for a view: its value, parse tree, dependencies and text."""
    cached = view.cached if view.is_valid else NIL
    return GList([cached, view.tree, symbols(view.depends), string(view.text)])
