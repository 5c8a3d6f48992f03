"""The language alone, in this process: scalar loops, calls and vectors, each next to Python or NumPy."""

from __future__ import annotations

import itertools

import numpy as np

from q_runtime import Session
from tests.benchmarks.measure import Measured, benchmark, seconds, side_by_side

N_ITEMS = 1_000_000
"""Length of the long vectors: large enough that the work, not the call, is measured."""


@benchmark("q.scalar_recursion", "s")
def scalar_recursion() -> Measured:
    """Doubly recursive Fibonacci numbers: calls and conditionals on longs."""
    session = Session()
    session.define("fib", "{$[x<2;x;.z.s[x-1]+.z.s[x-2]]}")

    def fib(x: int) -> int:
        return x if x < 2 else fib(x - 1) + fib(x - 2)

    return side_by_side(lambda: session.call("fib", 17), lambda: fib(17))


@benchmark("q.scalar_loop", "s")
def scalar_loop() -> Measured:
    """Longest Collatz chain below 300: a while loop with assignments."""
    session = Session()
    session.define("chain", "{n:0;while[x>1;x:$[x mod 2;1+3*x;x div 2];n+:1];n}")
    session.define("longest", "{max chain each 1+til x}")

    def chain(x: int) -> int:
        n = 0
        while x > 1:
            x = 1 + 3 * x if x % 2 else x // 2
            n += 1
        return n

    def longest(x: int) -> int:
        return max(chain(start) for start in range(1, x + 1))

    return side_by_side(lambda: session.call("longest", 300), lambda: longest(300))


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


@benchmark("q.vector_arithmetic", "s")
def vector_arithmetic() -> Measured:
    """Multiply, add and sum a million longs."""
    session = Session()
    session.define("v", f"til {N_ITEMS}")
    v = np.arange(N_ITEMS)

    return side_by_side(lambda: session.eval("sum v*1+v"), lambda: int((v * (1 + v)).sum()))


@benchmark("q.vector_sort", "s")
def vector_sort() -> Measured:
    """Sort a million longs that are far from sorted."""
    session = Session()
    session.define("v", f"(7919*til {N_ITEMS})mod 1000003")
    v = (7919 * np.arange(N_ITEMS)) % 1_000_003

    return side_by_side(
        lambda: session.eval("last asc v"), lambda: int(np.sort(v, kind="stable")[-1])
    )


@benchmark("q.vector_distinct", "s")
def vector_distinct() -> Measured:
    """Count the different numbers among a million."""
    session = Session()
    session.define("v", f"(til {N_ITEMS})mod 1000")
    v = np.arange(N_ITEMS) % 1000

    return side_by_side(lambda: session.eval("count distinct v"), lambda: int(np.unique(v).size))


@benchmark("q.compile", "s")
def compile_function() -> Measured:
    """Parse and compile a function that was not seen before; the baseline is Python's own compiler."""
    session = Session()
    numbers = itertools.count()
    q = "{{a:x+{0};b:$[a>10;a-1;a+1];r:();while[b>0;r,:b;b-:3];sum r where 0=r mod 2}}"
    python = (
        "def f(x):\n    a = x + {0}\n    b = a - 1 if a > 10 else a + 1\n    r = []\n"
        "    while b > 0:\n        r.append(b)\n        b -= 3\n"
        "    return sum(v for v in r if v % 2 == 0)\n"
    )

    return Measured(
        seconds(lambda: session.define("f", q.format(next(numbers)))),
        seconds(lambda: compile(python.format(next(numbers)), "<f>", "exec")),
    )
