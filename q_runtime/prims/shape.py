"""Shape: flip, each-like keywords (each over scan prior peach), apply `@` and `.`.

`@` and `.` with three or four arguments are the traps and the functional amends.
"""

from __future__ import annotations

from typing import Any

from q_runtime.errors import QError
from q_runtime.prims.amend import MISSING, amend_at, amend_deep
from q_runtime.prims.registry import Host, primitive
from q_runtime.values.dicts import Dict, Table, TableAbroad, make_table
from q_runtime.values.functions import HOLE, MOST_ARGUMENTS, NIL, Derived, Nil, is_function
from q_runtime.values.vectors import (
    Atom,
    GList,
    Value,
    Vec,
    collapse,
    is_list,
    items_of,
    length,
    raw_of,
    string,
    symbols,
    type_number,
)


@primitive("flip")
def flip(x: Value) -> Value:
    """Transpose a list of lists; a table from a column dictionary and back."""
    if type(x) is Dict:
        if x.is_keyed_table:
            raise QError("nyi")
        if type(x.v) is Atom:
            return TableAbroad(x.k, x.v)
        return make_table(x)
    if type(x) is Table:
        return Dict(symbols(x.names), GList(list(x.cols)))
    if type(x) is not GList:
        raise QError("rank" if is_list(x) or type_number(x) < 0 else "type")
    rows = [r for r in x.items if is_list(r)]
    if not rows:
        raise QError("rank" if x.items else "length")
    n = length(rows[0])
    if any(length(r) != n for r in rows):
        raise QError("length")
    columns = [items_of(r) if is_list(r) else [r] * n for r in x.items]
    return GList([collapse([c[i] for c in columns]) for i in range(n)])


def _iterator_keyword(name: str, glyph: str) -> None:
    def keyword(host: Host, f: Value, x: Value) -> Value:
        if not (
            is_function(f) or type(f) in (Vec, GList, Dict, Table) or type_number(f) in (-11, 101)
        ):
            raise QError("type", f"{name}: expected a function on the left")
        if type(f) is Atom:
            f = host.get_global(f.v)
        return host.apply(Derived(glyph, f), (x,))

    keyword.__doc__ = f"Apply the function on the left with the iterator {glyph}."
    primitive(name, 2, host=True)(keyword)


for _name, _glyph in (
    ("each", "'"),
    ("peach", "'"),
    ("over", "/"),
    ("scan", "\\"),
    ("prior", "':"),
):
    _iterator_keyword(_name, _glyph)


def _resolve(host: Host, d: Value) -> tuple[Value, str | None]:
    """Return the value to amend and the name to store it under, when given by name."""
    if type(d) is Atom and d.t == -11 and d.v:
        return host.get_global(d.v), d.v
    return d, None


def _whole(host: Host, name: str, f: Value, y: Value) -> Value:
    """Return the new value of a whole variable, which need not exist when it is replaced or appended to."""
    if f.name == ":":
        return y
    try:
        old = host.get_global(name)
    except QError:
        if f.name != ",":
            raise
        old = GList([])
    return host.apply(f, [old, y])


def _store(host: Host, name: str | None, made: Value) -> Value:
    if name is None:
        return made
    host.set_global(name, made)
    return Atom(-11, name)


def _check_count(f: Value, args: list[Value]) -> None:
    """Refuse more than eight arguments in a list, also to `enlist`, which takes more in brackets.

    Raises: QError('rank').
    """
    if len(args) > MOST_ARGUMENTS and is_function(f):
        raise QError("rank", f"{len(args)} arguments")


def _applier(host: Any, f: Value, args: list[Value]) -> Any:
    """Return the service that takes `f` and its arguments: one left out makes a projection."""
    return host.project if HOLE in args and is_function(f) else host.apply


def _trapped(host: Any, f: Value, args: list[Value], handler: Value) -> Value:
    """Apply; when q signals, give the handler the error text, or return it as it is."""
    depth = host.budget.depth
    try:
        _check_count(f, args)
        return _applier(host, f, args)(f, tuple(args))
    except (QError, RecursionError) as error:
        code = error.code if isinstance(error, QError) else "stack"
    # Only here, where the error is gone: each that a handler meets would else hold all that came before it.
    host.budget.depth = depth
    if is_function(handler) or type(handler) is Nil:
        return host.apply(handler, [string(code)])
    return handler


def _is_handle(host: Host, x: Value) -> bool:
    """Say whether a value is 0, the session itself, or can be a handle to another process."""
    return type_number(x) in (-6, -7) and (raw_of(x) == 0 or host.connections is not None)


@primitive("@", 2, 3, 4, host=True)
def at(host: Host, x: Value, y: Value, *rest: Value) -> Value:
    """Apply or index; with more arguments the trap or the amend. Source: KX ref/apply, ref/amend."""
    if not rest:
        if type(x) is Atom and x.t == -11:
            x = host.get_global(x.v)
        return host.at(x, y)  # type: ignore[attr-defined]
    if len(rest) == 1 and (is_function(x) or _is_handle(host, x)):
        return _trapped(host, x, [y], rest[0])
    d, name = _resolve(host, x)
    if name is not None and is_function(d) and len(rest) == 1:
        return _trapped(host, d, [y], rest[0])
    f, *value = rest
    if not value and not (is_function(f) or type(f) in (Dict, Vec, GList, Nil)):
        raise QError("type")
    if type(d) not in (Vec, GList, Dict, Table):
        raise QError("type")
    return _store(host, name, amend_at(host, d, y, f, value[0] if value else MISSING))


@primitive(".", 2, 3, 4, host=True)
def dot(host: Host, x: Value, y: Value, *rest: Value) -> Value:
    """Apply to a list of arguments or index at depth; with more arguments the trap or the amend."""
    if not rest:
        if type(x) is Atom and x.t == -11:
            x = host.get_global(x.v)
        if not is_list(y):
            raise QError("type")
        args = items_of(y)
        if not args and not is_function(x):
            return x
        _check_count(x, args)
        return _applier(host, x, args)(x, tuple(args) or (NIL,))
    if len(rest) == 1 and is_list(y):
        f, _ = _resolve(host, x)
        if is_function(f):
            return _trapped(host, f, items_of(y) or [NIL], rest[0])
    f, *value = rest
    if not is_list(y):
        raise QError("type")
    from q_runtime.values.functions import Prim

    if value and not length(y) and type(x) is Atom and x.t == -11 and x.v and type(f) is Prim:
        return _store(host, x.v, _whole(host, x.v, f, value[0]))
    d, name = _resolve(host, x)
    if type(d) not in (Vec, GList, Dict, Table) and length(y):
        raise QError("type")
    if value and type(f) is Prim and f.name == ":":
        f = None
    path = items_of(y)
    if not path and value and f is None:
        return _store(host, name, value[0])
    made = amend_deep(host, d, path, f, value[0] if value else MISSING)
    return _store(host, name, made)


@primitive(":", 2)
def assign(x: Value, y: Value) -> Value:
    """The right argument; as an operator of amend, replacement."""
    return y


@primitive("::", 1)
def identity(x: Value) -> Value:
    """The argument."""
    return x
