"""`.z` values that a session without a host process can answer."""

from __future__ import annotations

import time

from q_runtime.errors import QError, UnsupportedFeature
from q_runtime.values import qtypes as qt
from q_runtime.values.functions import NIL
from q_runtime.values.vectors import Atom, GList, Value

_EPOCH_S = 946_684_800


def read_clock(what: str) -> Value:
    """Read `.z.p .z.d .z.t .z.n .z.z` (and the capitals, local time, here the same) and constants.

    Raises: UnsupportedFeature for the members that need a host.
    """
    nanos = time.time_ns() - _EPOCH_S * 1_000_000_000
    low = what.lower()
    if low == "p":
        return Atom(-12, nanos)
    if low == "d":
        return Atom(-14, nanos // qt.NS_PER_DAY)
    if low == "t":
        return Atom(-19, nanos % qt.NS_PER_DAY // 1_000_000)
    if low == "n":
        return Atom(-16, nanos % qt.NS_PER_DAY)
    if low == "z":
        return Atom(-15, nanos / qt.NS_PER_DAY)
    if what == "K":
        return 4.1
    if what == "x":
        return GList([])
    if what in ("ps", "pg", "ph", "pp", "po", "pc", "pw", "ts", "exit"):
        raise QError(f".z.{what}", "not defined")
    if what == "s":
        return NIL
    raise UnsupportedFeature(f".z.{what} is not supported yet")
