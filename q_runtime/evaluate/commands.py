r"""Console commands that make sense in memory: \\P \\c \\d \\S \\t \\ts \\v \\f \\a. Others signal 'access."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from q_runtime.errors import UnsupportedFeature
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.functions import NIL, Lambda
from q_runtime.values.vectors import Atom, Value, longs, symbols, vector

if TYPE_CHECKING:
    from q_runtime.evaluate.interpreter import Interpreter


def run_command(host: Interpreter, text: str) -> tuple[Value, bool]:
    """Run the command `text` (without its backslash); returns its value and whether it is silent."""
    word, _, rest = text.partition(" ")
    rest = rest.split(" /")[0].strip() if word not in ("t", "ts") else rest.strip()
    word, _, count = word.partition(":")
    if word == "P":
        return _precision(host, rest)
    if word == "c":
        return _console(host, rest)
    if word == "d":
        return _directory(host, rest)
    if word == "S":
        if rest:
            host.random.seed(int(rest))
        return NIL, True
    if word in ("t", "ts"):
        return _timed(host, word, rest, int(count or 1))
    if word in ("v", "f", "a"):
        return symbols(_names(host, word, rest)), False
    if word in ("B", "b", "C", "e", "g", "o", "p", "s", "u", "w", "W", "x", "z"):
        raise UnsupportedFeature(f"the command \\{word} is not supported yet")
    host.refuse(f"\\{word}")


def _precision(host: Interpreter, rest: str) -> tuple[Value, bool]:
    if not rest:
        return Atom(-6, host.precision), False
    host.precision = int(rest)
    return NIL, True


def _console(host: Interpreter, rest: str) -> tuple[Value, bool]:
    if not rest:
        return vector(6, host.console_size), False
    rows, columns = (int(word) for word in rest.split())
    host.console_size = (min(2000, max(10, rows)), min(2000, max(10, columns)))
    return NIL, True


def _directory(host: Interpreter, rest: str) -> tuple[Value, bool]:
    if not rest:
        return Atom(-11, host.globals.namespace or "."), False
    host.globals.namespace = "" if rest == "." else rest
    return NIL, True


def _timed(host: Interpreter, word: str, rest: str, count: int) -> tuple[Value, bool]:
    started = time.perf_counter()
    for _ in range(count):
        host.run(rest)
    elapsed = int((time.perf_counter() - started) * 1000)
    return (elapsed if word == "t" else longs([elapsed, 0])), False


def _names(host: Interpreter, word: str, rest: str) -> list[str]:
    """Return names in a namespace: variables, functions or tables, sorted."""
    space = rest if rest.startswith(".") and rest != "." else ""
    prefix = f"{space}." if space else ""
    out = []
    for name, value in host.globals.values.items():
        if not name.startswith(prefix) or "." in name[len(prefix) :]:
            continue
        is_table = type(value) is Table or (type(value) is Dict and value.is_keyed_table)
        is_function = type(value) is Lambda
        if (
            (word == "a" and is_table)
            or (word == "f" and is_function)
            or (word == "v" and not is_function)
        ):
            out.append(name[len(prefix) :])
    return sorted(out)
