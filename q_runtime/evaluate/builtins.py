"""The built-in namespaces `.Q`, `.h`, `.j`, `.q`, `.o` and `.z`: a member exists when it is first used.

A member is a registered primitive (prims/), a text in q (prelude/) or, in `.z`, read anew each time (dotz.py). What
has been used is kept by the session; q code may assign another value to its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from q_runtime import prelude
from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.lang.members import ACCESS, NAMES, ROOT_NAMESPACE, UNSET
from q_runtime.prims.registry import CONSTANTS, MEMBERS, PRIMITIVES
from q_runtime.values.dicts import Dict
from q_runtime.values.functions import Lambda, Prim
from q_runtime.values.vectors import GList, Value

if TYPE_CHECKING:
    from q_runtime.evaluate.interpreter import Interpreter

SPACES = (".q", ".Q", ".h", ".j", ".o")
"""The namespaces that every session has, in the order in which kdb+ lists them."""


def find_member(host: Interpreter, name: str) -> Value | None:
    """Return a member of a built-in namespace by its full name, None when no such member is known.

    Raises: QError(name) for what is undefined until it is assigned; UnsupportedFeature for what kdb+ has and we lack.
    """
    if name in host.members:
        return host.members[name]
    space, _, short = name.rpartition(".")
    if space == ".z":
        from q_runtime.evaluate.dotz import read

        return read(host, short)
    if space not in SPACES:
        return None
    if space == ".q":
        return _keyword(short) if short in ROOT_NAMESPACE else None
    value = _made(host, space, short)
    if value is not None:
        host.members[name] = value
    return value


def _keyword(short: str) -> Value | None:
    return CONSTANTS.get(short) or PRIMITIVES.get(short)


def _made(host: Interpreter, space: str, short: str) -> Value | None:
    name = f"{space}.{short}"
    if name in MEMBERS:
        return MEMBERS[name]
    member = prelude.members(space).get(short)
    if member is not None:
        value = host.evaluate_in(member.source, space)
        functions = [value] if type(value) is Lambda else _functions(value)
        texts = member.shown or ("",) * len(functions)
        for function, text in zip(functions, texts, strict=True):
            if type(function) is Lambda:
                function.shown = text
        return value
    if name in ACCESS:
        return _refused(name)
    if name in UNSET:
        raise QError(name, "not defined until a database is loaded")
    if short in NAMES[space]:
        raise UnsupportedFeature(f"{name} is not supported yet")
    return None


def _functions(x: Value) -> list[Value]:
    return x.v.items if type(x) is Dict and type(x.v) is GList else []


def _refused(name: str) -> Prim:
    """Return the stand-in for a member that would reach outside the session: applied, it signals 'access."""

    def refused(host: Interpreter, *_: Value) -> Value:
        host.refuse(name)

    made = Prim(name, refused, tuple(range(1, 9)), needs_host=True)
    made.shown, made.t = "", 100
    return made


def member_names(space: str) -> list[str]:
    """Return the short names of the members that a built-in namespace has here; empty for other namespaces."""
    if space == ".q":
        return [name for name in ROOT_NAMESPACE if _keyword(name) is not None]
    if space not in SPACES:
        return []
    ours = {name[len(space) + 1 :] for name in MEMBERS if name.startswith(space + ".")}
    ours.update(prelude.members(space))
    ours.update(name[len(space) + 1 :] for name in ACCESS if name.startswith(space + "."))
    listed = [name for name in NAMES[space] if name in ours]
    return listed + sorted(ours.difference(listed))
