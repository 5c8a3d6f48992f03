"""Tests drawn from a Problem's generator: how their answers are compared, and when nothing can be drawn."""

from __future__ import annotations

import pytest

from pipeline.comparators import NoComparator, comparator_for_new_inputs
from pipeline.records import Problem
from pipeline.references import drawn_tests, undrawable
from q_runtime import PythonPool
from tests.qstudio.record_factories import make_problem_record, make_test_case


def compared_by(*comparators: str) -> Problem:
    """A Problem with one test for each comparator."""
    cases = [make_test_case(n, comparator=each) for n, each in enumerate(comparators)]
    return make_problem_record("-".join(comparators).replace(":", ""), tests=tuple(cases))


@pytest.mark.parametrize(
    ("comparators", "shared"),
    [
        ([], "equal"),
        (["equal", "equal"], "equal"),
        (["unordered"], "unordered"),
        (["close:1e-6", "close:0.000001"], "close:1e-6"),
    ],
)
def test_new_inputs_are_compared_as_all_tests_are(comparators, shared):
    assert comparator_for_new_inputs(comparators) == shared


@pytest.mark.parametrize(
    ("comparators", "cause"),
    [
        (["equal", "unordered"], r"in different ways \(equal, unordered\)"),
        (["close:1e-6", "close:1e-9"], r"in different ways \(close:1e-6, close:1e-9\)"),
        (["any_of", "any_of"], "several acceptable values"),
        (["equal", "any_of"], "several acceptable values"),
    ],
)
def test_where_tests_do_not_say_it_nothing_is_assumed(comparators, cause):
    with pytest.raises(NoComparator, match=cause):
        comparator_for_new_inputs(comparators)


def test_drawn_tests_have_the_comparator_of_the_tests_whatever_their_order():
    close, mixed, reverse = (
        compared_by("close:1e-6", "close:1e-6"),
        compared_by("equal", "close:1e-6"),
        compared_by("close:1e-6", "equal"),
    )
    with PythonPool(n_workers=1) as pool:
        drawn = dict(drawn_tests([close, mixed, reverse], pool, 5, seed=1, first_index=10))

    assert {test.comparator for test in drawn.pop(close.slug)} == {"close:1e-6"}
    assert drawn == {}
    assert undrawable(close) == ""
    assert undrawable(mixed).startswith("the tests are compared in different ways")
    assert undrawable(mixed) == undrawable(reverse)


def test_without_a_generator_or_a_reference_nothing_is_drawn():
    assert undrawable(make_problem_record(generator="")) == "the Problem has no input generator"
    assert undrawable(make_problem_record(reference="")) == "the Problem has no Python reference"
