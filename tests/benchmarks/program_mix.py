"""A fixed mix of Programs as a policy writes them: right ones, nearly right ones, and some that never end.

The Problems are the built-in ones. Every Problem has a few Programs, as many as samples are drawn: its Solution, and
the Solution with one small thing changed, by fixed rules, so that the mix is the same everywhere. Every tenth loops
for ever. What this deliberately does not do: run anything but the Problems' own references, in the sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.judging import Candidate
from pipeline.problemsets.demo import build_family
from pipeline.problemsets.demo.family import reference_solutions
from pipeline.problemsets.materialise import materialise
from pipeline.problemsets.starter_set import load_starter
from pipeline.suite import TestSuite
from q_runtime import PythonPool

N_PROBLEMS = 164
N_SAMPLES = 4
"""Programs for each Problem."""
N_TESTS = 7
ONE_IN = 10
"""One Program of so many loops for ever."""
_NUMBER = re.compile(r"(?<![\w.])\d(?![\w.:])")
_NEVER_END = ("not x in 2 4", "not x in 1 5", "(x mod 10)+1,", "h[r 0]-r 2")
"""Changes by which a Program never ends, though nobody wrote it so: they are not made."""
_SWAPS = (("+", "-"), ("<", ">"), ("&", "|"), ("max", "min"), ("first", "last"), ("-", "+"))


@dataclass(frozen=True)
class Mix:
    """Programs and the tests that judge them."""

    suites: dict[str, TestSuite]
    ending: tuple[Candidate, ...]
    endless: tuple[Candidate, ...]


def build_mix(n_problems: int = N_PROBLEMS, n_tests: int = N_TESTS) -> Mix:
    """Make the mix of the first Problems: those of the set `starter`, then of `demo`."""
    solutions = {source.slug: source.solution or "" for source in load_starter()}
    sources = list(load_starter()[:n_problems])
    if len(sources) < n_problems:
        solutions |= reference_solutions()
        sources += build_family(1).in_split("train")[: n_problems - len(sources)]
    with PythonPool(n_workers=2) as pool:
        found = materialise(sources, pool)
    suites = {
        each.source.slug: TestSuite(each.problem("mix"), each.tests[:n_tests]) for each in found
    }
    ending: list[Candidate] = []
    endless: list[Candidate] = []
    for slug in suites:
        for program in samples(solutions[slug]):
            is_endless = (len(ending) + len(endless)) % ONE_IN == ONE_IN - 1
            text = never_ending(solutions[slug]) if is_endless else program
            (endless if is_endless else ending).append(Candidate(slug, text))
    return Mix(suites, tuple(ending), tuple(endless))


def samples(solution: str, n: int = N_SAMPLES) -> list[str]:
    """A Solution and Programs that differ from it in one place each; blanks tell apart what has no such place."""
    found = dict.fromkeys([solution, *_changed(solution)])
    programs = [each for each in found if not any(piece in each for piece in _NEVER_END)][:n]
    return programs + [solution + "\n" * i for i in range(1, n - len(programs) + 1)]


def _changed(program: str) -> Iterator[str]:
    """Programs with another operator, then with another number."""
    for old, new in _SWAPS:
        place = program.find(old)
        if place >= 0:
            yield program[:place] + new + program[place + len(old) :]
            break
    for match in _NUMBER.finditer(program):
        yield f"{program[: match.start()]}{int(match[0]) + 1}{program[match.end() :]}"


def never_ending(program: str) -> str:
    """The Program with a loop without end at the head of its last function."""
    heads = list(re.finditer(r"^\w*:?\{(\[[^]]*\])?", program, re.MULTILINE))
    place = heads[-1].end()
    return f"{program[:place]}while[1b;];{program[place:]}"
