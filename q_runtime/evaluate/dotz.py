"""The `.z` namespace: the clock, and what a process tells about itself.

A session has no process, host, user or socket of its own, so these members have neutral values, unless a host that
serves clients sets them: whom it evaluates for, its open handles, and its command line. The clock is the session's,
which a host may freeze (`Session(clock=...)`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.lang.members import HANDLERS, NAMES
from q_runtime.values import qtypes as qt
from q_runtime.values.dicts import Dict
from q_runtime.values.functions import NIL
from q_runtime.values.vectors import EMPTY_SYMBOL, Atom, GList, Value, empty, string, symbol

if TYPE_CHECKING:
    from q_runtime.evaluate.interpreter import Interpreter

_EPOCH_NS = 946_684_800_000_000_000


class Caller(NamedTuple):
    """For whom q is evaluated: `.z.w`, `.z.u` and `.z.a`."""

    handle: int
    user: str
    address: int
    """The IPv4 address as an int with a sign."""


NOBODY = Caller(0, "", 0)

NEUTRAL: dict[str, Callable[[], Value]] = {
    "c": lambda: Atom(-6, 1),
    "f": lambda: EMPTY_SYMBOL,
    "H": lambda: empty(6),
    "h": lambda: symbol("localhost"),
    "i": lambda: Atom(-6, 1),
    "K": lambda: 4.1,
    "k": lambda: Atom(-14, 9180),
    "o": lambda: symbol("l64"),
    "q": lambda: False,
    "s": lambda: NIL,
    "W": lambda: Dict(empty(6), empty(7)),
    "X": lambda: GList([string("q")]),
    "x": lambda: GList([]),
}
"""What the members say that need no clock: a single-threaded 4.1 on Linux, called by no one."""

OF_CALLER: dict[str, Callable[[Caller], Value]] = {
    "a": lambda caller: Atom(-6, caller.address),
    "u": lambda caller: symbol(caller.user),
    "w": lambda caller: Atom(-6, caller.handle),
}
"""What the members say about the one for whom q is evaluated."""


def read(host: Interpreter, what: str) -> Value | None:
    """Read `.z.<what>`; None when kdb+ has no such member either.

    Raises: QError for a handler that is not assigned; UnsupportedFeature for a member that is missing here.
    """
    assigned = host.globals.values.get(f".z.{what}")
    if assigned is not None:
        return assigned
    if what.lower() in CLOCKS and what in NAMES[".z"]:
        return CLOCKS[what.lower()](host.clock_ns() - _EPOCH_NS)
    if what == "b":
        return host.globals.views.dependents()
    if what == "r":
        return host.is_restricted
    if what in host.facts:
        return host.facts[what]()
    if what in OF_CALLER:
        return OF_CALLER[what](host.peer)
    if what in NEUTRAL:
        return NEUTRAL[what]()
    if what in HANDLERS and what != "ph":
        raise QError(f".z.{what}", "not assigned")
    if what in NAMES[".z"]:
        raise UnsupportedFeature(f".z.{what} is not supported yet")
    return None


CLOCKS: dict[str, Callable[[int], Value]] = {
    "p": lambda ns: Atom(-12, ns),
    "d": lambda ns: Atom(-14, ns // qt.NS_PER_DAY),
    "t": lambda ns: Atom(-19, ns % qt.NS_PER_DAY // 1_000_000),
    "n": lambda ns: Atom(-16, ns % qt.NS_PER_DAY),
    "z": lambda ns: Atom(-15, ns // 1_000_000 * 1_000_000 / qt.NS_PER_DAY),
}
"""Readings by lower-case letter; the capitals are local time, here the same."""


def check_assignable(name: str) -> None:
    """Refuse an assignment to a member of `.z` whose new value kdb+ would act on and a session does not.

    Raises: UnsupportedFeature.
    """
    short = name[3:]
    if short in NAMES[".z"] and short not in HANDLERS:
        raise UnsupportedFeature(f"assignment to {name} is not supported")
