"""The starter set: every Problem is well formed, its tests come from its reference, and its q Solution is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config import AcceptanceConfig
from pipeline.errors import RecordError
from pipeline.mutation.kill_rate import kill_reports, mutant_pool
from pipeline.problemsets.materialise import MaterialisedProblem, materialise
from pipeline.problemsets.source import ProblemSource
from pipeline.problemsets.starter_set import STARTER_FOLDER, load_starter, read_problem
from pipeline.records import Problem, TestCase, VerdictKind, content_hash
from pipeline.references import drawn_tests, largest_answer_share
from pipeline.suite import TestSuite
from pipeline.typed_values import decode_typed, to_wire
from q_runtime import PythonPool, QPool, format_wire
from q_runtime.lang.keywords import RESERVED

N_FRESH = 30
FRESH_SEED = 7


@pytest.fixture(scope="module")
def sources() -> tuple[ProblemSource, ...]:
    return load_starter()


@pytest.fixture(scope="module")
def python_pool() -> Iterator[PythonPool]:
    with PythonPool(n_workers=2) as pool:
        yield pool


@pytest.fixture(scope="module")
def materialised(sources, python_pool) -> list[MaterialisedProblem]:
    return materialise(sources, python_pool)


@pytest.fixture(scope="module")
def problems(materialised) -> dict[str, Problem]:
    return {item.source.slug: item.problem("starter") for item in materialised}


@pytest.fixture(scope="module")
def fresh(problems, python_pool) -> dict[str, tuple[TestCase, ...]]:
    """Inputs beyond the stored tests, with the references' answers."""
    drawn = drawn_tests(problems.values(), python_pool, N_FRESH, FRESH_SEED, first_index=100)
    return dict(drawn)


def verdicts_on(
    programs: dict[str, str], suites: dict[str, TestSuite]
) -> dict[str, tuple[VerdictKind, str]]:
    """Verdict and its reason for one Program per Problem."""
    with QPool(n_workers=2) as pool:
        jobs = [suites[slug].job(slug, program) for slug, program in programs.items()]
        return {
            result.key: (verdict.kind, verdict.reason)
            for result in pool.run(jobs)
            for verdict in [suites[result.key].grade(result, pool.name, pool.version)]
        }


def failures(verdicts: dict[str, tuple[VerdictKind, str]]) -> dict[str, tuple[VerdictKind, str]]:
    return {slug: found for slug, found in verdicts.items() if found[0] != VerdictKind.PASSED}


def test_the_set_is_large_and_spread_over_the_difficulties(sources):
    counts = Counter(source.difficulty for source in sources)

    assert len(sources) >= 64
    assert counts["easy"] >= 25
    assert counts["medium"] >= 25
    assert counts["hard"] >= 9


def test_no_name_is_reserved_in_q(sources):
    names = {
        name
        for source in sources
        for name in (source.entry_point, *(param.name for param in source.params))
    }

    assert sorted(names & RESERVED) == []


def test_references_agree_with_the_worked_out_examples(materialised):
    for item in materialised:
        public = [test for test in item.tests if test.origin == "example"]

        assert [decode_typed(test.expected) for test in public] == list(item.source.expected)


def test_every_problem_has_enough_different_tests_and_half_of_them_hidden(materialised):
    for item in materialised:
        hidden = [test for test in item.tests if test.visibility == "hidden"]
        inputs = {content_hash(list(test.arguments)) for test in item.tests}

        assert len(item.tests) >= 10, item.source.slug
        assert 2 * len(hidden) >= len(item.tests), item.source.slug
        assert len(inputs) == len(item.tests), item.source.slug


def test_materialising_again_gives_the_same_tests(sources, materialised, python_pool):
    again = materialise(sources[:5], python_pool)

    assert [item.tests for item in again] == [item.tests for item in materialised[:5]]


def test_answers_vary(problems, fresh):
    for slug, problem in problems.items():
        hidden = [test for test in problem.tests if test.visibility == "hidden"]

        assert largest_answer_share(hidden) < 1, slug
        assert largest_answer_share(fresh[slug]) <= 0.9, slug


def test_the_tests_tell_mutants_of_the_references(problems):
    needed = AcceptanceConfig().min_kill_rate
    suites = [(problem, problem.tests) for problem in problems.values()]
    with mutant_pool(2) as pool:
        reports = kill_reports(suites, pool, AcceptanceConfig().max_mutants, seed=0, together=16)

    rates = {report.problem: report.rate for report in reports}
    assert {slug: rate for slug, rate in rates.items() if rate is None or rate < needed} == {}
    assert sum(report.count("killed") for report in reports) > 15 * len(problems)


def test_solutions_pass_all_their_tests(materialised, problems):
    programs = {item.source.slug: item.source.solution for item in materialised}
    suites = {slug: TestSuite(problem) for slug, problem in problems.items()}

    assert failures(verdicts_on(programs, suites)) == {}


def test_solutions_pass_on_fresh_inputs(materialised, problems, fresh):
    programs = {item.source.slug: item.source.solution for item in materialised}
    suites = {slug: TestSuite(problem, fresh[slug]) for slug, problem in problems.items()}

    assert failures(verdicts_on(programs, suites)) == {}


def test_an_empty_program_is_wrong_everywhere(problems):
    suites = {slug: TestSuite(problem) for slug, problem in problems.items()}
    verdicts = verdicts_on(dict.fromkeys(problems, ""), suites)

    assert {kind for kind, _ in verdicts.values()} == {VerdictKind.Q_ERROR}


def test_the_commonest_answer_as_a_constant_is_wrong_everywhere(problems):
    suites = {slug: TestSuite(problem) for slug, problem in problems.items()}
    programs = {slug: constant_program(problem) for slug, problem in problems.items()}
    verdicts = verdicts_on(programs, suites)

    assert {kind for kind, _ in verdicts.values()} == {VerdictKind.WRONG_ANSWER}


def constant_program(problem: Problem) -> str:
    """A Program that always gives the answer of most tests."""
    by_hash = {content_hash(test.expected): test.expected for test in problem.tests}
    counts = Counter(content_hash(test.expected) for test in problem.tests)
    answer = decode_typed(by_hash[counts.most_common(1)[0][0]])
    params = ";".join(param.name for param in problem.params)
    return f"{problem.entry_point}:{{[{params}] {format_wire(to_wire(answer, problem.returns))}}}"


GOOD = (STARTER_FOLDER / "pair-with-sum.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "', "title = ", "is not TOML"),
        ('difficulty = "easy"', 'difficulty = "simple"', "difficulty: "),
        ('difficulty = "easy"\n', "", "difficulty: Field required"),
        (
            'entry_point = "pairWithSum"',
            'entry_point = "pair_with_sum"',
            "entry_point: 'pair_with_sum'",
        ),
        ('name = "target"', 'name = "lambda"', "params[1].name: 'lambda'"),
        ('name = "target"', 'name = "nums"', "params: a name occurs twice"),
        ('returns = "list[int]"', 'returns = "list[long]"', "returns: 'list[long]' is not a type"),
        ("pairWithSum([4, 9", "([4, 9", "statement: the worked example"),
        ("def pairWithSum(nums, target)", "def pairs(nums, target)", "reference: must define"),
        ("def pairWithSum(nums, target):", "def pairWithSum(nums, target)", "reference: line"),
        ("def generate(rng)", "def generate()", "generator: generate takes 0 parameters"),
        ("pairWithSum:{[nums;target]", "pairWithSum:{[x;y]", "solution: must define"),
        ("arguments = [[5, 5], 10]", "arguments = [[5, 5]]", "examples[1].arguments: 1 arguments"),
        ("arguments = [[5, 5], 10]", 'arguments = [[5, "a"], 10]', "examples[1].arguments: "),
        ("arguments = [[5, 5], 10]", "arguments = [[4, 9, 1, 6], 10]", "the same as in an earlier"),
        ("expected = [0, 1]", "expected = [0.5]", "examples[1].expected: "),
        ("[[examples]]", "[[sample]]", "examples: Field required"),
    ],
)
def test_a_fault_in_a_file_is_named_with_its_field(tmp_path: Path, old, new, message):
    assert old in GOOD
    path = tmp_path / "pair-with-sum.toml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")

    with pytest.raises(RecordError) as caught:
        read_problem(path)

    assert str(caught.value).startswith("pair-with-sum.toml: ")
    assert message in str(caught.value)


def test_two_problems_with_the_same_function_are_refused(tmp_path: Path):
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")

    with pytest.raises(RecordError, match="'pairWithSum' is taken by one"):
        load_starter(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path):
    with pytest.raises(RecordError, match="no problem files"):
        load_starter(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"expected": (1, 2, 3, 4)}, "the example says"),
        ({"reference": "raise ValueError('no')"}, "cannot be loaded"),
        ({"reference": "def staircaseWays(n): return 1 // n"}, "the reference fails on"),
        ({"generator": "def generate(rng): return (3,)"}, "different inputs"),
        ({"returns": "str"}, "is not of type str"),
    ],
)
def test_a_source_that_contradicts_itself_is_refused(sources, python_pool, change, message):
    source = next(source for source in sources if source.slug == "staircase-ways")

    with pytest.raises(RecordError, match=message) as caught:
        materialise([replace(source, **change)], python_pool)

    assert str(caught.value).startswith("staircase-ways: ")
