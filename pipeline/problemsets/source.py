"""What a built-in problem set hands over: Problems as they are written, before any TestCase exists.

A `ProblemSource` carries the Python that answers (`reference`) and the Python that invents inputs
(`generator`). Turning the two into typed, stored TestCases is work for the sandbox and is not done
here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.records import Param, Split


@dataclass(frozen=True)
class ProblemSource:
    """One Problem of a built-in set, without TestCases."""

    slug: str
    title: str
    statement: str
    difficulty: str
    tags: tuple[str, ...]
    entry_point: str
    """Name of the function that `reference` defines and that a Program is called as."""
    params: tuple[Param, ...]
    returns: str
    """Type expression of the answer (`typed_values`)."""
    comparator: str
    """`equal`, `unordered` or `close:<eps>`."""
    reference: str
    """Python source that defines `entry_point`."""
    generator: str
    """Python source that defines `generate(rng) -> tuple of arguments`, `rng` a `random.Random`."""
    solution: str | None
    """A q Program that solves the Problem, or None where the loop has to find one."""
    examples: tuple[tuple[Any, ...], ...] = ()
    """Argument tuples, as plain Python values, that become the first public TestCases."""
    expected: tuple[Any, ...] = ()
    """Answers to the examples that a person worked out; empty where the reference alone gives them."""
    split: Split = "train"
    group: str = ""
    """Near-duplicates share a group; empty means that the Problem is a group of its own."""
    seeded: bool = True
    """Whether the Solution is training data from the start."""
