"""Kill rates in the real sandbox: what is killed, what survives, what is left out, and what cannot be measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from pipeline.mutation.kill_rate import kill_reports, mutant_pool
from pipeline.mutation.report import KillReport, MutantFate
from pipeline.records import Problem, TestCase
from pipeline.typed_values import encode_typed
from q_runtime import PythonPool
from tests.qstudio.record_factories import make_problem_record

INTEGERS = "def generate(rng):\n    return (rng.randint(-50, 50),)\n"
LISTS = "def generate(rng):\n    return ([rng.randint(-9, 9) for _ in range(rng.randint(1, 6))],)\n"
DISTANCE = "def f(x):\n    return x if x >= 0 else 0 - x\n"
STEPS = "def f(x):\n    n = 0\n    while x > 0:\n        x -= 3\n        n += 1\n    return n\n"


@pytest.fixture(scope="module")
def pool() -> Iterator[PythonPool]:
    with mutant_pool(2) as found:
        yield found


def problem_of(
    reference: str,
    cases: Sequence[tuple[Any, Any]],
    param: str = "int",
    returns: str = "int",
    comparator: str = "equal",
    **fields: Any,
) -> Problem:
    """A Problem of one argument with these (argument, answer) pairs as tests."""
    tests = tuple(
        TestCase(
            index=index,
            visibility="hidden",
            arguments=(encode_typed(argument),),
            expected=encode_typed(answer),
            comparator=comparator,
        )
        for index, (argument, answer) in enumerate(cases)
    )
    params = ({"name": "x", "type": param},)
    values = {"generator": INTEGERS if param == "int" else LISTS} | fields
    return make_problem_record(
        reference=reference, params=params, returns=returns, tests=tests, **values
    )


def report_on(problem: Problem, pool: PythonPool) -> KillReport:
    return kill_reports([(problem, problem.tests)], pool, max_mutants=60, seed=0)[0]


def fate(report: KillReport, change: str) -> MutantFate:
    found = [mutant for mutant in report.mutants if change in mutant.change]
    assert len(found) == 1, [mutant.change for mutant in report.mutants]
    return found[0]


def test_tests_that_tell_every_fault_have_a_rate_of_one(pool):
    cases = [(x, abs(x)) for x in (-20, -7, -1, 0, 1, 4, 30)]
    report = report_on(problem_of(DISTANCE, cases), pool)

    assert report.rate == 1.0
    assert report.count("survived") == 0
    assert fate(report, "`x >= 0` becomes `x < 0`").test_index == 0


def test_tests_without_a_corner_let_mutants_live_and_the_report_names_an_input(pool):
    report = report_on(problem_of(DISTANCE, [(x, x) for x in (3, 7, 20, 31)]), pool)

    survivor = fate(report, "`0 - x` becomes `0 + x`")
    assert survivor.fate == "survived"
    assert survivor.cause.startswith("no test like f(-")
    assert report.rate is not None
    assert report.rate < 0.7


def test_a_mutant_that_no_drawn_input_tells_is_left_out_of_the_rate(pool):
    cases = [(x, abs(x)) for x in (-20, -7, -1, 0, 1, 4, 30)]
    report = report_on(problem_of(DISTANCE, cases), pool)

    # With 0 - x in the other branch, zero may go to either.
    assert fate(report, "`x >= 0` becomes `x > 0`").fate == "equivalent"
    assert report.n_extra_inputs > 20


def test_without_a_generator_nothing_is_called_equivalent(pool):
    cases = [(x, abs(x)) for x in (-20, -7, -1, 0, 1, 4, 30)]
    report = report_on(problem_of(DISTANCE, cases, generator=""), pool)

    assert fate(report, "`x >= 0` becomes `x > 0`").fate == "survived"
    assert report.count("equivalent") == 0


def test_printing_the_right_answer_and_exiting_is_killed(pool):
    report = report_on(problem_of(DISTANCE, [(x, x) for x in (3, 7, 20, 31)]), pool)

    printer = fate(report, "prints the right answer and exits")
    assert (printer.fate, printer.cause) == ("killed", "raises SystemExit")


def test_a_constant_survives_where_every_answer_is_the_same(pool):
    report = report_on(problem_of("def f(x):\n    return x * 0\n", [(1, 0), (2, 0), (5, 0)]), pool)

    assert fate(report, "always `0`").fate == "equivalent"


def test_a_mutant_that_never_ends_is_killed_and_the_others_are_judged(pool):
    report = report_on(problem_of(STEPS, [(x, -(-x // 3)) for x in (1, 3, 7, 30)]), pool)

    assert fate(report, "`x -= 3` becomes `x += 3`").cause == "does not end"
    assert fate(report, "`x -= 3` is left out").cause == "does not end"
    assert fate(report, "`n += 1` is left out").cause == "0, expected 1"
    assert report.rate == 1.0


def test_a_comprehension_that_never_ends_is_killed(pool):
    reference = (
        "from itertools import count\n"
        "def f(x):\n    return next(i for i in count(1) if i * 3 >= x)\n"
    )
    report = report_on(problem_of(reference, [(x, -(-x // 3)) for x in (1, 3, 7, 30)]), pool)

    assert fate(report, "`3` becomes `0`").cause == "does not end"


def test_a_mutant_that_ends_the_process_is_killed_and_the_others_are_judged(pool):
    reference = "import os\ndef f(x):\n    if x > 100:\n        os._exit(0)\n    return x + 1\n"
    cases = [(x, x + 1) for x in (1, 3, 7, 30)]
    report = report_on(problem_of(reference, cases, generator=""), pool)

    killed = fate(report, "`x > 100` becomes `x <= 100`")
    assert killed.fate == "killed"
    assert killed.cause.startswith("python_error")
    assert fate(report, "`x + 1` becomes `x - 1`").cause == "0, expected 2"
    assert len(report.mutants) > 6


def test_answers_are_compared_as_the_grader_compares_q(pool):
    reference = "def f(x):\n    return list(dict.fromkeys(sorted(x)))\n"
    cases = [([3, 1, 3], [1, 3]), ([5], [5]), ([2, -4, 2, 9], [-4, 2, 9])]
    as_written = problem_of(reference, cases, "list[int]", "list[int]")
    in_any_order = problem_of(reference, cases, "list[int]", "list[int]", "unordered")

    assert fate(report_on(as_written, pool), "`sorted(x)` becomes `x`").fate == "killed"
    assert fate(report_on(in_any_order, pool), "`sorted(x)` becomes `x`").fate == "equivalent"


def test_of_several_acceptable_answers_each_may_be_given(pool):
    cases = [(4, [2, -2]), (9, [3, -3]), (16, [4, -4])]
    problem = problem_of(
        "def f(x):\n    return round(-(x ** 0.5))\n", cases, generator="", comparator="any_of"
    )
    report = report_on(problem, pool)
    with_generator = problem.model_copy(update={"generator": INTEGERS})

    assert (
        report_on(with_generator, pool) == report
    )  # of a drawn input only one right answer is known
    assert fate(report, "`-x ** 0.5` becomes `x ** 0.5`").fate == "survived"
    assert fate(report, "always `2`").fate == "killed"


def test_without_one_comparator_for_all_nothing_is_called_equivalent(pool):
    cases = [(x, abs(x)) for x in (-20, -7, -1, 0, 1, 4, 30)]
    problem = problem_of(DISTANCE, cases)
    first, *others = problem.tests
    mixed = problem.model_copy(
        update={"tests": (first.model_copy(update={"comparator": "unordered"}), *others)}
    )
    report = report_on(mixed, pool)

    assert report == report_on(problem.model_copy(update={"generator": ""}), pool)
    assert fate(report, "`x >= 0` becomes `x > 0`").fate == "survived"


def test_a_list_and_a_tuple_are_one_in_q(pool):
    reference = "def f(x):\n    return [list(pair) for pair in zip(x, x)]\n"
    cases = [([3, 1], [[3, 3], [1, 1]]), ([5], [[5, 5]])]
    report = report_on(problem_of(reference, cases, "list[int]", "list[list[int]]"), pool)

    assert fate(report, "`list(pair)` becomes `pair`").fate == "equivalent"


def test_a_mutant_that_only_fails_is_no_test_of_the_tests(pool):
    cases = [([3, 1], 4), ([5], 5), ([2, 7], 9)]
    report = report_on(problem_of("def f(x):\n    return abs(sum(x))\n", cases, "list[int]"), pool)

    broken = fate(report, "`sum(x)` becomes `x`")
    assert (broken.fate, broken.cause) == ("broken", "raises TypeError on every test")
    assert report.rate is not None
    counted = report.count("killed") + report.count("survived")
    assert counted + report.count("broken") + report.count("equivalent") == len(report.mutants)


@pytest.mark.parametrize(
    ("reference", "cause"),
    [
        ("", "no Python reference"),
        ("def g(x):\n    return x\n", "does not define f"),
        ("import random\ndef f(x):\n    return random.random()\n", "does not repeat its answer"),
        ("def f(x):\n    while True:\n        pass\n", "could not be run"),
    ],
)
def test_what_cannot_be_measured_says_why(pool, reference, cause):
    problem = problem_of(reference, [(1, 1), (2, 2)])
    with PythonPool(n_workers=1, job_time_s=1.0) as impatient:
        report = report_on(problem, impatient if "while" in reference else pool)

    assert report.rate is None
    assert cause in report.unmeasured
    assert report.mutants == ()


@pytest.mark.parametrize("lie", ["'text'", "[['x', 1]]", "[(99, 'answered', 1)]", "[(0, 1, 2)]"])
def test_a_reference_that_meddles_with_what_runs_it_has_no_rate(pool, lie):
    reference = (
        "import sys\ndef f(x):\n"
        f"    sys._getframe(1).f_globals['differs'] = lambda *which: {lie}\n"
        "    return x + 1\n"
    )
    meddler = problem_of(reference, [(x, x + 1) for x in (1, 3, 7)], slug="meddler")
    honest = problem_of(DISTANCE, [(x, abs(x)) for x in (-3, 0, 5)], slug="honest")

    first, second = kill_reports(
        [(honest, honest.tests), (meddler, meddler.tests)], pool, 60, 0, together=1
    )

    assert first.rate == 1.0
    assert second.unmeasured == "its process sent answers that are none"


def test_problems_that_share_a_process_have_the_same_reports(pool):
    problems = [
        problem_of(DISTANCE, [(x, abs(x)) for x in (-3, 0, 5)], slug="distance"),
        problem_of("def f(x):\n    return undefined\n", [(1, 1)], slug="none"),
        problem_of(STEPS, [(x, -(-x // 3)) for x in (1, 3, 7)], slug="steps"),
    ]
    suites = [(problem, problem.tests) for problem in problems]

    together = kill_reports(suites, pool, 60, 0, together=3)

    assert together == kill_reports(suites, pool, 60, 0)
    assert [report.problem for report in together] == ["distance", "none", "steps"]
    assert [report.rate is None for report in together] == [False, True, False]
