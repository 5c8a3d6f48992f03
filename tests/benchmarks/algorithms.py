"""What a scalar benchmark is: an algorithm written in q as a person writes it, and the same in plain Python.

The algorithms are in `number_algorithms` and `list_algorithms`. Both versions take the same steps: neither uses a
library, a vector trick or a cache that the other lacks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from q_runtime import Session
from tests.benchmarks.measure import Measured, benchmark, side_by_side


@dataclass(frozen=True)
class Algorithm:
    """One algorithm in both languages, with arguments to check it and arguments to time it."""

    name: str
    q: str
    """A script that defines the function `name`, and what it calls."""
    python: Callable[..., Any]
    small: tuple[tuple[Any, ...], ...]
    """Argument lists of a moment's work; both versions must give equal answers for each."""
    full: tuple[Any, ...]
    """The arguments that are timed: some milliseconds of Python."""

    def session(self) -> Session:
        """A session that has the q version."""
        session = Session()
        session.eval_script(self.q)
        return session

    def measure(self) -> Measured:
        """Time both versions on the full arguments."""
        session = self.session()
        return side_by_side(
            lambda: session.call(self.name, *self.full), lambda: self.python(*self.full)
        )


ALGORITHMS: list[Algorithm] = []


def algorithm(
    q: str, small: tuple[tuple[Any, ...], ...], full: tuple[Any, ...]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated Python function beside its q version; both have the same name."""

    def register(python: Callable[..., Any]) -> Callable[..., Any]:
        made = Algorithm(python.__name__, q, python, small, full)
        ALGORITHMS.append(made)

        def run() -> Measured:
            return made.measure()

        run.__module__ = python.__module__
        benchmark(f"scalar.{made.name}", "s")(run)
        return python

    return register
