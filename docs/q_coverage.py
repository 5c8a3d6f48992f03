"""Writes `docs/q-coverage.md`, what of q the embedded engine has, from the engine itself: `make docs`.

The lists of what there is come from `q_runtime/lang/`; the state of each comes from the tables of primitives and from
the text of their functions. Only what is known to be incomplete is said here, in PARTS. A test compares the page with
what this would write.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "docs" / "q-coverage.md"

INTRODUCTION = """\
# What of q the embedded engine has

*whole*: every documented form. *part*: the note says what is missing. *access*: it would reach outside the session
(files, network, environment, other processes), so it signals `'access` and is listed in `session.denied`. *not here*: a
gap; it raises `UnsupportedFeature`, which q code cannot trap.

Members of `.z` that have a neutral value are constants: a session has no process, host, user or socket. Handlers in
`.z` may be assigned and nothing calls them.

This page is written by `make docs` from the engine.
"""

SERVED = {"pg", "ps", "po", "pc", "pw"}
"""Handlers that a server calls."""

PARTS = {
    "hopen": "q processes only, where the host grants connections, as the console does; elsewhere `'access`",
    "hclose": "what `hopen` opened; elsewhere `'access`",
    "like": "patterns with more than two stars, as kdb+ itself limits them",
    "?": "random numbers follow the session's seed, not the generator of kdb+",
    "rand": "random numbers follow the session's seed, not the generator of kdb+",
    "ltime": "local time is UTC",
    "gtime": "local time is UTC",
    "peach": "one thread: the same as each",
    ".Q.en": "only in memory, `.Q.en[::;t]`; folders are refused",
    ".Q.ens": "only in memory, `.Q.ens[::;t;name]`; folders are refused",
    ".Q.id": "not of a list of symbols",
    ".Q.fc": "one thread: applies the function once",
    ".Q.gc": "frees nothing, returns 0",
    ".Q.ts": "the time; bytes are not counted, as with `\\ts`",
    ".Q.qp": "no table here is partitioned",
    ".j.j": "not of integer infinities and temporal nulls",
    ".j.jd": "not of integer infinities and temporal nulls",
    ".h.tx": "not xls",
    "0:": "text in memory; files are refused",
    "1:": "bytes in memory; files are refused",
    "set": "names in memory; files are refused",
    "get": "names in memory; files are refused",
    "value": "names in memory; files are refused; of a lambda all but the byte code and its places",
    "key": "names in memory; files are refused",
    "vs": "digits of whole numbers from 0 on; not of negative ones, nulls, floats and times",
    "system": "commands of the console; those of the operating system are refused",
}
OPERATORS = tuple(": :: + - * % & | ^ = <> < <= > >= ~ $ # _ , ! ? @ . 0: 1: 2:".split())
IN_SYNTAX = frozenset({":", "::", "if", "do", "while", "select", "exec", "update", "delete"})
"""What the compiler knows, with no primitive behind it."""

State = tuple[str, str]


def render() -> str:
    """The page as text."""
    sys.path.insert(0, str(REPOSITORY))
    from q_runtime import prims
    from q_runtime.lang.keywords import RESERVED
    from q_runtime.lang.members import NAMES, ROOT_NAMESPACE

    prims.load()
    words = sorted(RESERVED | set(ROOT_NAMESPACE))
    parts = [INTRODUCTION]
    parts.append(_table("Operators", ((name, _primitive(name)) for name in OPERATORS)))
    parts.append(_table("Keywords", ((name, _primitive(name)) for name in words)))
    for space in (".Q", ".h", ".j"):
        rows = ((f"{space}.{name}", _member(space, name)) for name in sorted(NAMES[space]))
        parts.append(_table(space, rows))
    parts.append(_table(".z", ((f".z.{name}", _dotz(name)) for name in sorted(NAMES[".z"]))))
    parts.append(_table("Internal functions", _internal()))
    return "\n".join(parts)


def _table(title: str, rows: Iterable[tuple[str, State]]) -> str:
    """A heading and a row for each name."""
    lines = [f"## {title}\n", "| name | state | note |", "| --- | --- | --- |"]
    lines += [
        f"| {_code(name)} | {state} | {note} |".replace("  |", " |") for name, (state, note) in rows
    ]
    return "\n".join([*lines, ""])


def _code(name: str) -> str:
    return f"`{name}`".replace("|", "\\|")


def _primitive(name: str) -> State:
    """The state of an operator or a keyword."""
    from q_runtime.prims.registry import CONSTANTS, PRIMITIVES

    if name in IN_SYNTAX or name in CONSTANTS:
        return "whole", ""
    prim = PRIMITIVES.get(name)
    return ("not here", "") if prim is None else _function(name, prim.fn)


def _function(name: str, fn: Callable[..., Any]) -> State:
    """The state of a registered function: one that does nothing but refuse or raise is a gap."""
    if (fn.__doc__ or "").startswith("Refused:"):
        return "access", ""
    if name in PARTS:
        return "part", PARTS[name]
    body = ast.parse(textwrap.dedent(inspect.getsource(fn))).body[0].body  # type: ignore[attr-defined]
    first = body[1] if len(body) > 1 and isinstance(body[0], ast.Expr) else body[0]
    is_gap = isinstance(first, ast.Raise) and "UnsupportedFeature" in ast.unparse(first)
    return ("not here", "") if is_gap else ("whole", "")


def _member(space: str, name: str) -> State:
    """The state of a member of `.Q`, `.h` or `.j`."""
    from q_runtime import prelude
    from q_runtime.lang.members import ACCESS, UNSET
    from q_runtime.prims.registry import MEMBERS

    full = f"{space}.{name}"
    if full in MEMBERS:
        return _function(full, MEMBERS[full].fn)
    if name in prelude.members(space):
        return ("part", PARTS[full]) if full in PARTS else ("whole", "")
    return ("access", "") if full in ACCESS or full in UNSET else ("not here", "")


def _dotz(name: str) -> State:
    """The state of a member of `.z`."""
    from q_runtime.evaluate.dotz import CLOCKS, NEUTRAL, OF_CALLER
    from q_runtime.lang.members import HANDLERS

    if name in ("b", "r"):
        return "whole", ""
    if name in SERVED:
        return "part", "a handler, called where a port is served"
    if name in NEUTRAL or name in OF_CALLER:
        return "part", "a neutral value" + (", or the client's" if name in OF_CALLER else "")
    if name in HANDLERS:
        return "part", "a handler"
    return ("whole", "") if name.lower() in CLOCKS else ("not here", "")


def _internal() -> list[tuple[str, State]]:
    """The states of the internal functions, by number; one that is a keyword has that keyword's state."""
    from q_runtime.prims.internal import ACCESS, KEYWORDS, numbers

    known: dict[int, State] = {n: ("whole", "") for n in numbers()}
    known |= {n: (_primitive(name)[0], f"`{name}`") for n, name in KEYWORDS.items()}
    known |= {n: ("access", "") for n in ACCESS}
    known |= {n: ("not here", "") for n in (-10, -14, -16)}
    return [(f"{n}!", known[n]) for n in sorted(known, reverse=True)]


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(REPOSITORY)}")
