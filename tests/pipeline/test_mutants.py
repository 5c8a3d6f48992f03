"""Mutants of a reference: which faults are made of which code, how many, and always the same."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from pipeline.mutation.mutants import Mutant, NoMutants, mutate
from tests.qstudio.record_factories import make_problem_record, make_test_case

LONG = """
def helper(a):
    \"\"\"Not 7 of these.\"\"\"
    if a > 3:
        raise ValueError("more than 3")
    return a * 2

def unused(a):
    return a - 99

def f(x: "int > 5") -> int:
    total = 0
    for i in range(x):
        total += helper(i % 3)
    return total
"""


def mutants_of(reference: str, limit: int = 1000, expected=(1, 2, 2, 3)) -> tuple[Mutant, ...]:
    tests = [make_test_case(number, expected=value) for number, value in enumerate(expected)]
    return mutate(make_problem_record(reference=reference), tests, limit).mutants


def changes(reference: str) -> set[tuple[str, str]]:
    """Kind and change of every mutant of `def f(x): return ...`."""
    found = mutants_of(f"def f(x, y=1):\n    return {reference}\n")
    return {(mutant.kind, mutant.change) for mutant in found}


@pytest.mark.parametrize(
    ("expression", "kind", "change"),
    [
        ("x + y", "operator", "`x + y` becomes `x - y`"),
        ("x * y", "operator", "`x * y` becomes `x + y`"),
        ("x // y", "operator", "`x // y` becomes `x % y`"),
        ("x + 'a'", "operator", "`x + 'a'` becomes `'a' + x`"),
        ("x and y", "operator", "`x and y` becomes `x or y`"),
        ("not x", "operator", "`not x` becomes `x`"),
        ("-x", "operator", "`-x` becomes `x`"),
        ("x == y", "operator", "`x == y` becomes `x != y`"),
        ("x in y", "operator", "`x in y` becomes `x not in y`"),
        ("x < y", "operator", "`x < y` becomes `x >= y`"),
        ("min(x)", "operator", "`min(x)` becomes `max(x)`"),
        ("x.upper()", "operator", "`x.upper()` becomes `x.lower()`"),
        ("x if y else 0", "operator", "`y` becomes `not y`"),
        ("x < y", "boundary", "`x < y` becomes `x <= y`"),
        ("x >= y", "boundary", "`x >= y` becomes `x > y`"),
        ("0 < x <= y", "boundary", "`0 < x <= y` becomes `0 < x < y`"),
        ("x[1:]", "boundary", "`1:` becomes `2:`"),
        ("x[:y]", "boundary", "`:y` becomes `:y - 1`"),
        ("x[:-1]", "boundary", "`:-1` becomes `:-2`"),
        ("list(range(x))", "boundary", "`range(x)` becomes `range(x + 1)`"),
        ("list(range(y, x))", "boundary", "`range(y, x)` becomes `range(y + 1, x)`"),
        ("x * 5", "constant", "`5` becomes `0`"),
        ("x * 5", "constant", "`5` becomes `-5`"),
        ("x + 'ab'", "constant", "`'ab'` becomes `''`"),
        ("sorted(x, reverse=True)", "constant", "`True` becomes `False`"),
        ("x * 5", "off_by_one", "`5` becomes `6`"),
        ("x * 5", "off_by_one", "`5` becomes `4`"),
        ("x[y]", "off_by_one", "`x[y]` becomes `x[y + 1]`"),
        ("sum(sorted(x))", "left_out", "`sorted(x)` becomes `x`"),
        ("len(x.strip())", "left_out", "`x.strip()` becomes `x`"),
        ("sorted(x, key=y)", "left_out", "`sorted(x, key=y)` becomes `sorted(x)`"),
        ("[i for i in x if i > y]", "left_out", "if `i > y` is left out"),
        ("x[::-1]", "left_out", "`::-1` becomes `:`"),
        ("sum(sorted(x))", "early_return", "`return sum(sorted(x))` becomes `return sorted(x)`"),
    ],
)
def test_a_fault_is_made_of_the_code_that_it_belongs_to(expression, kind, change):
    assert (kind, change) in changes(expression)


def test_the_end_of_a_function_comes_early():
    found = mutants_of("def f(x):\n    a = 0\n    for i in x:\n        a += i\n    return a\n")

    early = {(m.line, m.change) for m in found if m.kind == "early_return"}
    assert (3, "`return a` already after one pass of the loop") in early
    assert (3, "`return a` already before this line") in early
    assert ("left_out", "`a += i` is left out") in {(m.kind, m.change) for m in found}


def test_the_commonest_answers_are_constants_and_one_mutant_prints_and_exits():
    found = mutants_of("def f(x):\n    return x\n", expected=(5, 7, 7, 8, 8, 8))

    kinds = Counter(mutant.kind for mutant in found)
    assert [m.change for m in found[:2]] == [
        "always `8`, the answer of 3 of 6 tests",
        "always `7`, the answer of 2 of 6 tests",
    ]
    assert (kinds["constant_answer"], kinds["print_and_exit"]) == (2, 1)
    assert "SystemExit" in next(m.source for m in found if m.kind == "print_and_exit")


def test_every_mutant_is_python_and_none_is_the_reference_or_another_one():
    found = mutants_of(LONG)

    sources = [mutant.source for mutant in found]
    assert len(found) > 20
    assert len(set(sources)) == len(sources)
    for source in sources:
        ast.parse(source)


def test_only_code_that_the_answer_may_hang_on_is_changed():
    lines = {mutant.line for mutant in mutants_of(LONG)}

    docstring, message, unused = 3, 5, 9
    assert not {docstring, message, unused} & lines
    assert {4, 6, 13, 14} <= lines
    assert not any("int > 5" in mutant.change for mutant in mutants_of(LONG))


def test_a_limit_keeps_every_kind_and_the_same_mutants_each_time():
    all_kinds = {mutant.kind for mutant in mutants_of(LONG)}
    few = mutants_of(LONG, limit=12)

    assert len(few) == 12
    assert {mutant.kind for mutant in few} == all_kinds
    assert mutants_of(LONG, limit=12) == few
    assert set(few) < set(mutants_of(LONG))


@pytest.mark.parametrize(
    ("reference", "message"),
    [("def g(x): return x", "does not define f"), ("def f(x) return x", "cannot be parsed")],
)
def test_a_reference_that_is_none_says_so(reference, message):
    with pytest.raises(NoMutants, match=message):
        mutants_of(reference)
