"""Fixed costs of the language, in this process: calling a lambda for each item, and calling q from Python."""

from __future__ import annotations

from q_runtime import Session
from tests.benchmarks.measure import Measured, benchmark, seconds, side_by_side


@benchmark("q.each", "s")
def each() -> Measured:
    """A lambda applied to each of 20,000 numbers; the baseline calls a Python function as often."""
    session = Session()

    def f(x: int) -> int:
        return 1 + x * x

    return side_by_side(
        lambda: session.eval("sum {1+x*x} each til 20000"),
        lambda: sum(map(f, range(20_000))),
    )


@benchmark("q.call", "s")
def call() -> Measured:
    """One call of a q function from Python, values converted both ways; the baseline is a Python call."""
    session = Session()
    session.define("f", "{1+x}")

    return Measured(seconds(lambda: session.call("f", 1)), seconds(lambda: (lambda x: 1 + x)(1)))
