r"""Console commands that make sense in memory, such as `\d .a`, `\t expr` and `\v`; `system` runs the same.

Commands that would reach files, processes or sockets signal 'access. Settings that a session has no use for (`\e`,
`\g`, `\W` and the like) are kept and answered, where kdb+'s results do not depend on them.
"""

from __future__ import annotations

import re
import resource
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.prims.parsing import put_day_first
from q_runtime.prims.sessions import sorted_names
from q_runtime.values.dicts import Dict, Table
from q_runtime.values.functions import NIL, is_function
from q_runtime.values.qtypes import INT_NULL
from q_runtime.values.vectors import Atom, Value, longs, symbols, vector

if TYPE_CHECKING:
    from q_runtime.evaluate.interpreter import Interpreter

Answer = tuple[Value, bool]
"""A value, and whether a console stays silent about it."""

_SILENT: Answer = (NIL, True)
_INTEGER = re.compile(r"-?[0-9]{1,9}i?")
_SPACE_NAME = re.compile(r"\.|(\.[A-Za-z][A-Za-z0-9_]*)+")
SETTINGS = {"e": 0, "g": 0, "o": INT_NULL, "p": 0, "s": 0, "T": 0, "W": 2, "z": 0}
"""Settings that are an int, with what they are in a new session."""
_ACCEPTED = frozenset("egTWz")
"""Settings that may be changed: of the order of day and month, and those without a bearing on results."""


def run_command(host: Interpreter, text: str) -> Answer:
    """Run the command `text` (without its backslash).

    Raises: QError('access') for a command that is none of q's: kdb+ would hand it to the operating system.
    """
    word, _, rest = text.partition(" ")
    rest = rest.strip()
    word, _, count = word.partition(":")
    if word in ("t", "ts"):
        return _timed(host, word, rest, count)
    rest = "" if rest.startswith("/") else rest.split(" /")[0].rstrip()
    made = COMMANDS.get(word)
    if made is not None:
        return made(host, rest)
    if word in SETTINGS:
        return _setting(host, word, rest)
    if word == "x" and rest:
        host.globals.delete([rest])
        return _SILENT
    if word in ("x", "u"):
        raise UnsupportedFeature(f"the command \\{word} is not supported yet")
    host.refuse(f"\\{word}")


def _integer(command: str, word: str) -> int:
    """Read an argument of a command.

    Raises: UnsupportedFeature for what is no int.
    """
    if not _INTEGER.fullmatch(word):
        raise UnsupportedFeature(f"the command \\{command} with {word!r} is not supported")
    return int(word.rstrip("i"))


def _setting(host: Interpreter, word: str, rest: str) -> Answer:
    if not rest:
        return Atom(-6, host.settings.get(word, SETTINGS[word])), False
    if word == "p":
        if host.connections is None:
            host.refuse("\\p")
        host.settings["p"] = host.connections.listen(rest)
        return _SILENT
    number = _integer(word, rest)
    if word not in _ACCEPTED and number != SETTINGS[word]:
        raise UnsupportedFeature(f"the command \\{word} {rest} is not supported")
    host.settings[word] = number
    if word == "z":
        put_day_first(bool(number))
    return _SILENT


def _precision(host: Interpreter, rest: str) -> Answer:
    if not rest:
        return Atom(-6, host.precision), False
    host.precision = min(17, max(0, _integer("P", rest)))
    return _SILENT


def _seed(host: Interpreter, rest: str) -> Answer:
    if not rest:
        return Atom(-6, host.seed), False
    host.seed = _integer("S", rest)
    host.random.seed(host.seed)
    return _SILENT


def _size(command: str, rest: str) -> tuple[int, int]:
    words = rest.split()
    if len(words) != 2:
        raise UnsupportedFeature(f"the command \\{command} with {rest!r} is not supported")
    rows, columns = (min(2000, max(10, _integer(command, word))) for word in words)
    return rows, columns


def _console(host: Interpreter, rest: str) -> Answer:
    if not rest:
        return vector(6, host.console_size), False
    host.console_size = _size("c", rest)
    return _SILENT


def _browser(host: Interpreter, rest: str) -> Answer:
    if not rest:
        return vector(6, host.browser_size), False
    host.browser_size = _size("C", rest)
    return _SILENT


def _directory(host: Interpreter, rest: str) -> Answer:
    if not rest:
        return Atom(-11, host.globals.namespace or "."), False
    if not _SPACE_NAME.fullmatch(rest):
        raise QError(rest, "the name of a namespace begins with a dot")
    host.globals.namespace = "" if rest == "." else rest
    return _SILENT


def _timed(host: Interpreter, word: str, rest: str, count: str) -> Answer:
    if not rest and word == "t":
        return Atom(-6, 0), False
    if word == "t" and not count and _INTEGER.fullmatch(rest):
        if int(rest.rstrip("i")):
            raise UnsupportedFeature("a session has no timer")
        return _SILENT
    times = _integer(word, count or "1")
    started = time.perf_counter()
    for _ in range(times):
        host.run(rest)
    elapsed = int((time.perf_counter() - started) * 1000)
    return (elapsed if word == "t" else longs([elapsed, 0])), False


def _workspace(host: Interpreter, rest: str) -> Answer:
    r"""`\w` and `\w 0`: what a session can tell is the most memory that its process has held, in bytes.

    That stands for what is in use, for the heap and for its peak. Symbols are not counted, and what the machine has
    is not told.
    """
    if rest == "0":
        return longs([0, 0]), False
    if rest:
        raise UnsupportedFeature("the memory of a session is bounded by its limits")
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return longs([held, held, held, 0, 0, 0]), False


def _pending(host: Interpreter, rest: str) -> Answer:
    return symbols(host.globals.views.pending()), False


def _views(host: Interpreter, rest: str) -> Answer:
    return sorted_names(host.view_names()), False


def _write_access(host: Interpreter, rest: str) -> Answer:
    """Whether clients are kept from writing."""
    if rest:
        raise UnsupportedFeature("no script can be hidden in a session")
    return Atom(-1, False), False


def _lister(belongs: Callable[[Value], bool]) -> Callable[[Interpreter, str], Answer]:
    """Return the command that lists the names whose values `belongs` accepts."""

    def command(host: Interpreter, rest: str) -> Answer:
        space = rest or host.globals.namespace
        prefix = f"{space}." if space and space != "." else ""
        found = []
        for name, value in host.globals.values.items():
            short = name[len(prefix) :]
            if name.startswith(prefix) and short and "." not in short and belongs(value):
                found.append(short)
        return sorted_names(sorted(found)), False

    return command


def _is_table(x: Value) -> bool:
    return type(x) is Table or (type(x) is Dict and x.is_keyed_table)


COMMANDS: dict[str, Callable[[Interpreter, str], Answer]] = {
    "P": _precision, "S": _seed, "c": _console, "C": _browser, "d": _directory, "b": _views, "B": _pending,
    "w": _workspace, "_": _write_access,
    "a": _lister(_is_table), "f": _lister(is_function), "v": _lister(lambda x: not is_function(x)),
}  # fmt: skip
"""Commands with an answer of their own, by letter."""
