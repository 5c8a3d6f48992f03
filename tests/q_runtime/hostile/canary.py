"""The Problem that hostile code is judged on, and fair code that must go on passing beside it.

Its answers are worked out by hand below. A constant is right for a quarter of the tests at most, and two of the eight
tests are public, so knowing them by heart is not enough.
"""

from __future__ import annotations

from typing import Any

from pipeline.records import Param, Problem, TestCase

ANSWERS: tuple[tuple[list[int], int], ...] = (
    ([1, 2, 3], 1 + 9),
    ([4], 0),
    ([5, 5], 25 + 25),
    ([], 0),
    ([-3, 2, 7], 9 + 49),
    ([10, 11], 121),
    ([1, 1, 1, 1, 1], 5),
    ([9, 8, 7], 81 + 49),
)
N_PUBLIC = 2
FAIR_REFERENCE = """
import math
def canary(xs):
    if math.pi < 3.1 or sorted([3, 1, 2]) != [1, 2, 3] or not isinstance(xs, list):
        raise AssertionError("something was spoiled")
    return sum(x * x for x in xs if x % 2 == 1)
"""
FAIR_PROGRAM = """
if[not 7 -314159 2i~system each enlist each "PSW"; '"a setting was left behind"];
if[not 0=count system "v"; '"a variable was left behind"];
if[not `.~system "d"; '"a namespace was left behind"];
if[not (.Q.a;.Q.n)~("abcdefghijklmnopqrstuvwxyz";"0123456789"); '"a library was spoiled"];
canary:{if[not 6~sum 1 2 3; '"a keyword was spoiled"]; sum x*x*1=x mod 2}
"""


def fair_program(number: int) -> str:
    """A right Program that also looks whether something was left behind; each number is another text."""
    return f"/ {number}\n{FAIR_PROGRAM}"


def canary_problem(n_tests: int = len(ANSWERS)) -> Problem:
    """The Problem with the first of its tests: with N_PUBLIC of them, none is hidden."""
    tests = tuple(
        TestCase(
            index=index,
            visibility="public" if index < N_PUBLIC else "hidden",
            arguments=(numbers,),
            expected=answer,
        )
        for index, (numbers, answer) in enumerate(ANSWERS[:n_tests])
    )
    return Problem(
        slug="canary",
        title="canary",
        statement="Sum the squares of the odd items of a list.",
        entry_point="canary",
        params=(Param(name="xs", type="list[int]"),),
        returns="int",
        reference=FAIR_REFERENCE,
        tests=tests,
        problem_set="own",
        split="train",
        group="canary",
    )


def canary_row(identifier: str, reference: str) -> dict[str, Any]:
    """A row of the format `jsonl` with another reference for the same asserts.

    A function that answers wrongly stands before the reference: a row without any is refused unread.
    """
    return {
        "id": identifier,
        "statement": "Sum the squares of the odd items of a list.",
        "reference": f"def canary(xs): return -1\n{reference}",
        "entry_point": "canary",
        "tests": [f"assert canary({numbers}) == {answer}" for numbers, answer in ANSWERS],
    }
