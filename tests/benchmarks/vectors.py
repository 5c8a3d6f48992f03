"""Twenty vector expressions over a million items, each next to NumPy code that gives the same array.

The NumPy side is what a person who knows NumPy writes for that result, order and stability included; it neither
checks for nulls nor tolerates rounding, which q must.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from q_runtime import Session
from tests.benchmarks.measure import Measured, benchmark, side_by_side

N_ITEMS = 1_000_000
"""Length of the long vectors: large enough that the work, not the call, is measured."""
SETUP = """
i:til {n}
v:(7919*i)mod 1000003
w:(104729*i)mod 999983
f:v%1000003
g:1+w%999983
k:v mod 1000
p:v mod {n}
few:17*til 500
sorted:(til 1000)%1000
"""
"""v, w: longs far from sorted; f, g: floats in [0, 1) and [1, 2); k: longs below 1000; p: positions."""

Arrays = dict[str, np.ndarray]


@cache
def arrays(n: int) -> Arrays:
    """The same vectors for NumPy."""
    i = np.arange(n)
    v = (7919 * i) % 1_000_003
    w = (104_729 * i) % 999_983
    return {
        "i": i, "v": v, "w": w, "f": v / 1_000_003, "g": 1 + w / 999_983, "k": v % 1000,
        "p": v % n, "few": 17 * np.arange(500), "sorted": np.arange(1000) / 1000,
    }  # fmt: skip


@cache
def session(n: int) -> Session:
    """A session that has the vectors."""
    made = Session()
    made.eval_script(SETUP.format(n=n))
    return made


@dataclass(frozen=True)
class Expression:
    """A q expression and the NumPy code for it."""

    name: str
    q: str
    numpy: Callable[[Arrays], Any]

    def measure(self) -> Measured:
        """Time both over the long vectors; the q result stays in q."""
        q, a = session(N_ITEMS), arrays(N_ITEMS)
        statement = f"r:{self.q}"
        if not same(q.eval(self.q), self.numpy(a)):
            raise ValueError("q and NumPy differ")
        return side_by_side(
            lambda: q.eval_script(statement), lambda: self.numpy(a), is_checked=False
        )


def same(ours: Any, theirs: Any) -> bool:
    """Say whether a q value, as Python has it, is what NumPy gave: an array, a scalar, or (keys, arrays)."""
    if isinstance(theirs, tuple):
        keys, groups = theirs
        return list(ours) == keys.tolist() and all(map(same, ours.values(), groups))
    if np.ndim(theirs) == 0:
        return bool(np.isclose(ours, theirs, rtol=1e-12))
    mine = np.array(ours)
    return mine.shape == theirs.shape and bool(np.allclose(mine, theirs, rtol=1e-9, equal_nan=True))


EXPRESSIONS: list[Expression] = []


def expression(q: str) -> Callable[[Callable[[Arrays], Any]], Callable[[Arrays], Any]]:
    """Register the decorated NumPy function beside a q expression."""

    def register(numpy: Callable[[Arrays], Any]) -> Callable[[Arrays], Any]:
        made = Expression(numpy.__name__, q, numpy)
        EXPRESSIONS.append(made)

        def run() -> Measured:
            return made.measure()

        benchmark(f"vector.{made.name}", "s")(run)
        return numpy

    return register


@expression("w+3*v")
def add_longs(a: Arrays) -> Any:
    """Multiply by an atom and add."""
    return a["w"] + 3 * a["v"]


@expression("(f*g)-f%g")
def combine_floats(a: Arrays) -> Any:
    """Multiply, divide and subtract."""
    return a["f"] * a["g"] - a["f"] / a["g"]


@expression("v<w")
def less_longs(a: Arrays) -> Any:
    """Compare two vectors of longs."""
    return a["v"] < a["w"]


@expression("f>0.25")
def more_floats(a: Arrays) -> Any:
    """Compare floats with an atom."""
    return a["f"] > 0.25


@expression("where v>700000")
def where(a: Arrays) -> Any:
    """The positions at which a comparison holds."""
    return np.flatnonzero(a["v"] > 700_000)


@expression("w where (v>250000)&k<>7")
def mask(a: Arrays) -> Any:
    """Items where two comparisons hold."""
    return a["w"][(a["v"] > 250_000) & (a["k"] != 7)]


@expression("asc v")
def ascending(a: Arrays) -> Any:
    """Sort."""
    return np.sort(a["v"])


@expression("iasc f")
def grade(a: Arrays) -> Any:
    """The stable order of floats."""
    return np.argsort(a["f"], kind="stable")


@expression("group k")
def group(a: Arrays) -> Any:
    """Positions by key, keys in order of appearance."""
    keys, first, inverse, counts = np.unique(
        a["k"], return_index=True, return_inverse=True, return_counts=True
    )
    parts = np.split(np.argsort(inverse, kind="stable"), np.cumsum(counts)[:-1])
    order = np.argsort(first)
    return keys[order], [parts[each] for each in order]


@expression("distinct k")
def distinct(a: Arrays) -> Any:
    """Different items in order of appearance."""
    _, first = np.unique(a["k"], return_index=True)
    return a["k"][np.sort(first)]


@expression("sums f")
def sums(a: Arrays) -> Any:
    """Running sums."""
    return np.cumsum(a["f"])


@expression("deltas v")
def deltas(a: Arrays) -> Any:
    """Differences of neighbours."""
    return np.diff(a["v"], prepend=0)


@expression("ratios g")
def ratios(a: Arrays) -> Any:
    """Quotients of neighbours."""
    return np.concatenate((a["g"][:1], a["g"][1:] / a["g"][:-1]))


@expression("10 mavg f")
def moving_average(a: Arrays) -> Any:
    """Averages of the last ten items."""
    run = np.cumsum(a["f"])
    run[10:] -= run[:-10].copy()
    return run / np.minimum(np.arange(1, len(run) + 1), 10)


@expression("v in few")
def member(a: Arrays) -> Any:
    """Which items are among some others."""
    return np.isin(a["v"], a["few"])


@expression("few?v")
def find(a: Arrays) -> Any:
    """The position of every item among some others, their count for one that is not there."""
    few, v = a["few"], a["v"]
    at = np.searchsorted(few, v)
    return np.where(few[np.minimum(at, len(few) - 1)] == v, at, len(few))


@expression("sorted bin f")
def bins(a: Arrays) -> Any:
    """The interval in which each float lies."""
    return np.searchsorted(a["sorted"], a["f"], side="right") - 1


@expression("f p")
def index(a: Arrays) -> Any:
    """Items at many positions, in no order."""
    return a["f"][a["p"]]


@expression("(max f)-min f")
def spread(a: Arrays) -> Any:
    """Largest less smallest."""
    return a["f"].max() - a["f"].min()


@expression("k except few")
def without(a: Arrays) -> Any:
    """Items that are not among some others."""
    return a["k"][~np.isin(a["k"], a["few"])]
