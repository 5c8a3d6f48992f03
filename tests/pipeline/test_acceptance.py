"""What makes a Program a Solution, and the reason that every refusal is written down with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import RunConfig, resolve
from pipeline.mutation.report import KillReport
from pipeline.records import Problem, RunEvent, Solution
from pipeline.reporting import Reporter
from pipeline.rundir import EVENTS, RunDir, read_records, write_records
from pipeline.stages.acceptance import accept, fresh_tests
from pipeline.stages.context import RunContext, open_context
from pipeline.stages.kill_rates import KILL_RATES
from tests.qstudio.record_factories import (
    make_attempt_record,
    make_problem_record,
    make_test_case,
)

Open = Callable[..., RunContext]
DISTANCE = "def f(x):\n    return x if x >= 0 else 0 - x\n"
RARELY_NEGATIVE = "def generate(rng):\n    return (rng.randint(-10, 500),)\n"


@pytest.fixture
def open_run(tmp_path: Path) -> Iterator[Open]:
    """Opens a run over some Problems; the settings of acceptance can be named."""
    with ExitStack() as stack:

        def open_it(*problems: Problem, **acceptance: Any) -> RunContext:
            config: RunConfig = resolve(
                {
                    "problems": {"sets": ["sums"]},
                    "acceptance": acceptance,
                    "execution": {"workers": 1},
                }
            )
            rundir = RunDir.create(tmp_path / "run", config)
            write_records(rundir.path / "problems.jsonl", problems)
            write_records(rundir.path / "solutions.jsonl", [])
            return stack.enter_context(open_context(rundir, Reporter(rundir)))

        yield open_it


def distance(generator: str, **fields: Any) -> Problem:
    """The distance from zero, with tests on which it is the number itself."""
    tests = tuple(
        make_test_case(n, arguments=(n + 3,), expected=n + 3, visibility="hidden") for n in range(4)
    )
    values = {"reference": DISTANCE, "generator": generator, "tests": tests} | fields
    return make_problem_record("distance", **values)


def solutions_for(context: RunContext, problem: str, *programs: str) -> tuple[list[Solution], dict]:
    """What is accepted of Programs that passed the stored tests, and the reasons against the others."""
    attempts = [
        make_attempt_record(index, problem, program=program)
        for index, program in enumerate(programs)
    ]
    directory = context.iteration_dir(1)
    found = accept(context, attempts, fresh_tests(context), 1, directory)
    rejected = json.loads((directory / "rejected.json").read_text())
    return found, {row["program"]: row["reason"] for row in rejected.get(problem, [])}


def test_a_program_that_survives_everything_is_accepted_with_the_evidence(open_run):
    context = open_run(make_problem_record())

    found, reasons = solutions_for(context, "add-one", "f:{x+1}", "f:{1+x}", "f:{x+1}")

    assert [solution.program for solution in found] == ["f:{x+1}", "f:{1+x}"]
    assert reasons == {}
    evidence = found[0].provenance
    assert evidence["n_samples"] == 2
    assert evidence["kill_rate"] == 1.0
    assert evidence["n_mutants"] >= 5
    assert evidence["n_fresh_inputs"] >= 8
    assert 0 < evidence["largest_answer_share"] < 0.5


def test_a_program_that_knows_the_stored_tests_alone_fails_on_fresh_inputs(open_run):
    context = open_run(make_problem_record())

    found, reasons = solutions_for(context, "add-one", "f:{(til 4)[x]+1}", "f:{x+1}")

    assert [solution.program for solution in found] == ["f:{x+1}"]
    assert reasons["f:{(til 4)[x]+1}"].startswith("fresh input: test 10")


def test_the_log_counts_the_reasons_of_refusals(open_run):
    context = open_run(make_problem_record())
    solutions_for(context, "add-one", "f:{(til 4)[x]+1}", "f:{x+1}", "f:{(1+til 4)[x]}")

    events = list(read_records(context.path / EVENTS, RunEvent))

    (event,) = [event for event in events if event.kind == "solutions"]
    assert event.data["refused"] == {"fresh input": 2}
    assert "were refused: 2 (fresh input)" in event.message


def test_a_problem_without_a_generator_accepts_nothing(open_run):
    context = open_run(make_problem_record(generator=""))

    found, reasons = solutions_for(context, "add-one", "f:{x+1}")

    assert found == []
    assert reasons["f:{x+1}"].startswith("no generator: ")


def test_a_policy_may_do_without_a_generator(open_run):
    context = open_run(make_problem_record(generator=""), require_generator=False)

    found, _ = solutions_for(context, "add-one", "f:{x+1}")

    assert len(found) == 1
    assert found[0].provenance["n_fresh_inputs"] == 0


def test_a_generator_that_knows_the_stored_tests_alone_accepts_nothing(open_run):
    generator = "def generate(rng):\n    return (rng.randint(0, 3),)\n"
    context = open_run(make_problem_record(generator=generator))

    found, reasons = solutions_for(context, "add-one", "f:{x+1}")

    assert found == []
    assert reasons["f:{x+1}"].startswith("no fresh input: ")


def test_where_several_answers_are_right_no_fresh_input_can_be_drawn(open_run):
    tests = tuple(make_test_case(n, expected=[n + 1, n + 2], comparator="any_of") for n in range(4))
    context = open_run(make_problem_record(tests=tests))

    found, reasons = solutions_for(context, "add-one", "f:{x+1}")

    assert found == []
    assert reasons["f:{x+1}"].startswith("no fresh input: ")


def test_where_tests_compare_in_different_ways_no_fresh_input_can_be_drawn(open_run):
    comparators = ("equal", "close:1e-6", "equal", "equal")
    tests = tuple(make_test_case(n, comparator=each) for n, each in enumerate(comparators))
    context = open_run(make_problem_record(tests=tests))

    found, reasons = solutions_for(context, "add-one", "f:{x+1}")

    assert found == []
    assert reasons["f:{x+1}"] == (
        "no fresh input: the tests are compared in different ways (close:1e-6, equal), "
        "so nothing says which answers to a new input are right"
    )


def test_tests_with_one_answer_accept_nothing(open_run):
    reference = "def f(x):\n    return int(x > 400)\n"
    generator = "def generate(rng):\n    return (rng.randint(4, 390),)\n"
    tests = tuple(make_test_case(n, expected=0) for n in range(4))
    problem = make_problem_record(reference=reference, generator=generator, tests=tests)
    context = open_run(problem)

    found, reasons = solutions_for(context, "add-one", "f:{0}")

    assert found == []
    assert reasons["f:{0}"].startswith("weak tests: 100% of the ")


def test_tests_that_do_not_tell_mutants_from_the_reference_accept_nothing(open_run):
    # Two fresh inputs hold no negative number; among 200 others there are some.
    context = open_run(distance(RARELY_NEGATIVE), fresh_inputs=2)

    found, reasons = solutions_for(context, "distance", "f:{x}")

    assert found == []
    assert reasons["f:{x}"].startswith("blunt tests: ")
    assert "at least 90% are needed; not line 2: " in reasons["f:{x}"]
    report = next(iter(read_records(context.path / KILL_RATES, KillReport)))
    survivors = [mutant for mutant in report.mutants if mutant.fate == "survived"]
    assert any("no test like f(-" in mutant.cause for mutant in survivors)


def test_a_lower_bar_or_none_is_a_setting(open_run):
    context = open_run(distance(RARELY_NEGATIVE), fresh_inputs=2, min_kill_rate=0)

    found, _ = solutions_for(context, "distance", "f:{x}")

    assert len(found) == 1
    assert "kill_rate" not in found[0].provenance
    assert not (context.path / KILL_RATES).exists()


def test_a_kill_rate_that_cannot_be_measured_accepts_nothing(open_run):
    unsteady = (
        "calls = []\ndef f(x):\n    calls.append(x)\n    return x + 1 if len(calls) < 20 else 0\n"
    )
    context = open_run(make_problem_record(reference=unsteady), fresh_inputs=19)

    found, reasons = solutions_for(context, "add-one", "f:{x+1}")

    assert found == []
    assert reasons["f:{x+1}"].startswith("no kill rate: the reference does not repeat its answer")


def test_kill_rates_are_measured_once_per_run_and_only_where_a_program_passed(open_run):
    context = open_run(make_problem_record(), make_problem_record("add-one-again"))
    solutions_for(context, "add-one", "f:{x+1}")
    path = context.path / KILL_RATES
    first = path.read_bytes()

    solutions_for(context, "add-one", "f:{1+x}")

    assert path.read_bytes() == first
    assert [report.problem for report in read_records(path, KillReport)] == ["add-one"]
