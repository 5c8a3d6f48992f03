"""Storing Problems and Solutions: the same content twice is one row."""

from __future__ import annotations

import pytest

from pipeline import records
from pipeline.errors import RecordError
from qstudio.problems.models import Problem, Solution, TestCase
from qstudio.problems.services import (
    problem_record,
    solution_record,
    store_problem,
    store_problems,
    store_solutions,
)
from tests.qstudio.factories import make_problem, make_problem_record, make_test_case

pytestmark = pytest.mark.django_db


def test_a_record_survives_the_database():
    record = make_problem_record(tags=("a", "b"), is_evaluation_only=True)

    assert store_problem(record) == "created"

    assert problem_record(Problem.objects.get()) == record


def test_the_same_content_changes_nothing():
    store_problem(make_problem_record())
    before = (Problem.objects.get().updated_at, list(TestCase.objects.values_list("pk", flat=True)))

    assert store_problem(make_problem_record()) == "unchanged"

    assert (
        Problem.objects.get().updated_at,
        list(TestCase.objects.values_list("pk", flat=True)),
    ) == before


def test_changed_content_keeps_the_row_and_replaces_its_tests():
    row = make_problem(n_tests=4)

    assert store_problem(make_problem_record(n_tests=6, title="new")) == "updated"

    assert (Problem.objects.get().pk, Problem.objects.get().title) == (row.pk, "new")
    assert [test.index for test in row.tests.all()] == list(range(6))


def test_a_changed_test_is_a_changed_problem():
    make_problem(tests=(make_test_case(0),))

    assert store_problem(make_problem_record(tests=(make_test_case(0, expected=9),))) == "updated"
    assert TestCase.objects.get().expected == 9


def test_values_of_all_kinds_come_back_as_they_were():
    values = (None, True, 2**62, 1.5, "text", [1, 2], {"$tuple": [1, "a"]}, {"$dict": [["k", []]]})
    tests = tuple(
        make_test_case(i, arguments=(value,), expected=value) for i, value in enumerate(values)
    )

    store_problem(make_problem_record(tests=tests))

    assert problem_record(Problem.objects.get()).tests == tests


def test_a_slug_that_does_not_fit_is_refused_with_a_sentence():
    with pytest.raises(RecordError, match="120 characters"):
        store_problem(make_problem_record("x" * 121))


def test_many_are_stored_in_few_queries(django_assert_max_num_queries):
    many = [make_problem_record(f"problem-{n}") for n in range(50)]

    with django_assert_max_num_queries(60):
        outcomes = store_problems(many)

    assert set(outcomes.values()) == {"created"}
    assert TestCase.objects.count() == 200


def solution(**fields):
    return records.Solution(
        **({"problem": "add-one", "program": "f:{x+1}", "origin": "reference"} | fields)
    )


def test_a_solution_survives_the_database_and_is_stored_once():
    make_problem()

    first = store_solutions([solution(provenance={"author": "me"})])
    second = store_solutions([solution(provenance={"author": "me"})])

    assert (first["created"], second["created"], second["unchanged"]) == (1, 0, 1)
    row = Solution.objects.select_related("problem").get()
    assert solution_record(row) == solution(provenance={"author": "me"})


def test_the_same_program_found_by_two_runs_is_a_solution_of_each():
    make_problem()

    store_solutions([solution(origin="bootstrap")], run_key="one")
    store_solutions([solution(origin="bootstrap")], run_key="two")

    assert Solution.objects.count() == 2


def test_a_solution_of_an_unknown_problem_is_counted_and_left_out():
    assert store_solutions([solution(problem="nothing")])["no_problem"] == 1
    assert not Solution.objects.exists()
