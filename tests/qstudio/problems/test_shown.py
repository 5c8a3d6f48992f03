"""TestCases as a person reads them."""

from __future__ import annotations

import re
from pathlib import Path

from qstudio.core.words import DIFFERENCES
from qstudio.problems.models import Problem, TestCase
from qstudio.problems.shown import show_tests

DOCUMENT = Path(__file__).parents[3] / "docs" / "grading.md"


def test_several_acceptable_values_are_shown_as_such():
    problem = Problem(params=[{"name": "x", "type": "int"}], returns="float")
    tests = [
        TestCase(index=0, arguments=[4], expected=[2.5, -2.5], comparator="any_of"),
        TestCase(index=1, arguments=[1], expected=1.5, comparator="equal"),
    ]

    several, one = show_tests(problem, tests)

    assert (several.expected.python, several.expected.q) == ("2.5 or -2.5", "2.5 or -2.5")
    assert (one.expected.python, one.expected.q) == ("1.5", "1.5")


def test_every_documented_kind_of_difference_has_a_word():
    text = DOCUMENT.read_text(encoding="utf-8").split("## What a difference says")[1]
    documented = re.findall(r"^\| `(\w+)` \|", text.split("## ")[0], re.MULTILINE)

    assert documented == list(DIFFERENCES)
